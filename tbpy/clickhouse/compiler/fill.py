"""ORDER BY ... WITH FILL: rows for the values that are missing in an ordered column.

The rows of the query and the missing ones are united and ordered again. Missing rows hold type defaults, or with
INTERPOLATE what the last real row before them held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.cuts import cut_rows
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import default_sql, duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import Clauses, SelectCompiler


@dataclass(frozen=True, slots=True)
class Fill:
    """The filled column: its place among the outputs, and its bounds and step as SQL; the step is positive."""

    position: int
    type: t.Type
    first: str | None
    end: str | None
    step: str
    descending: bool


def filled_sql(select: SelectCompiler, clauses: Clauses) -> str:
    items = select.order_values
    filled = [index for index, (_, item) in enumerate(items) if item.fill is not None]
    if filled != [len(items) - 1]:
        raise failures.unsupported("WITH FILL on anything but the last column of ORDER BY", select.select)
    limit, offset, cut = clauses.limit, clauses.offset, select.cut
    clauses.limit = clauses.offset = ""
    clauses.order_by = []
    fill = _fill(select, *items[-1])
    prefix = [_place(select, value, item) for value, item in items[:-1]]
    base = select.sql(clauses)
    rows = _united(select, base, fill, prefix)
    order = [
        f"c{position}" + (" DESC" if item.descending else "")
        for position, (_, item) in zip(prefix, items, strict=False)
    ]
    order.append(f"c{fill.position}" + (" DESC" if fill.descending else ""))
    columns = ", ".join(_column(select, position, fill, prefix, order) for position in range(len(select.outputs)))
    if select.select.interpolate is not None:
        rows = f"SELECT *, count(*) FILTER (WHERE real) OVER (ORDER BY {', '.join(order)}) AS run FROM ({rows})"
    keys = ", ".join(f"f.{key}" for key in order)
    rank = f", rank() OVER (ORDER BY {keys}) AS k" if cut.ties else ""
    sql = f"SELECT {columns}{rank} FROM ({rows}) AS f ORDER BY {keys}"
    if not cut.plain:
        return cut_rows(sql, len(select.outputs), cut)
    sql += f" LIMIT {limit}" if limit else ""
    return sql + (f" OFFSET {offset}" if offset else "")


def _place(select: SelectCompiler, value: Typed, item: ast.OrderItem) -> int:
    for position, output in enumerate(select.outputs):
        if output.value.sql == value.sql:
            return position
    raise failures.unsupported("WITH FILL ordered by something that is not selected", item)


def _fill(select: SelectCompiler, value: Typed, item: ast.OrderItem) -> Fill:
    assert item.fill is not None
    if item.fill.staleness is not None:
        raise failures.unsupported("WITH FILL STALENESS", item)
    type_ = t.plain(value.type)
    if not isinstance(type_, t.Int | t.Float | t.Date | t.Date32 | t.DateTime | t.DateTime64 | t.Decimal):
        raise failures.QueryError(
            f"WITH FILL expression must be filled with a number or a date, not {value.type}",
            code=475,
            name="INVALID_WITH_FILL_EXPRESSION",
            place=failures.place(item),
        )
    return Fill(
        position=_place(select, value, item),
        type=type_,
        first=_bound(select, item.fill.from_, type_),
        end=_bound(select, item.fill.to, type_),
        step=_step(select, item, type_),
        descending=item.descending,
    )


def _bound(select: SelectCompiler, node: ast.Expression | None, type_: t.Type) -> str | None:
    if node is None:
        return None
    value = select.expressions.compile(node)
    if t.is_temporal(type_) and t.is_integer(value.type):
        raise failures.unsupported("WITH FILL bounds of a date given as a number", node)
    return f"CAST({value.sql} AS {duckdb_type(type_)})"


def _step(select: SelectCompiler, item: ast.OrderItem, type_: t.Type) -> str:
    """The distance between filled values, as a number or an INTERVAL, without its sign."""
    node = item.fill.step if item.fill is not None else None
    if node is None:
        return _unit_step(type_, 1)
    if isinstance(node, ast.Function) and node.name.startswith("toInterval"):
        count = select.expressions.compile(node.arguments[0])
        if not isinstance(count.value, int):
            raise failures.unsupported("WITH FILL STEP that is not constant", node)
        return _interval(abs(count.value), node.name.removeprefix("toInterval"))
    value = select.expressions.compile(node)
    if not isinstance(value.value, int | float) or value.value == 0:
        raise failures.bad_arguments("STEP of WITH FILL must be a constant that is not zero", node)
    if (value.value < 0) != item.descending:
        raise failures.bad_arguments("STEP of WITH FILL must go in the direction of the order", node)
    return _unit_step(type_, abs(value.value))


def _unit_step(type_: t.Type, count: float) -> str:
    if isinstance(type_, t.Date | t.Date32):
        return _interval(int(count), "Day")
    if isinstance(type_, t.DateTime | t.DateTime64):
        return _interval(int(count), "Second")
    return str(count)


def _interval(count: int, unit: str) -> str:
    if unit == "Quarter":
        count, unit = count * 3, "Month"
    return f"INTERVAL '{count} {unit.lower()}'"


def _united(select: SelectCompiler, base: str, fill: Fill, prefix: list[int]) -> str:
    """The query's rows and the missing ones; `real` tells them apart."""
    key = f"c{fill.position}"
    groups = ", ".join(f"c{position}" for position in prefix)
    low, high = ("max", "min") if fill.descending else ("min", "max")
    sign = "-" if fill.descending else "+"
    start = fill.first or f"{low}({key})"
    last = fill.end or f"{high}({key})"
    bounds = f"SELECT {groups + ', ' if groups else ''}{start} AS a, {last} AS z"
    if groups or fill.first is None or fill.end is None:
        bounds += " FROM b" + (f" GROUP BY {groups}" if groups else "")
    inside = _within(fill, "a", "z")
    steps = _steps(fill, sign)
    matching = " AND ".join([f"b.{key} = g.v", *(f"b.c{p} IS NOT DISTINCT FROM g.c{p}" for p in prefix)])
    columns = ", ".join(_missing(select, position, fill, prefix) for position in range(len(select.outputs)))
    generated = f"SELECT {groups + ', ' if groups else ''}{steps} AS v FROM ({bounds}) WHERE {inside}"
    missing = (
        f"SELECT {columns}, false AS real FROM ({generated}) AS g "
        f"WHERE g.v IS NOT NULL AND NOT EXISTS (SELECT 1 FROM b WHERE {matching})"
    )
    return f"WITH b AS ({base}) SELECT *, true AS real FROM b UNION ALL {missing}"


