"""Conversions to Dynamic, and of Dynamic values, whose types are known only when they are read."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.compiler.unions import by_type
from tbpy.clickhouse.documents import TAG
from tbpy.clickhouse.functions.json_paths import untagged
from tbpy.clickhouse.functions.json_text import json_sql
from tbpy.clickhouse.functions.json_values import Element, child, convert
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql

_MOMENT = duckdb_string('"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"')


@target(t.Dynamic)
def to_dynamic(caster: Caster, value: Typed, target_: t.Dynamic) -> Typed:
    return caster.result(value, _dynamic_sql(caster, value, value.type), target_)


def _dynamic_sql(caster: Caster, value: Typed, type_: t.Type) -> str:
    """The value as JSON: bare where that tells its type, else with the name of the type."""
    sql = value.exact()
    match type_:
        case t.Dynamic():
            return sql
        case t.Variant():
            return by_type(value, type_, lambda part: _dynamic_sql(caster, part, part.type))
        case t.Bool():
            return f"to_json({sql})"
        case t.Int() if type_ == t.INT64:
            return f"to_json({sql})"
        case t.Float(64):
            failure = duckdb_string("NaN and infinity as Dynamic are not supported by tbpy yet")
            return f"(CASE WHEN isfinite({sql}) THEN to_json({sql}) WHEN {sql} IS NOT NULL THEN error({failure}) END)"
        case t.String():
            time_like = f"regexp_matches({sql}, '[0-9]') AND regexp_matches({sql}, '[-/: ]')"
            return f"(CASE WHEN {time_like} THEN {_tagged(caster, sql, type_)} ELSE to_json({sql}) END)"
    return f"(CASE WHEN {sql} IS NOT NULL THEN {_tagged(caster, sql, type_)} END)"


def _tagged(caster: Caster, sql: str, type_: t.Type) -> str:
    text = json_sql(caster.compiler.context, sql, type_, caster.node or ast.Literal(None, ""))
    return f"json_object({duckdb_string(TAG + str(type_))}, CAST({text} AS JSON))"


def _number_text(element: Element) -> str:
    """The text of a number; Bool, dates and times are numbers too."""
    day = f"CAST(TRY_CAST({element.text} AS DATE) - DATE '1970-01-01' AS VARCHAR)"
    second = f"CAST(epoch_us(TRY_CAST({element.text} AS TIMESTAMP)) // 1000000 AS VARCHAR)"
    times = (
        f"WHEN regexp_full_match({element.raw}, '\"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}\"') THEN {day} "
        f"WHEN regexp_full_match({element.raw}, {_MOMENT}) THEN {second}"
    )
    bools = f"WHEN {element.raw} = 'true' THEN '1' WHEN {element.raw} = 'false' THEN '0'"
    return f"CASE {bools} {times} ELSE {element.text} END"


def from_dynamic(caster: Caster, value: Typed, target_: t.Type) -> Typed:
    """The value as a type: its default where there is none, a failure where it cannot be read so."""
    start, end = (caster.node.start, caster.node.end) if caster.node is not None else (0, 0)
    call = Call("CAST", ast.Function("CAST", (), start=start, end=end), (value,), caster.compiler)
    element = child(untagged(value))
    if isinstance(target_, t.Int | t.Float):
        element = Element(element.raw, f"({_number_text(element)})")
    sql = convert(call, element, target_)
    if isinstance(target_, t.Date | t.Date32):
        number = caster.plain(Typed(f"TRY_CAST({element.raw} AS BIGINT)", t.INT64), target_)
        sql = f"(CASE WHEN regexp_full_match({element.raw}, '-?[0-9]+') THEN {number.sql} ELSE {sql} END)"
    if caster.lenient:
        return caster.result(value, f"({sql})", target_)
    failure = f"error({duckdb_string(f'CANNOT_PARSE_TEXT: Cannot parse as {target_}: ')} || {element.raw})"
    missing = f"{element.raw} IS NULL OR {element.raw} = 'null'"
    body = f"CASE WHEN {missing} THEN {default_sql(target_)} ELSE coalesce({sql}, {failure}) END"
    return caster.result(value, f"({body})", target_)
