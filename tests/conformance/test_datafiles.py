"""Recorded datafiles: accepted or refused as recorded, with the recorded message and the recorded reading.

`strict_ok` is the judgement of a build (templates rendered in test mode, SQL parsed), so that is what is compared. An
`error` of "" must fail; its text was an accident.
"""

from __future__ import annotations

import json
from typing import Any

from tbpy.datafiles import Connection, Datasource, Pipe, Settings
from tbpy.project import judge_datafile
from tests.conformance.cases import load
from tests.conformance.floors import Record


def test_datafiles(record: Record) -> None:
    for case in load("datafile_cases.jsonl"):
        strict = case["kind"] == "pipe"
        ok, error = (case["strict_ok"], case.get("strict_error")) if strict else (case["ok"], case.get("error"))
        parsed, diagnostics = judge_datafile(case["text"], case["kind"], secrets={})
        errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"]
        record(f"datafiles/{case['kind']}", _matches(case, ok, error, parsed, errors), json.dumps(case["text"]))


def _matches(case: dict[str, Any], ok: bool, error: str | None, parsed: Any, errors: list[Any]) -> bool:
    if not ok:
        return bool(errors) and (error or "") in errors[0].message and errors[0].span is not None
    warnings = [warning.message for warning in parsed.warnings] if parsed else []
    return not errors and normalised(parsed) == case["parsed"] and warnings == case.get("warnings", [])


def normalised(parsed: Datasource | Pipe | Connection) -> dict[str, Any]:
    """The view that the cases recorded: only what is set, one node for files that have none of their own."""
    match parsed:
        case Datasource():
            view = _datasource(parsed)
        case Pipe():
            view = _pipe(parsed)
        case Connection():
            view = _connection(parsed)
    return view


def _datasource(parsed: Datasource) -> dict[str, Any]:
    node: dict[str, Any] = {
        "name": "default",
        "schema": ",".join(column.declaration() for column in parsed.columns),
        "columns": [_column(column) for column in parsed.columns],
    }
    if parsed.engine:
        arguments = [[item.name, item.value] for item in parsed.engine.arguments]
        node["engine"] = {"type": parsed.engine.name, "args": arguments}
    indexes = [
        {"name": i.name, "expr": i.expression, "type_full": i.type, "granularity": i.granularity}
        for i in parsed.indexes
    ]
    forward_query = parsed.forward_query.text if parsed.forward_query else None
    node |= _set(
        indexes=indexes, description=parsed.description, tags=parsed.tags.operational, forward_query=forward_query
    )
    node |= _settings(parsed.settings)
    file = _set(description=parsed.description, tokens=_tokens(parsed), shared_with=list(parsed.shared_with))
    return {"nodes": [node]} | file | _set(filtering_tags=list(parsed.tags.names), forward_query=forward_query)


def _column(column: Any) -> dict[str, Any]:
    default = None if column.default is None else f"DEFAULT {column.default}"
    codec = None if column.codec is None else f"CODEC{column.codec}"
    view = {"name": column.name, "type": column.type}
    return view | _set(nullable=column.nullable, default_value=default, codec=codec, jsonpath=column.jsonpath)


def _pipe(parsed: Pipe) -> dict[str, Any]:
    nodes = [
        {"name": node.name, "sql": node.sql.text}
        | _set(type=node.type, description=node.description)
        | _settings(node.settings, {"copy_mode": "mode"})
        for node in parsed.nodes
    ]
    file = _set(description=parsed.description, tokens=_tokens(parsed), filtering_tags=list(parsed.tags.names))
    return {"nodes": nodes} | file


def _connection(parsed: Connection) -> dict[str, Any]:
    node = {"name": "default"} | _set(type=parsed.type, description=parsed.description) | _settings(parsed.settings)
    return {"nodes": [node]} | _set(description=parsed.description)


def _set(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], False)}


def _settings(settings: Settings, names: dict[str, str] | None = None) -> dict[str, Any]:
    def value(item: Any) -> Any:
        return json.loads(item.value) if item.name.endswith("_json") else item.value

    return {(names or {}).get(item.name, item.name): value(item) for item in settings.items}


def _tokens(parsed: Datasource | Pipe) -> list[dict[str, str]]:
    return [{"token_name": token.name, "permission": token.permission} for token in parsed.tokens]
