"""FINAL: the rows of a table as they are after all merges of its engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.catalog import StaticCatalog, Table, TableColumn
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.scope import Column, Relation, Scope
from tbpy.clickhouse.compiler.summing import Summing
from tbpy.clickhouse.parser import parse_expression
from tbpy.clickhouse.quoting import duckdb_name, quote_identifier
from tbpy.clickhouse.storage import duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import Source, SourceCompiler
    from tbpy.clickhouse.compiler.statement import CompiledQuery

_MERGING = frozenset(
    (
        "ReplacingMergeTree",
        "CollapsingMergeTree",
        "VersionedCollapsingMergeTree",
        "SummingMergeTree",
        "AggregatingMergeTree",
        "CoalescingMergeTree",
    )
)
# Which of the merged rows a SimpleAggregateFunction takes its value from; rows are numbered as they were inserted.
_BY_ROW = {"any": "argMin", "anyLast": "argMax", "first_value": "argMin", "last_value": "argMax"}
_ROW = "tbpy_row"
_SUM = "tbpy_running_sum"
_WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


def final_source(compiler: SourceCompiler, table: Table, relation: Relation, alias: str) -> Source:
    """The table with FINAL, under the same alias and with the same columns."""
    from tbpy.clickhouse.compiler.sources import Source

    engine = merging_engine(table)
    keys = _keys(compiler, table, relation)
    match engine:
        case "ReplacingMergeTree":
            sql = _replacing(table, alias, keys)
        case "CollapsingMergeTree":
            sql = _collapsing(table, alias, keys)
        case "VersionedCollapsingMergeTree":
            sql = _collapsing_versions(table, alias, keys)
        case "SummingMergeTree" | "AggregatingMergeTree" | "CoalescingMergeTree":
            return _grouped(compiler, table, relation, engine)
        case _:
            text = f"Storage {table.engine.name} doesn't support FINAL"
            raise failures.QueryError(text, code=181, name="ILLEGAL_FINAL")
    return Source(f"({sql}) AS {alias}", (relation,))


def merging_engine(table: Table) -> str:
    """The engine's name without the words that only say where its parts are kept."""
    return table.engine.name.removeprefix("Replicated").removeprefix("Shared")


def merge_query(table: Table) -> CompiledQuery | None:
    """The rows of a table as a background merge leaves them; None for an engine whose merges keep all rows.

    Unlike with FINAL, rows of different partitions stay apart, and rows that only say what others are not (deleted
    ones, and the -1 row that waits for its +1 row) stay.
    """
    from tbpy.clickhouse.compiler.statement import compile_query

    if table.engine.join is not None and table.engine.join.keeps_first:
        return compile_query(f"SELECT * FROM {quote_identifier(table.name)}", StaticCatalog({table.name: table}))
    if merging_engine(table) not in _MERGING:
        return None
    engine = replace(table.engine, sorting_key=_distinct_keys(table), is_deleted=None, merging=True)
    catalog = StaticCatalog({table.name: replace(table, engine=engine)})
    return compile_query(f"SELECT * FROM {quote_identifier(table.name)} FINAL", catalog)


def _distinct_keys(table: Table) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*table.engine.sorting_key, *table.engine.partition_key)))


def _keys(compiler: SourceCompiler, table: Table, relation: Relation) -> list[str]:
    scope = Scope(compiler.scope.catalog, relations=(relation,))  # no alias of the query has a say in them
    expressions = ExpressionCompiler(compiler.context, scope)
    return [expressions.compile(parse_expression(key)).sql for key in table.engine.sorting_key]


def _partition(keys: list[str]) -> str:
    return f"PARTITION BY {', '.join(keys)} " if keys else ""


def _replacing(table: Table, alias: str, keys: list[str]) -> str:
    """The last row of each key: of the highest version, and of those the last inserted."""
    engine = table.engine
    version = [f"{alias}.{_physical(table, engine.version)} DESC"] if engine.version else []
    order = ", ".join([*version, f"{alias}.rowid DESC"])
    last = f"row_number() OVER ({_partition(keys)}ORDER BY {order}) = 1"
    rows = f"SELECT {alias}.* FROM {table.physical} AS {alias} QUALIFY {last}"
    if engine.is_deleted is None:
        return rows
    return f"SELECT * FROM ({rows}) WHERE {_physical(table, engine.is_deleted)} = 0"


def _collapsing(table: Table, alias: str, keys: list[str]) -> str:
    """Of each key the last +1 row, unless -1 rows outnumber the +1 rows or a -1 row made them even.

    A merge leaves the first -1 row by the same rule turned round; FINAL never shows it.
    """
    sign = _sign(table, alias)
    balance = f"sum({sign}) OVER ({_partition(keys)[:-1]})"
    newest = f"last_value({sign}) OVER ({_partition(keys)}ORDER BY {alias}.rowid {_WHOLE})"
    last = f"row_number() OVER ({_partition([*keys, sign])}ORDER BY {alias}.rowid DESC) = 1"
    kept = f"({sign} > 0 AND {last} AND ({balance} > 0 OR ({balance} = 0 AND {newest} > 0)))"
    if table.engine.merging:
        first = f"row_number() OVER ({_partition([*keys, sign])}ORDER BY {alias}.rowid) = 1"
        kept += f" OR ({sign} < 0 AND {first} AND ({balance} < 0 OR ({balance} = 0 AND {newest} > 0)))"
    return f"SELECT {alias}.* FROM {table.physical} AS {alias} QUALIFY {kept}"


