"""`/v0/sql`: any query, in all the forms in which clients send one."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.answers import answer_query
from tbpy.api.authentication import access_of
from tbpy.api.bodies import read_body
from tbpy.api.calls import Call
from tbpy.api.parameters import Parameters, of_pipe, parse_form, parse_json, single
from tbpy.api.reading import allowed_reading
from tbpy.api.routes.common import Route, json_answer, query_parameters, service_of, workspace_of
from tbpy.api.routes.pipes import find_endpoint
from tbpy.api.running import in_thread
from tbpy.clickhouse import ast
from tbpy.clickhouse.formatter import format_query
from tbpy.clickhouse.parser import parse_query, parse_statement
from tbpy.errors import QueryError, UsageError
from tbpy.project.references import table_references


async def run_sql(request: Request) -> Response:
    """Without a FORMAT clause the answer is JSON, which most clients take for granted."""
    access, service, workspace = access_of(request), service_of(request), await workspace_of(request)
    given = await sql_parameters(request)
    sql = single(given, "q")
    if not sql or not sql.strip():
        raise UsageError("Missing required parameter: q")
    pipeline, parameters = single(given, "pipeline"), of_pipe(given)
    if pipeline:
        pipeline = find_endpoint(workspace.project, access, pipeline)  # any pipe; what it answers is its endpoint
    limit = service.limits.query_seconds
    call = Call.of(service, request, access, None, {"q": sql, **parameters})
    with call.failing():
        reading = await in_thread(
            service.threads, allowed_reading, workspace.project, access, sql, parameters, pipeline
        )
    how: dict[str, Any] = {"parameters": reading.parameters, "filters": reading.filters, "time_limit": limit}
    return await answer_query(
        request,
        call,
        lambda stop: (
            workspace.endpoint(pipeline, sql=sql, on_start=stop.on_start, **how)
            if pipeline
            else workspace.query(sql, on_start=stop.on_start, **how)
        ),
        lambda path, stop: workspace.write_parquet(path, endpoint=pipeline, sql=sql, on_start=stop.on_start, **how),
        settings=given,
    )


async def sql_parameters(request: Request) -> Parameters:
    """The SQL as `q`, and the parameters: a query string, a form, JSON, or the SQL alone as the body."""
    given = query_parameters(request)
    if request.method == "GET":
        return given
    body = await read_body(request, service_of(request).limits.query_bytes)
    if not body.strip():
        return given
    content_type = request.headers.get("content-type", "")
    if "json" in content_type:
        return given | parse_json(body)
    if "form-urlencoded" in content_type:
        form = parse_form(body)
        if "q" in form or "q" in given:
            return given | form
    try:
        return given | {"q": body.decode("utf-8")}
    except UnicodeDecodeError as error:
        raise UsageError(f"The SQL is not UTF-8: {error}") from error


async def format_sql(request: Request) -> Response:
    access_of(request)
    given = await sql_parameters(request)
    return json_answer({"q": format_query(parse_query(single(given, "q") or ""))})


async def tables_of_sql(request: Request) -> Response:
    """`{"tables": [[database, name, alias]]}`; SQL that does not parse has none unless `raising`."""
    access_of(request)
    given = await sql_parameters(request)
    try:
        query: ast.Query | None = parse_statement(single(given, "q") or "").query
    except QueryError:
        if single(given, "raising", "false") == "true":
            raise
        query = None
    tables: list[list[Any]] = [[r.database or "", r.name, ""] for r in table_references(query) if r.certain]
    return json_answer({"tables": tables})


ROUTES: tuple[Route, ...] = (
    (("GET", "POST"), "/v0/sql", run_sql),
    (("GET", "POST"), "/v0/sql_format", format_sql),
    (("GET", "POST"), "/v0/sql_tables", tables_of_sql),
)
