"""ORDER BY ... WITH FILL: rows for the values that are missing in ordered columns.

`tb_fill_rows` says which rows are missing, and where; what it gives is joined with the rows of the query. Missing rows
hold type defaults, the prefix of their neighbours in the columns ordered before, or what INTERPOLATE says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.cuts import cut_rows
from tbpy.clickhouse.compiler.fill_columns import FillColumn, described, fill_column, from_text, invalid, number_text
from tbpy.clickhouse.compiler.interpolation import interpolated_sql, next_value
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import Clauses, SelectCompiler


@dataclass(slots=True)
class FilledRows:
    """The columns of the rows before filling: those selected, and behind them what only order or INTERPOLATE need.

    `fills` are places of filled columns, `prefix` those of the columns ordered before the first.
    """

    values: list[Typed]
    fills: dict[int, FillColumn]
    prefix: list[int]

    def place(self, value: Typed) -> int:
        for position, known in enumerate(self.values):
            if known.sql == value.sql:
                return position
        self.values.append(value)
        return len(self.values) - 1


def filled_sql(select: SelectCompiler, clauses: Clauses) -> str:
    """The rows of a SELECT with the missing ones, in order, and its LIMIT."""
    rows = FilledRows([output.value for output in select.outputs], {}, [])
    interpolated = _interpolated(select, rows)
    prefix_order = _find_columns(select, rows)
    if any(position in rows.fills or position in rows.prefix for position in interpolated):
        name = next(select.outputs[p].name for p in interpolated if p in rows.fills or p in rows.prefix)
        text = f"Column '{name}' is participating in ORDER BY expression and can't be INTERPOLATE output"
        raise invalid(text, select.select)
    steps = {place: next_value(select, rows, place, node) for place, node in interpolated.items()}
    limit, offset, order = clauses.limit, clauses.offset, ", ".join(clauses.order_by)
    group = f"rank() OVER (ORDER BY {', '.join(prefix_order)})" if prefix_order else "0"
    own = [f"{value.exact()} AS c{place}" for place, value in enumerate(rows.values)][len(select.outputs) :]
    number = f"row_number() OVER ({'ORDER BY ' + order if order else ''})"
    base = select.sql(replace(clauses, limit="", offset="", order_by=[]), *own, f"{number} AS r", f"{group} AS g")
    sql = _joined(select, rows, base)
    if steps:
        sql = interpolated_sql(rows, steps, sql)
    columns = ", ".join(f"c{position}" for position in range(len(select.outputs)))
    ties = f", rank() OVER (ORDER BY {_tie_order(select, rows)}) AS k" if select.cut.ties else ""
    sql = f"SELECT {columns}{ties} FROM ({sql}) AS f ORDER BY i"
    if not select.cut.plain:
        return cut_rows(sql, len(select.outputs), select.cut)
    sql += f" LIMIT {limit}" if limit else ""
    return sql + (f" OFFSET {offset}" if offset else "")


def _find_columns(select: SelectCompiler, rows: FilledRows) -> list[str]:
    """Find the filled columns and those before them; the sort keys of the latter."""
    by_prefix = select.context.enabled("use_with_fill_by_sorting_prefix", True)
    order: list[str] = []
    for value, item in select.order_values:
        if item.fill is None:
            if by_prefix and not rows.fills:
                rows.prefix.append(rows.place(value))
                order.extend(select.order_keys(value, item))
            continue
        place = rows.place(value)
        if place in rows.fills:
            raise invalid("Multiple WITH FILL for identical expressions is not supported in ORDER BY", item)
        rows.fills[place] = fill_column(select.expressions, value, item)
    return order


def _interpolated(select: SelectCompiler, rows: FilledRows) -> dict[int, ast.Expression | None]:
    """The places of columns that INTERPOLATE continues, with the expression that does; None repeats the value."""
    items = select.select.interpolate
    if items is None:
        return {}
    names = [output.name for output in select.outputs]
    if not items:
        ordered = {value.sql for value, _ in select.order_values}
        return {place: None for place, value in enumerate(rows.values) if value.sql not in ordered}
    found: dict[int, ast.Expression | None] = {}
    for item in items:
        if item.name not in names:
            select.expressions.identifier(ast.Identifier((item.name,), start=item.start, end=item.end))
            continue
        same = item.expression == ast.Identifier((item.name,))
        found[names.index(item.name)] = None if same else item.expression
    return found


def _joined(select: SelectCompiler, rows: FilledRows, base: str) -> str:
    """All rows by their number `i`, and `real` where the query itself has them."""
    keys = ", ".join(number_text(f"c{place}", column.type) for place, column in rows.fills.items())
    bounds = ", ".join(bound for column in rows.fills.values() for bound in column.bounds)
    texts = f"(SELECT list([CAST(r AS VARCHAR), {keys}] ORDER BY r) FROM b), (SELECT list(g ORDER BY r) FROM b)"
    spec = duckdb_string(described(list(rows.fills.values())))
    found = f"SELECT {select.context.udf('tb_fill_rows')}({texts}, CAST([{bounds}] AS VARCHAR[]), {spec}) AS v"
    numbered = f"SELECT unnest(v) AS v, generate_subscripts(v, 1) AS i FROM ({found})"
    columns = [f"{_column(rows, place, value)} AS c{place}" for place, value in enumerate(rows.values)]
    return (
        f"WITH b AS MATERIALIZED ({base}) SELECT {', '.join(columns)}, s.r IS NOT NULL AS real, w.i AS i "
        f"FROM ({numbered}) AS w LEFT JOIN b AS s ON s.r = CAST(w.v[1] AS BIGINT) "
        f"LEFT JOIN b AS p ON p.r = CAST(w.v[2] AS BIGINT)"
    )


def _column(rows: FilledRows, place: int, value: Typed) -> str:
    own, default = f"s.c{place}", default_sql(value.type)
    place = rows.place(value)  # an expression that is selected twice is filled in both places
    if place in rows.fills:
        text = f"w.v[{list(rows.fills).index(place) + 3}]"
        missing = f"coalesce({from_text(text, rows.fills[place].type)}, {default})"
    elif place in rows.prefix:
        missing = f"CASE WHEN p.r IS NOT NULL THEN p.c{place} ELSE {default} END"
    else:
        missing = default
    return f"CASE WHEN s.r IS NOT NULL THEN {own} ELSE {missing} END"


def _tie_order(select: SelectCompiler, rows: FilledRows) -> str:
    """The order of the filled rows, over their own columns."""
    keys = [
        key
        for value, item in select.order_values
        for key in select.order_keys(Typed(f"f.c{rows.place(value)}", value.type), item)
    ]
    return ", ".join(keys)
