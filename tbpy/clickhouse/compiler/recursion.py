"""WITH RECURSIVE: a query that reads its own last rows."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.context import Context, Hoisted, Output
from tbpy.clickhouse.compiler.conversion import common_type
from tbpy.clickhouse.compiler.scope import CommonTableEntry, Scope
from tbpy.clickhouse.quoting import duckdb_name


def recursive_block(context: Context, entry: CommonTableEntry, key: tuple[int, str]) -> Hoisted:
    """Compile both parts; the column types are those that a further step no longer widens."""
    from tbpy.clickhouse.compiler.queries import combined_sql, compile_block

    query = entry.definition.query
    assert isinstance(query, ast.SetOperation)
    base = compile_block(context, entry.scope.catalog, entry.scope, query.left)
    name = duckdb_name(context.alias(f"{entry.definition.name}_"))
    scope = replace(entry.scope, common_tables={**entry.scope.common_tables, entry.definition.name: entry})
    if query.kind == "union distinct":
        text = f"Recursive CTE subquery {entry.definition.name} with UNION_DISTINCT union mode is unsupported"
        raise failures.failure(text, 1, "UNSUPPORTED_METHOD", query)
    outputs = base.outputs
    while True:
        context.views[key] = Hoisted(name, "", outputs)
        step = _step(context, name, entry, scope)
        wider = _widened(outputs, step, query)
        if wider == outputs:
            break
        outputs = wider
    sql = combined_sql(context, query, base, step, outputs)
    hoisted = Hoisted(name, sql, outputs)
    context.recursive = True
    context.hoisted.append(hoisted)
    context.views[key] = hoisted
    return hoisted


def _step(context: Context, name: str, entry: CommonTableEntry, scope: Scope) -> Block:
    """The part that reads the last rows; what it has in WITH and reads them too stays inside of it."""
    from tbpy.clickhouse.compiler.queries import compile_block

    query = entry.definition.query
    assert isinstance(query, ast.SetOperation)
    before, views = len(context.hoisted), dict(context.views)
    block = compile_block(context, entry.scope.catalog, scope, query.right)
    added = context.hoisted[before:]
    if not any(name in hoisted.sql for hoisted in added):
        return block
    del context.hoisted[before:]
    context.views = views
    tables = ", ".join(f"{hoisted.name} AS ({hoisted.sql})" for hoisted in added)
    return replace(block, sql=f"WITH {tables} {block.sql}")


def _widened(outputs: tuple[Output, ...], step: Block, node: ast.Node) -> tuple[Output, ...]:
    return tuple(
        replace(
            one,
            value=replace(
                one.value, sql="", constant=False, type=common_type([one.value.type, other.value.type], node)
            ),
        )
        for one, other in zip(outputs, step.outputs, strict=True)
    )
