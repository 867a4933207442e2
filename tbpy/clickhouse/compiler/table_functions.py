"""Table functions: rows made from nothing. Those that reach out (url, s3, file ...) are restricted, as on Tinybird."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.conversion import coerce
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.queries import values_block
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, SourceCompiler, table_function
from tbpy.clickhouse.compiler.typed import Typed


def _source(sql: str, alias: str, node: ast.TableFunction, column: str, type_: t.Type) -> Source:
    names = (node.alias,) if node.alias else (node.name,)
    title = node.columns[0] if node.columns else column
    relation = Relation(names, (Column(title, Typed(f"{alias}.c0", type_)),))
    return Source(f"{sql} AS {alias}", (relation,), ordered=True)


def _whole(value: Typed) -> Typed:
    """`1e6` counts rows as well as 1000000."""
    if isinstance(value.value, float) and value.value.is_integer():
        return constant(int(value.value))
    return value


def _integers(compiler: SourceCompiler, node: ast.TableFunction, least: int, most: int) -> list[str]:
    if not least <= len(node.arguments) <= most:
        raise failures.wrong_count(node.name, len(node.arguments), f"from {least} to {most}", node)
    values = [_whole(compiler.expressions(()).compile(argument)) for argument in node.arguments]
    if not all(t.is_integer(value.type) for value in values):
        raise failures.wrong_type(node.name, [value.type for value in values], node)
    if any(value.known and abs(int(value.value)) >= 1 << 63 for value in values):
        raise failures.unsupported(f"Table function {node.name} beyond 64 bits with a sign", node)
    return [f"CAST({value.sql} AS BIGINT)" for value in values]


@table_function("numbers", "numbers_mt")
def numbers(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    """`numbers(count)`, `numbers(first, count)` or `numbers(first, length, step)`."""
    if not node.arguments:
        return _source(
            "(SELECT CAST(range AS UBIGINT) AS c0 FROM range(9223372036854775807))", alias, node, "number", t.UINT64
        )
    bounds = _integers(compiler, node, 1, 3)
    inside = bounds[0] if len(bounds) == 1 else ", ".join([bounds[0], f"{bounds[0]} + {bounds[1]}", *bounds[2:]])
    return _source(f"(SELECT CAST(range AS UBIGINT) AS c0 FROM range({inside}))", alias, node, "number", t.UINT64)


@table_function("zeros", "zeros_mt")
def zeros(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    [count] = _integers(compiler, node, 1, 1) if node.arguments else ["9223372036854775807"]
    return _source(f"(SELECT CAST(0 AS UTINYINT) AS c0 FROM range({count}))", alias, node, "zero", t.UINT8)


@table_function("generate_series", "generateSeries")
def generate_series(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    bounds = ", ".join(_integers(compiler, node, 2, 3))
    sql = f"(SELECT CAST(generate_series AS UBIGINT) AS c0 FROM generate_series({bounds}))"
    return _source(sql, alias, node, "generate_series", t.UINT64)


@table_function("values", "VALUES")
def values(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    """`values('a UInt8, b String', (1, 'x'), ...)`; without the structure the columns are c1, c2, ..."""
    arguments = list(node.arguments)
    structure = structure_of(arguments[0]) if arguments else None
    if structure is not None:
        arguments = arguments[1:]
    rows = [_row(compiler, argument) for argument in arguments]
    if not rows:
        raise failures.wrong_count(node.name, len(node.arguments), "at least one row", node)
    names: tuple[str, ...] = ()
    if structure is not None:
        names = structure.names or ()
        if any(len(row) != len(structure.items) for row in rows):
            raise failures.bad_arguments("Values table function requires rows of the structure's width", node)
        expressions = compiler.expressions(())
        rows = [
            [_as_type(expressions, v, type_) for v, type_ in zip(row, structure.items, strict=True)] for row in rows
        ]
    block = values_block(rows, node, names)
    relation = block.relation(alias, (node.alias or node.name,), node.columns)
    return Source(f"({block.sql}) AS {alias}", (relation,), ordered=True)


def structure_of(node: ast.Expression) -> t.Tuple | None:
    if not isinstance(node, ast.Literal) or not isinstance(node.value, str):
        return None
    try:
        type_ = t.parse_type(f"Tuple({node.value})")
    except failures.QueryError:
        return None
    return type_ if isinstance(type_, t.Tuple) and type_.names is not None else None


def _row(compiler: SourceCompiler, node: ast.Expression) -> list[Typed]:
    expressions = compiler.expressions(())
    if isinstance(node, ast.Function) and node.name == "tuple":
        return [expressions.compile(argument) for argument in node.arguments]
    return [expressions.compile(node)]


def _as_type(compiler: ExpressionCompiler, value: Typed, type_: t.Type) -> Typed:
    from tbpy.clickhouse.storage import duckdb_type

    if value.type == type_:
        return value
    if isinstance(t.plain(value.type), t.String) and not isinstance(t.plain(type_), t.String):
        return replace(compiler.call("CAST", value, constant(str(type_))), constant=True)
    if value.constant and value.value is not None and _holds_time(type_) and not t.is_temporal(t.plain(value.type)):
        return replace(compiler.call("CAST", value, constant(str(type_))), constant=True)
    converted = coerce(value, type_)
    return Typed(f"CAST({converted.sql} AS {duckdb_type(type_)})", type_, constant=True)


def _holds_time(type_: t.Type) -> bool:
    """Whether a date or time is inside, which a number may stand for."""
    match t.plain(type_):
        case t.Array(item):
            return _holds_time(item)
        case t.Map(key, value):
            return _holds_time(key) or _holds_time(value)
        case t.Tuple(items):
            return any(map(_holds_time, items))
        case inner:
            return t.is_temporal(inner)


@table_function("view")
def view(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    """`view(SELECT ...)`: the same as the subquery."""
    [argument] = node.arguments
    if not isinstance(argument, ast.Subquery):
        raise failures.bad_arguments("Table function view needs a SELECT", node)
    return compiler.subquery(ast.SubqueryTable(argument.query, node.alias))


@table_function("null")
def null(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    """`null('a UInt8')`: a table with a structure and no rows."""
    structure = structure_of(node.arguments[0]) if node.arguments else None
    if structure is None:
        raise failures.bad_arguments("Table function null needs a structure", node)
    from tbpy.clickhouse.storage import default_sql

    columns = ", ".join(f"{default_sql(item)} AS c{position}" for position, item in enumerate(structure.items))
    block = Block(f"SELECT {columns} WHERE false", ())
    names = structure.names or ()
    relation = Relation(
        (node.alias or "null",),
        tuple(
            Column(n, Typed(f"{alias}.c{p}", i)) for p, (n, i) in enumerate(zip(names, structure.items, strict=True))
        ),
    )
    return Source(f"({block.sql}) AS {alias}", (relation,))
