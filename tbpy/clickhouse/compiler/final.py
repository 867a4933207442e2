"""FINAL: the rows of a table as they are after all merges of its engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.catalog import StaticCatalog, Table
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.parser import parse_expression
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import Source, SourceCompiler


def final_source(compiler: SourceCompiler, table: Table, relation: Relation, alias: str) -> Source:
    """The table with FINAL, under the same alias and with the same columns."""
    from tbpy.clickhouse.compiler.sources import Source

    engine = table.engine.name.removeprefix("Replicated").removeprefix("Shared")
    keys = _keys(compiler, table, relation)
    match engine:
        case "ReplacingMergeTree":
            sql = _replacing(table, alias, keys)
        case "CollapsingMergeTree" | "VersionedCollapsingMergeTree":
            sql = _collapsing(table, alias, keys)
        case "SummingMergeTree" | "AggregatingMergeTree" | "CoalescingMergeTree":
            return _grouped(compiler, table, relation, engine)
        case _:
            text = f"Storage {table.engine.name} doesn't support FINAL"
            raise failures.QueryError(text, code=181, name="ILLEGAL_FINAL")
    return Source(f"({sql}) AS {alias}", (relation,))


def _keys(compiler: SourceCompiler, table: Table, relation: Relation) -> list[str]:
    expressions = compiler.expressions((relation,))
    return [expressions.compile(parse_expression(key)).sql for key in table.engine.sorting_key]


def _partition(keys: list[str]) -> str:
    return f"PARTITION BY {', '.join(keys)} " if keys else ""


def _replacing(table: Table, alias: str, keys: list[str]) -> str:
    """The last row of each key: of the highest version, and of those the last inserted."""
    engine = table.engine
    version = [f"{alias}.{duckdb_name(engine.version)} DESC"] if engine.version else []
    order = ", ".join([*version, f"{alias}.rowid DESC"])
    last = f"row_number() OVER ({_partition(keys)}ORDER BY {order}) = 1"
    rows = f"SELECT {alias}.* FROM {table.physical} AS {alias} QUALIFY {last}"
    if engine.is_deleted is None:
        return rows
    return f"SELECT * FROM ({rows}) WHERE {duckdb_name(engine.is_deleted)} = 0"


def _collapsing(table: Table, alias: str, keys: list[str]) -> str:
    """Of each key what is left when +1 and -1 rows cancel out: the last +1 row, or the first -1 row."""
    engine = table.engine
    if engine.sign is None:
        raise failures.bad_arguments(f"{engine.name} of {table.name} has no sign column", None)
    if engine.version is not None:
        keys = [*keys, f"{alias}.{duckdb_name(engine.version)}"]
    sign = f"{alias}.{duckdb_name(engine.sign)}"
    partition = _partition(keys)
    balance = f"sum({sign}) OVER ({partition[:-1]})"
    last = f"row_number() OVER ({_partition([*keys, sign])}ORDER BY {alias}.rowid DESC) = 1"
    first = f"row_number() OVER ({_partition([*keys, sign])}ORDER BY {alias}.rowid) = 1"
    kept = f"({balance} > 0 AND {sign} > 0 AND {last}) OR ({balance} < 0 AND {sign} < 0 AND {first})"
    return f"SELECT {alias}.* FROM {table.physical} AS {alias} QUALIFY {kept}"


def _grouped(compiler: SourceCompiler, table: Table, relation: Relation, engine: str) -> Source:
    """One row per key, the other columns merged by their rule, compiled as the ClickHouse query that says the same."""
    from tbpy.clickhouse.compiler.scope import Scope
    from tbpy.clickhouse.compiler.select import SelectCompiler
    from tbpy.clickhouse.compiler.sources import Source

    merged = tuple(_merged(table, column, engine) for column in relation.columns)
    keys = tuple(parse_expression(key) for key in table.engine.sorting_key)
    query = ast.Select(merged, from_=ast.TableName(table.name), group_by=ast.GroupBy(keys) if keys else None)
    scope = Scope(_catalog_of(table))
    block = SelectCompiler(compiler.context, scope, query).compile()
    alias = compiler.context.alias("t")
    typed = _restored(block, relation)
    summed = _summed(table, relation)
    if engine == "SummingMergeTree" and summed:
        zero = " AND ".join(f"c{position} = 0" for position in summed)
        typed = f"SELECT * FROM ({typed}) WHERE NOT ({zero})"
    outputs = tuple(
        replace(o, value=replace(o.value, type=c.value.type))
        for o, c in zip(block.outputs, relation.columns, strict=True)
    )
    titles = tuple(column.name for column in relation.columns)
    return Source(f"({typed}) AS {alias}", (Block(typed, outputs).relation(alias, relation.names, titles),))


def _catalog_of(table: Table) -> StaticCatalog:
    return StaticCatalog({table.name: table})


def _restored(block: Block, relation: Relation) -> str:
    """The merged columns in the table's own types: a sum comes back as narrow as it was."""
    columns = ", ".join(
        f"CAST(c{position} AS {duckdb_type(column.value.type)}) AS c{position}"
        for position, column in enumerate(relation.columns)
    )
    return f"SELECT {columns} FROM ({block.sql})"


def _is_key(table: Table, name: str) -> bool:
    return any(name == key.strip("`") for key in table.engine.sorting_key)


def _summed(table: Table, relation: Relation) -> list[int]:
    return [p for p, column in enumerate(relation.columns) if _adds_up(table, column)]


def _adds_up(table: Table, column: Column) -> bool:
    if _is_key(table, column.name) or not isinstance(t.plain(column.value.type), t.Int | t.Float | t.Decimal):
        return False
    return not table.engine.summed or column.name in table.engine.summed


def _merged(table: Table, column: Column, engine: str) -> ast.Expression:
    """How one column of a merged row is computed."""
    identifier = ast.Identifier((column.name,))
    type_ = column.value.type
    if _is_key(table, column.name):
        return identifier
    if isinstance(type_, t.SimpleAggregateFunction):
        return ast.Function(type_.function, (identifier,))
    if isinstance(type_, t.AggregateFunction):
        parameters = tuple(parse_expression(text) for text in type_.parameters) or None
        return ast.Function(f"{type_.function}MergeState", (identifier,), parameters)
    if engine == "SummingMergeTree" and _adds_up(table, column):
        return ast.Function("sum", (identifier,))
    return ast.Function("anyLast" if engine == "CoalescingMergeTree" else "any", (identifier,))
