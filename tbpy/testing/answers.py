"""What a case's pipe answers, in the words and with the status that Tinybird's API gives.

An endpoint answers NDJSON. For a materialized, copy or sink pipe the SQL of that node is run, as `tb test run` does;
its answer has the default format of the query API, tab-separated values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tbpy.clickhouse.formats import write
from tbpy.clickhouse.quoting import quote_identifier
from tbpy.errors import CustomTemplateError, NotFoundError, QueryTimeoutError, TbpyError
from tbpy.testing import classic
from tbpy.testing.model import Case
from tbpy.testing.update import Answer

if TYPE_CHECKING:
    from tbpy.datafiles import Node, Pipe
    from tbpy.engines import QueryResult
    from tbpy.workspace import Workspace

# The first class that fits decides. Source: Tinybird docs, "API error codes".
STATUS: tuple[tuple[type[TbpyError], int], ...] = (
    (QueryTimeoutError, 408),
    (NotFoundError, 404),
    (TbpyError, 400),
)


def error_answer(error: TbpyError) -> Answer:
    """The status and the `error` text of the API's answer to this error."""
    if isinstance(error, CustomTemplateError):
        return Answer(error.status, custom_text(error.body))
    status = next(code for kind, code in STATUS if isinstance(error, kind))
    return Answer(status, error.answer)


def custom_text(body: Any) -> str:
    """`tb` reads the `error` of a JSON body; a body that has none is shown whole."""
    if isinstance(body, dict) and "error" in body:
        return str(body["error"])
    return body if isinstance(body, str) else json.dumps(body)


def ask(workspace: Workspace, case: Case) -> Answer:
    """What the pipe or the SQL of a case answers to its parameters."""
    try:
        if case.printed:
            form = "TSVWithNames" if case.form == classic.TABLE else case.form
            return Answer(200, classic.printed(text_of(_printed(workspace, case), form), case.form))
        if case.sql is not None:
            return Answer(200, text_of(workspace.query(case.sql, parameters=case.arguments()), case.form))
        pipe = workspace.project.pipes[case.pipe]
        if pipe.type == "endpoint":
            arguments = case.arguments()
            query = arguments.pop("q", None)
            result = workspace.endpoint(pipe.name, arguments, sql=query if isinstance(query, str) else None)
            return Answer(200, text_of(result, "JSONEachRow"))
        if pipe.typed_node is None:
            return Answer(400, f"The pipe '{pipe.name}' has no endpoint, materialized, copy or sink node")
        result = workspace.query(_node_query(pipe, pipe.typed_node), parameters=case.arguments())
        return Answer(200, text_of(result, "TabSeparated"))
    except TbpyError as error:
        return error_answer(error)


def _printed(workspace: Workspace, case: Case) -> QueryResult:
    if case.sql is not None:
        return workspace.query(case.sql)
    return workspace.endpoint(case.pipe, case.arguments())


def _node_query(pipe: Pipe, node: Node) -> str:
    """The node under its full name, so that its template renders and its siblings are in sight."""
    return f"SELECT * FROM {quote_identifier(pipe.name)}.{quote_identifier(node.name)}"


def text_of(result: QueryResult, form: str) -> str:
    return b"".join(write(form, result.columns, result)).decode("utf-8", "replace")
