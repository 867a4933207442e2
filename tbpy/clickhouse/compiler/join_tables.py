"""Tables of ENGINE Join: what they hold, and which joins they are for.

Their keys are looked up, so NULL is none, and with a strictness that wants one row per key only the first is kept.
"""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.catalog import JoinStorage, Table
from tbpy.clickhouse.compiler.scope import Scope
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.errors import QueryError


def rows_of_join(table: Table, join: JoinStorage) -> str:
    """DuckDB SQL of the rows that a table of ENGINE Join shows."""
    keys = [duckdb_name(column.physical or column.name) for column in table.columns if column.name in join.keys]
    there = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    rows = f"SELECT * FROM {table.physical} WHERE {there}"
    if join.keeps_first:
        rows += f" QUALIFY row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY rowid) = 1"
    return f"({rows})"


def check_join(scope: Scope, node: ast.Join) -> None:
    """Raises when the right side is a table of ENGINE Join that was made for other joins, as ClickHouse does."""
    table = _joined_table(scope, node)
    join = table.engine.join if table is not None else None
    if table is None or join is None:
        return
    if (node.strictness or "all", node.kind) != (join.strictness, join.kind):
        raise _incompatible(
            f"Table '{table.name}' has incompatible type of JOIN",
            node,
            f"its engine is made for {join.strictness.upper()} {join.kind.upper()} JOIN",
        )
    named = {name.parts[-1] for name in _identifiers(node.on, *node.using)}
    for key in join.keys:
        if key not in named:
            text = f"Key '{key}' not found in JOIN ON section. Join engine key '{key}' have to be used"
            raise _incompatible(text, node)


def _joined_table(scope: Scope, node: ast.Join) -> Table | None:
    right = node.right
    if not isinstance(right, ast.TableName) or (node.on is None and not node.using):
        return None
    if right.database is None and scope.common_table(right.name) is not None:
        return None
    found = scope.catalog.resolve(right.name, right.database)
    return found if isinstance(found, Table) else None


def _identifiers(*expressions: ast.Expression | None) -> list[ast.Identifier]:
    found: list[ast.Identifier] = []
    for expression in expressions:
        match expression:
            case ast.Identifier():
                found.append(expression)
            case ast.Function():
                found += _identifiers(*expression.arguments)
    return found


def _incompatible(text: str, node: ast.Node, hint: str | None = None) -> QueryError:
    return QueryError(text, code=264, name="INCOMPATIBLE_TYPE_OF_JOIN", place=failures.place(node), hint=hint)