def _within(fill: Fill, low: str, high: str) -> str:
    return f"{low} >= {high}" if fill.descending else f"{low} <= {high}"


def _steps(fill: Fill, sign: str) -> str:
    """All values from a to z: z itself belongs to them unless it was given with TO."""
    strict = fill.end is not None
    kind = duckdb_type(fill.type)
    if t.is_temporal(fill.type):
        function = "range" if strict else "generate_series"
        step = fill.step if sign == "+" else f"(-{fill.step})"
        return f"unnest(CAST({function}(CAST(a AS TIMESTAMP), CAST(z AS TIMESTAMP), {step}) AS {kind}[]))"
    count = f"CAST(floor(abs(CAST(z AS DOUBLE) - CAST(a AS DOUBLE)) / {fill.step}) AS BIGINT)"
    if strict:
        count = f"CAST(ceil(abs(CAST(z AS DOUBLE) - CAST(a AS DOUBLE)) / {fill.step}) AS BIGINT) - 1"
    wide = "DOUBLE" if isinstance(fill.type, t.Float) else "HUGEINT"
    value = f"CAST(a AS {wide}) {sign} i * {fill.step}"
    return f"unnest(list_transform(range({count} + 1), lambda i: CAST({value} AS {kind})))"


def _missing(select: SelectCompiler, position: int, fill: Fill, prefix: list[int]) -> str:
    if position == fill.position:
        return f"g.v AS c{position}"
    if position in prefix:
        return f"g.c{position} AS c{position}"
    return f"{default_sql(select.outputs[position].value.type)} AS c{position}"


def _column(select: SelectCompiler, position: int, fill: Fill, prefix: list[int], order: list[str]) -> str:
    """A column of the result; with INTERPOLATE a filled row goes on from the last real one."""
    plain = f"f.c{position}"
    interpolate = select.select.interpolate
    if interpolate is None or position == fill.position or position in prefix:
        return plain
    name = select.outputs[position].name
    wanted = [item for item in interpolate if item.name == name]
    if interpolate and not wanted:
        return plain
    output = select.outputs[position].value
    run = f"OVER (PARTITION BY f.run ORDER BY {', '.join('f.' + key for key in order)})"
    last = f"(CASE WHEN f.run > 0 THEN first_value({plain}) {run} ELSE {default_sql(output.type)} END)"
    steps = f"(row_number() {run} - CASE WHEN f.run > 0 THEN 1 ELSE 0 END)"
    value = _interpolated(select, wanted[0] if wanted else None, name, last, steps)
    return f"CASE WHEN f.real THEN {plain} ELSE CAST({value} AS {duckdb_type(output.type)}) END AS c{position}"


def _interpolated(select: SelectCompiler, item: ast.Interpolate | None, name: str, last: str, steps: str) -> str:
    """What a filled row holds: the last value, a constant, or the last value moved on by a constant for each row."""
    expression = item.expression if item is not None else None
    if expression is None or expression == ast.Identifier((name,)):
        return last
    if isinstance(expression, ast.Literal):
        return select.expressions.compile(expression).sql
    if isinstance(expression, ast.Function) and expression.name in ("plus", "minus"):
        one, other = expression.arguments
        if one == ast.Identifier((name,)) and isinstance(other, ast.Literal) and isinstance(other.value, int | float):
            return f"{last} {'+' if expression.name == 'plus' else '-'} {steps} * {other.text}"
    raise failures.unsupported("INTERPOLATE with this expression", item)
