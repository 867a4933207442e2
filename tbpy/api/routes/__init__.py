"""What answers to each path, one module for each kind of resource: `(methods, path, handler)`."""

from tbpy.api.routes import (
    analyze,
    build,
    copies,
    datasources,
    dependencies,
    deployments,
    imports,
    jobs,
    local,
    metrics,
    openapi,
    pipes,
    remote,
    sql,
    tokens,
    variables,
    workspaces,
)

# The first that fits answers: what is fixed stands before what is a name, and what is asked most before the rest.
ROUTES = (
    *openapi.ROUTES,
    *pipes.ROUTES,
    *sql.ROUTES,
    *imports.ROUTES,
    *analyze.ROUTES,
    *datasources.ROUTES,
    *jobs.ROUTES,
    *tokens.ROUTES,
    *variables.ROUTES,
    *workspaces.ROUTES,
    *build.ROUTES,
    *copies.ROUTES,
    *deployments.ROUTES,
    *dependencies.ROUTES,
    *local.ROUTES,
    *metrics.ROUTES,
    *remote.ROUTES,
)
