"""The endpoints as an OpenAPI 3.1 document (OpenAPI Specification 3.1.0)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tbpy
from tbpy.clickhouse import types as t
from tbpy.datafiles import Pipe
from tbpy.project import NodeKey, Project
from tbpy.templating import Parameter, compile_template

_INTEGERS = ("Int", "UInt")
_FORMATS = {
    "Int32": "int32",
    "Int64": "int64",
    "Float32": "float",
    "Float64": "double",
    "Date": "date",
}


def openapi_document(project: Project, pipes: Iterable[Pipe], base: str) -> dict[str, Any]:
    """One path for each of `pipes`, which are endpoints. `base` is the server's address."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Endpoints", "version": tbpy.__version__},
        "servers": [{"url": f"{base}/v0"}],
        "security": [{"bearer": []}, {"query": []}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}, "documentation": {"type": "string"}},
                }
            },
        },
        "paths": {f"/pipes/{pipe.name}.json": {"get": _operation(project, pipe)} for pipe in pipes},
    }


def endpoint_parameters(pipe: Pipe) -> tuple[Parameter, ...]:
    """What a caller can give: of all nodes, each name once, the use that has a type before one that has none."""
    found: dict[str, Parameter] = {}
    for node in pipe.nodes:
        if not node.sql.is_template:
            continue
        for parameter in compile_template(node.sql.template, name=node.name).inputs():
            known = found.setdefault(parameter.name, parameter)
            if parameter.typed and not known.typed:
                found[parameter.name] = parameter
    return tuple(found.values())


def _operation(project: Project, pipe: Pipe) -> dict[str, Any]:
    return {
        "operationId": pipe.name,
        "summary": pipe.description or pipe.name,
        "parameters": [_parameter(parameter) for parameter in endpoint_parameters(pipe)],
        "responses": {
            "200": {
                "description": "The result",
                "content": {"application/json": {"schema": _answer(project, pipe)}},
            },
            **{
                status: {
                    "description": told,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status, told in (("400", "A wrong parameter"), ("403", "Not allowed"), ("408", "It took too long"))
            },
            "default": {"description": "What the template of the endpoint answers, or another error"},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "required": _required(parameter),
        "schema": _schema(parameter),
    }
    if isinstance(parameter.description, str):
        shown["description"] = parameter.description
    if parameter.example is not None:
        shown["example"] = parameter.example
    return shown


def _required(parameter: Parameter) -> bool:
    """What the template itself calls required: one without a default may stand behind `defined()`."""
    said = parameter.declared.get("optional")
    return parameter.default is None and (not said if said is not None else bool(parameter.required))


def _schema(parameter: Parameter) -> dict[str, Any]:
    kind = parameter.type
    if kind.startswith("Array("):
        return {"type": "array", "items": _plain(kind[len("Array(") : -1])}
    schema = _plain(kind)
    if isinstance(parameter.enum, list):
        schema["enum"] = parameter.enum
    if isinstance(parameter.format, str):
        schema["format"] = parameter.format
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema


def _plain(kind: str) -> dict[str, Any]:
    if kind.startswith(_INTEGERS):
        schema: dict[str, Any] = {"type": "integer"}
    elif kind.startswith(("Float", "Decimal")):
        schema = {"type": "number"}
    else:
        schema = {"type": "boolean" if kind == "Boolean" else "string"}
    return schema | ({"format": _FORMATS[kind]} if kind in _FORMATS else {})


def _answer(project: Project, pipe: Pipe) -> dict[str, Any]:
    checked = project.nodes.get(NodeKey(pipe.name, pipe.output_node.name))
    columns = checked.columns if checked else None
    row: dict[str, Any] = {"type": "object"}
    if columns:
        row["properties"] = {column.name: value_schema(column.type) for column in columns}
    meta = {"type": "object", "properties": {"name": {"type": "string"}, "type": {"type": "string"}}}
    return {
        "type": "object",
        "required": ["meta", "data", "rows"],
        "properties": {
            "meta": {"type": "array", "items": meta},
            "data": {"type": "array", "items": row},
            "rows": {"type": "integer"},
            "rows_before_limit_at_least": {"type": "integer"},
            "statistics": {"type": "object"},
        },
    }


def value_schema(type_: t.Type) -> dict[str, Any]:
    """How a value of a ClickHouse type looks in JSON; NaN and the infinities are null there."""
    inner = t.plain(type_)
    match inner:
        case t.Int():
            kinds = ["integer"]
        case t.Float():
            kinds = ["number", "null"]
        case t.Decimal():
            kinds = ["number"]
        case t.Bool():
            kinds = ["boolean"]
        case t.Array(item):
            return {"type": "array", "items": value_schema(item)}
        case t.Map() | t.Tuple() | t.Dynamic() | t.Variant() | t.Nothing():
            return {}
        case _:
            kinds = ["string"]
    if t.is_nullable(type_) and "null" not in kinds:
        kinds.append("null")
    return {"type": kinds[0] if len(kinds) == 1 else kinds}