def _collapsing_versions(table: Table, alias: str, keys: list[str]) -> str:
    """Of each key and version what is left when every row takes away the one of the other sign before it, if any.

    Rows pile up and are taken from the top: a row stays when the running sum never again falls to where it was before.
    """
    if table.engine.version is not None:
        keys = [*keys, f"{alias}.{_physical(table, table.engine.version)}"]
    sign, partition = _sign(table, alias), _partition(keys)
    running = (
        f"SELECT {alias}.*, {alias}.rowid AS {_ROW}, sum({sign}) OVER ({partition}ORDER BY {alias}.rowid) AS {_SUM}"
    )
    over = f"OVER ({partition}ORDER BY {alias}.{_ROW} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    up = f"{sign} > 0 AND {alias}.{_SUM} > 0 AND coalesce(min({alias}.{_SUM}) {over} >= {alias}.{_SUM}, true)"
    down = f"{sign} < 0 AND {alias}.{_SUM} < 0 AND coalesce(max({alias}.{_SUM}) {over} <= {alias}.{_SUM}, true)"
    piled = f"{running} FROM {table.physical} AS {alias}"
    return f"SELECT * EXCLUDE ({_ROW}, {_SUM}) FROM ({piled}) AS {alias} QUALIFY ({up}) OR ({down})"


def _sign(table: Table, alias: str) -> str:
    if table.engine.sign is None:
        raise failures.bad_arguments(f"{table.engine.name} of {table.name} has no sign column", None)
    return f"{alias}.{_physical(table, table.engine.sign)}"


def _physical(table: Table, name: str) -> str:
    found = next((column.physical for column in table.columns if column.name == name), None)
    return duckdb_name(found or name)


def _grouped(compiler: SourceCompiler, table: Table, relation: Relation, engine: str) -> Source:
    """One row per key, the other columns merged by their rule, compiled as the ClickHouse query that says the same."""
    from tbpy.clickhouse.compiler.select import SelectCompiler
    from tbpy.clickhouse.compiler.sources import Source

    summing = Summing(table, relation.columns) if engine == "SummingMergeTree" else None
    merged = tuple(_merged(table, column, engine, summing) for column in relation.columns)
    row = TableColumn(_ROW, t.INT64, "rowid")
    keys = tuple(parse_expression(key) for key in table.engine.sorting_key)
    query = ast.Select(merged, from_=ast.TableName(table.name), group_by=ast.GroupBy(keys) if keys else None)
    scope = Scope(StaticCatalog({table.name: replace(table, columns=(*table.columns, row))}))
    block = SelectCompiler(compiler.context, scope, query).compile()
    alias = compiler.context.alias("t")
    typed = _restored(block, relation)
    zero = summing.zero() if summing is not None else None
    if zero is not None:
        typed = f"SELECT * FROM ({typed}) WHERE NOT ({zero})"
    outputs = tuple(
        replace(o, value=replace(o.value, type=c.value.type))
        for o, c in zip(block.outputs, relation.columns, strict=True)
    )
    titles = tuple(column.name for column in relation.columns)
    return Source(f"({typed}) AS {alias}", (Block(typed, outputs).relation(alias, relation.names, titles),))


def _restored(block: Block, relation: Relation) -> str:
    """The merged columns in the table's own types: a sum comes back as narrow as it was."""
    columns = ", ".join(
        f"CAST(c{position} AS {duckdb_type(column.value.type)}) AS c{position}"
        for position, column in enumerate(relation.columns)
    )
    return f"SELECT {columns} FROM ({block.sql})"


def _is_key(table: Table, name: str) -> bool:
    return any(name == key.strip("`") for key in table.engine.sorting_key)


def _merged(table: Table, column: Column, engine: str, summing: Summing | None) -> ast.Expression:
    """How one column of a merged row is computed."""
    identifier = ast.Identifier((column.name,))
    type_ = column.value.type
    if _is_key(table, column.name):
        return identifier
    merges_state = summing is None or summing.merges_state(column)
    if merges_state and isinstance(type_, t.SimpleAggregateFunction):
        by_row = _BY_ROW.get(type_.function)
        return _chosen(by_row, identifier) if by_row else ast.Function(type_.function, (identifier,))
    if merges_state and isinstance(type_, t.AggregateFunction):
        parameters = tuple(parse_expression(text) for text in type_.parameters) or None
        return ast.Function(f"{type_.function}MergeState", (identifier,), parameters)
    summed = summing.value(column) if summing is not None else None
    if summed is not None:
        return summed
    if engine == "CoalescingMergeTree":
        return _chosen("argMax", identifier)
    if not t.is_nullable(type_):
        return _chosen("argMin", identifier)
    # In a tuple, for argMin passes over NULL and a merge does not.
    first = _chosen("argMin", ast.Function("tuple", (identifier,)))
    return ast.Function("tupleElement", (first, parse_expression("1")))


def _chosen(function: str, value: ast.Expression) -> ast.Expression:
    """The value of the row that was inserted first or last."""
    return ast.Function(function, (value, ast.Identifier((_ROW,))))
