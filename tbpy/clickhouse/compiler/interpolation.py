"""INTERPOLATE: columns of filled rows that go on from the row before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.scope import Column, Relation, Scope
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.fill import FilledRows
    from tbpy.clickhouse.compiler.select import SelectCompiler

#: By the place of a column what it holds in a filled row: SQL over the row before, `o`; None stays as it was.
Steps = dict[int, str | None]


def interpolated_sql(rows: FilledRows, steps: Steps, filled: str) -> str:
    """The filled rows with their interpolated columns."""
    if not any(steps.values()):
        return _repeated(rows, steps, filled)
    width = range(len(rows.values))
    kept = ", ".join(f"c{place}" for place in width)
    defaults = ", ".join(f"{default_sql(rows.values[place].type)} AS c{place}" for place in width)
    stepped = ", ".join(f"{_stepped(steps, place)} AS c{place}" for place in width)
    return (
        f"WITH RECURSIVE n AS MATERIALIZED ({filled}), "
        f"steps AS (SELECT {kept}, i, true AS real FROM n WHERE real UNION ALL SELECT {defaults}, 0, true "
        f"UNION ALL SELECT {stepped}, n.i, false FROM steps AS o JOIN n ON n.i = o.i + 1 AND NOT n.real) "
        f"SELECT * FROM steps WHERE i > 0"
    )


def _stepped(steps: Steps, place: int) -> str:
    if place not in steps:
        return f"n.c{place}"
    return steps[place] or f"o.c{place}"


def _repeated(rows: FilledRows, steps: Steps, filled: str) -> str:
    """Values that stay as they were in the last real row."""
    width = range(len(rows.values))
    selected = ", ".join(f"{_last(rows, place)} AS c{place}" if place in steps else f"c{place}" for place in width)
    runs = f"SELECT *, count(*) FILTER (WHERE real) OVER (ORDER BY i) AS run FROM ({filled}) AS n"
    return f"SELECT {selected}, i, real FROM ({runs}) AS n"


def _last(rows: FilledRows, place: int) -> str:
    last = f"first_value(c{place}) OVER (PARTITION BY run ORDER BY i)"
    return f"CASE WHEN run > 0 THEN {last} ELSE {default_sql(rows.values[place].type)} END"


def next_value(select: SelectCompiler, rows: FilledRows, place: int, expression: ast.Expression | None) -> str | None:
    """The step of a column; what its expression needs and the SELECT has not selected becomes one more column."""
    if expression is None:
        return None
    named = [Column(output.name, Typed(f"o.c{p}", output.value.type)) for p, output in enumerate(select.outputs)]
    known = {column.name for column in named}
    for part in walk(expression):
        if isinstance(part, ast.Identifier) and part.parts[0] not in known:
            value = select.expressions.compile(part)
            named.append(Column(part.name, Typed(f"o.c{rows.place(value)}", value.type)))
            known.add(part.parts[0])
    scope = Scope(select.scope.catalog, select.scope, relations=(Relation((), tuple(named)),))
    compiler = ExpressionCompiler(select.context, scope)
    target = constant(str(rows.values[place].type))
    return compiler.call("CAST", compiler.compile(expression), target, node=expression).exact()
