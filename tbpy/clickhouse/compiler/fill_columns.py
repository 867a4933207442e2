"""The columns of WITH FILL: their bounds and steps, and their values as the texts of numbers that filling counts in."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.matchers import display_name
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type

_SECONDS = {"Second": 1, "Minute": 60, "Hour": 3600, "Day": 86400, "Week": 604800}
_SUBSECONDS = ("Millisecond", "Microsecond", "Nanosecond")
_NUMBERS = (t.Int, t.Float)
_TIMES = (t.Date, t.Date32, t.DateTime, t.DateTime64)
_OF_DAYS = (t.Date, t.Date32)


@dataclass(frozen=True, slots=True)
class FillColumn:
    """`bounds` are FROM and TO as texts in SQL; `description` is what `tb_fill_rows` reads of the column."""

    type: t.Type
    bounds: tuple[str, str]
    description: dict[str, object]


def described(columns: list[FillColumn]) -> str:
    """The columns as `tb_fill_rows` takes them."""
    return json.dumps([column.description for column in columns])


def fill_column(compiler: ExpressionCompiler, value: Typed, item: ast.OrderItem) -> FillColumn:
    """One column of ORDER BY with its WITH FILL. Raises INVALID_WITH_FILL_EXPRESSION (475)."""
    assert item.fill is not None
    type_ = t.plain(value.type)
    if not isinstance(type_, t.Int | t.Float | t.Date | t.Date32 | t.DateTime | t.DateTime64):
        raise _incompatible(type_, item)
    if item.fill.staleness is not None and item.fill.from_ is not None:
        raise invalid("WITH FILL STALENESS cannot be used together with WITH FILL FROM", item)
    first = _bound(compiler, item.fill.from_, type_, "FROM")
    end = _bound(compiler, item.fill.to, type_, "TO")
    step: list[object] = [-1 if item.descending else 1, None]
    if isinstance(type_, t.DateTime64):
        step[0] = _ticks(type_) * (-1 if item.descending else 1)
    if item.fill.step is not None:
        step = _step(compiler, item.fill.step, type_, item, "STEP")
        if step[0] == 0:
            raise invalid("WITH FILL STEP value cannot be zero", item.fill.step)
    stale = item.fill.staleness
    description = {
        "descending": item.descending,
        "step": step,
        "staleness": None if stale is None else _step(compiler, stale, type_, item, "STALENESS"),
        "real": isinstance(type_, t.Float),
        "scale": 0 if isinstance(type_, _OF_DAYS) else _ticks(type_),
        "zone": (type_.zone if isinstance(type_, t.DateTime | t.DateTime64) else None) or "UTC",
        "bits": _bits(type_),
        "signed": isinstance(type_, t.Date32 | t.DateTime64) or (isinstance(type_, t.Int) and type_.signed),
    }
    return FillColumn(type_, (first, end), description)


def _ticks(type_: t.Type) -> int:
    return int(10**type_.precision) if isinstance(type_, t.DateTime64) else 1


def _bits(type_: t.Type) -> int:
    if isinstance(type_, t.Int | t.Float):
        return type_.bits
    return {t.Date: 16, t.Date32: 32, t.DateTime: 32}.get(type(type_), 64)


# --- bounds and steps -------------------------------------------------------------------------------------------------


def _bound(compiler: ExpressionCompiler, node: ast.Expression | None, type_: t.Type, clause: str) -> str:
    """FROM or TO as the text of a number; a moment must be of the column's own type."""
    if node is None:
        return "NULL"
    value = compiler.compile(node)
    if not value.constant or value.value is None or not isinstance(value.type, _NUMBERS + _TIMES):
        text = f"Sort FILL {clause} expression must be constant with numeric type"
        raise invalid(f"{text}. Actual: {display_name(compiler, node)}", node)
    if isinstance(value.type, _TIMES):
        if _without_zone(value.type) != _without_zone(type_):
            raise _incompatible(type_, node)
        return number_text(value.exact(), type_)
    if isinstance(value.type, t.Float) and not isinstance(type_, t.Float | t.DateTime64):
        raise _incompatible(type_, node)
    if isinstance(type_, t.Int) and not type_.signed and value.known and value.value < 0:
        raise invalid(f"WITH FILL bound values cannot be negative for unsigned type {type_}", node)
    if isinstance(type_, t.DateTime64):
        return f"CAST(CAST({value.sql} * {_ticks(type_)} AS BIGINT) AS VARCHAR)"
    return f"CAST({value.exact()} AS VARCHAR)"


def _without_zone(type_: t.Type) -> t.Type:
    """Moments of different zones are of one type here."""
    return replace(type_, zone=None) if isinstance(type_, t.DateTime | t.DateTime64) else type_


