"""Conversion of what a path of a JSON column gives: a value whose type is known only when it is read."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.json_values import Element, child, convert
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql


def from_dynamic(caster: Caster, value: Typed, target: t.Type) -> Typed:
    """The value as a `target`: its default where the path leads nowhere, a failure where it cannot be read so."""
    start, end = (caster.node.start, caster.node.end) if caster.node is not None else (0, 0)
    call = Call("CAST", ast.Function("CAST", (), start=start, end=end), (value,), caster.compiler)
    element = child(value.sql)
    if isinstance(target, t.Int | t.Float):
        number = f"CASE {element.raw} WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {element.text} END"
        element = Element(element.raw, f"({number})")
    sql = convert(call, element, target)
    if caster.lenient:
        return caster.result(value, f"({sql})", target)
    failure = f"error({duckdb_string(f'CANNOT_PARSE_TEXT: Cannot parse as {target}: ')} || {element.raw})"
    missing = f"{element.raw} IS NULL OR {element.raw} = 'null'"
    body = f"CASE WHEN {missing} THEN {default_sql(target)} ELSE coalesce({sql}, {failure}) END"
    return caster.result(value, f"({body})", target)
