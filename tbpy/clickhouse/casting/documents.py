"""Conversions to the JSON type."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import STORED, STORED_OR_NULL, document_sql
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names


@target(t.Json)
def to_json(caster: Caster, value: Typed, target_: t.Json) -> Typed:
    source = value.type
    if isinstance(source, t.Json) and source.is_free and target_.is_free:
        return caster.result(value, value.sql, target_)
    function = caster.compiler.context.udf(STORED_OR_NULL if caster.lenient else STORED)
    match source:
        case t.String():
            text = document_sql(value.sql, target_, function)
        case t.Json():
            text = f"{function}(CAST({value.sql} AS VARCHAR), {duckdb_string(str(target_))})"
        case t.Tuple(_, names) if names:
            text = _of_record(caster, value, _with_texts(source, target_), function)
        case t.Map(t.String(), _):
            text = _of_record(caster, value, target_, function)
        case _:
            caster.refuse(source, target_)
    return caster.result(value, f"CAST({text} AS JSON)", target_)


def _of_record(caster: Caster, value: Typed, type_: t.Json, function: str) -> str:
    text = caster.compiler.call("toJSONString", value, node=caster.node)
    return f"{function}({text.sql}, {duckdb_string(str(type_))})"


def _with_texts(source: t.Tuple, type_: t.Json) -> t.Json:
    """The type with the texts of a tuple as typed paths, since they stay texts whatever they look like."""
    paths = dict.fromkeys(_texts(source, ""), t.STRING) | dict(type_.paths)
    return t.Json(tuple(sorted(paths.items())), type_.skipped, type_.patterns)


def _texts(type_: t.Tuple, prefix: str) -> list[str]:
    found: list[str] = []
    for name, item in zip(field_names(type_), type_.items, strict=True):
        if isinstance(item, t.Tuple) and item.names:
            found += _texts(item, f"{prefix}{name}.")
        elif isinstance(item, t.String):
            found.append(prefix + name)
    return found