def _step(
    compiler: ExpressionCompiler, node: ast.Expression, type_: t.Type, item: ast.OrderItem, clause: str
) -> list[object]:
    """`[count, unit]` of STEP or STALENESS; without unit in days of a date and ticks of a moment."""
    unit = None
    if isinstance(node, ast.Function) and node.name.startswith("toInterval"):
        unit, node = node.name.removeprefix("toInterval"), node.arguments[0]
    count = _step_count(compiler, node, type_, clause, scaled=unit is None)
    if (count < 0) != item.descending and count:
        sign, direction = ("positive", "descending") if item.descending else ("negative", "ascending")
        raise invalid(f"WITH FILL {clause} value cannot be {sign} for sorting in {direction} direction", node)
    if unit is not None:
        _check_unit(unit, count, type_, clause, node)
    return [count, unit]


def _step_count(
    compiler: ExpressionCompiler, node: ast.Expression, type_: t.Type, clause: str, *, scaled: bool
) -> int | float:
    value = compiler.compile(node)
    found = value.value if value.known else _moment_count(compiler, node, type_)
    if isinstance(found, bool) or not isinstance(found, int | float):
        text = f"Sort FILL {clause} expression must be constant with numeric or interval type"
        raise invalid(f"{text}. Actual: {display_name(compiler, node)}", node)
    if isinstance(type_, t.DateTime64) and scaled:
        return round(found * _ticks(type_))
    if isinstance(found, float) and not isinstance(type_, t.Float):
        raise _incompatible(type_, node)
    return found


def _moment_count(compiler: ExpressionCompiler, node: ast.Expression, type_: t.Type) -> object:
    """`toDateTime64(1000, 3)` as a step is 1000 seconds."""
    if isinstance(type_, t.DateTime64) and isinstance(node, ast.Function) and node.name == "toDateTime64":
        return compiler.compile(node.arguments[0]).value
    return None


def _check_unit(unit: str, count: int | float, type_: t.Type, clause: str, node: ast.Expression) -> None:
    if not isinstance(type_, _TIMES):
        text = f"{clause} of Interval type can be used only with Date/DateTime types, but got {type_}"
        raise invalid(text, node)
    if isinstance(type_, _OF_DAYS) and (unit in _SUBSECONDS or abs(count) * _SECONDS.get(unit, 86400) < 86400):
        seconds = 0 if unit in _SUBSECONDS else int(abs(count) * _SECONDS[unit])
        raise invalid(f"Value of step is too low ({seconds} seconds). Must be >= 1 day", node)
    if isinstance(type_, _OF_DAYS) and unit in ("Second", "Minute", "Hour"):
        raise failures.unsupported("WITH FILL of dates by hours", node)
    if unit in _SUBSECONDS and not isinstance(type_, t.DateTime64):
        raise failures.unsupported(f"WITH FILL of {type_} by parts of a second", node)


def invalid(text: str, node: ast.Node | None) -> failures.QueryError:
    return failures.failure(text, 475, "INVALID_WITH_FILL_EXPRESSION", node)


def _incompatible(type_: t.Type, node: ast.Node) -> failures.QueryError:
    return invalid(f"Incompatible types of WITH FILL expression values with column type {type_}", node)


# --- values as texts of numbers ---------------------------------------------------------------------------------------


def number_text(sql: str, type_: t.Type) -> str:
    """A value as the text of the number that filling counts in."""
    match type_:
        case t.Float():
            return f"CAST(CAST({sql} AS DOUBLE) AS VARCHAR)"
        case t.Date() | t.Date32():
            return f"CAST({sql} - DATE '1970-01-01' AS VARCHAR)"
        case t.DateTime():
            return f"CAST(epoch_us({sql}) // 1000000 AS VARCHAR)"
        case t.DateTime64(precision):
            ticks = f"epoch_us({sql}) // {10 ** (6 - precision)}" if precision <= 6 else _nanoseconds(sql, precision)
            return f"CAST({ticks} AS VARCHAR)"
    return f"CAST({sql} AS VARCHAR)"


def _nanoseconds(sql: str, precision: int) -> str:
    return f"epoch_ns({sql}) // {10 ** (9 - precision)}"


def from_text(sql: str, type_: t.Type) -> str:
    """The value of a number's text, as it is stored."""
    match type_:
        case t.Date() | t.Date32():
            return f"(DATE '1970-01-01' + CAST({sql} AS INTEGER))"
        case t.DateTime():
            return f"make_timestamp(CAST({sql} AS BIGINT) * 1000000)"
        case t.DateTime64(precision) if precision <= 6:
            return f"make_timestamp(CAST({sql} AS BIGINT) * {10 ** (6 - precision)})"
        case t.DateTime64(precision):
            return f"make_timestamp_ns(CAST({sql} AS BIGINT) * {10 ** (9 - precision)})"
    return f"CAST({sql} AS {duckdb_type(type_)})"
