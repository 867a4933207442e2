"""What a query of a token that is no admin's may read: the tables and pipes of its scopes, and no secret.

A pipe is read whole when its name may be: what stands behind it needs no scope of its own, and a row filter counts
where the query itself names the data source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from tbpy.api.errors import ForbiddenError
from tbpy.api.parameters import Parameters
from tbpy.api.tokens import Access
from tbpy.clickhouse import ast
from tbpy.clickhouse.parser import parse_statement
from tbpy.project import Project
from tbpy.project.references import table_references
from tbpy.templating import compile_template, is_dynamic, strip_marker

RESULT = "_"
# Rows made from nothing. Whatever else a table function may come to do, it must be allowed here.
_TABLE_FUNCTIONS = frozenset(
    {
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "generate_series",
        "generateseries",
        "values",
        "null",
        "generaterandom",
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a query runs: with which parameters, and with which conditions for the rows of what it names."""

    parameters: Parameters
    filters: Mapping[str, str]


def allowed_reading(
    project: Project, access: Access, sql: str | None, parameters: Mapping[str, Any], pipeline: str | None = None
) -> Reading:
    """What a query reads: the parameters of the request, and over them what the token fixes; the rows it may see.

    `pipeline` is the pipe that `_` stands for. Raises `ForbiddenError` for what the token may not read.
    """
    names = {pipeline} if pipeline is not None else set()
    if sql is not None and not access.is_admin:
        text = _rendered(project, sql, parameters)
        for name in named_tables(text, project):
            if name not in (RESULT, pipeline):
                _require(access, name)
                names.add(name)
    filters = {name: condition for name in sorted(names) if (condition := access.row_filter(name)) is not None}
    return Reading({**parameters, **_fixed(access, names)}, filters)


def named_tables(sql: str, project: Project) -> set[str]:
    """The tables and pipes that a query names, those with a database as `database.name`.

    A bare name after IN may be a column; it counts when the project has something of that name. Raises `ForbiddenError`
    for a statement that names what cannot be told.
    """
    statement = parse_statement(sql)
    if statement.query is None:
        raise ForbiddenError("The token has not enough permissions for this statement")
    for node in _nodes(statement.query):
        if isinstance(node, ast.TableFunction) and node.name.lower() not in _TABLE_FUNCTIONS:
            raise ForbiddenError(f"The token has not enough permissions for {node.name}()")
        if isinstance(node, ast.Parameter):
            raise ForbiddenError("The token has not enough permissions for query parameters")
    found = set()
    for reference in table_references(statement.query):
        known = reference.name.removesuffix("_quarantine") in {*project.datasources, *project.pipes}
        if reference.certain or known:
            found.add(_qualified(reference.database, reference.name))
    return found


def _rendered(project: Project, sql: str, parameters: Mapping[str, Any]) -> str:
    if not is_dynamic(sql):
        return sql
    rendered = compile_template(strip_marker(sql), name="query").render(parameters, secrets=project.secrets)
    if rendered.secrets:
        raise ForbiddenError("The token has not enough permissions for secrets")
    return rendered.sql


def _require(access: Access, name: str) -> None:
    if not access.may_read(name):
        raise ForbiddenError(f"The token has not enough permissions to read '{name}'")


def _fixed(access: Access, names: set[str]) -> Mapping[str, Any]:
    """What the token fixes for any of the pipes; they must agree, for parameters have one value in a query."""
    fixed: dict[str, Any] = {}
    for name in sorted(names):
        for parameter, value in access.fixed_parameters(name).items():
            if fixed.setdefault(parameter, value) != value:
                raise ForbiddenError(f"The token has different values of {parameter} for the pipes of this query")
    return fixed


def _qualified(database: str | None, name: str) -> str:
    return name if database in (None, "default") else f"{database}.{name}"


def _nodes(value: Any) -> Iterator[ast.Node]:
    if isinstance(value, ast.Node):
        yield value
        for field in fields(value):
            yield from _nodes(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
