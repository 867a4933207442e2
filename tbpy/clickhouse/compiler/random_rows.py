"""generateRandom('structure'): endless rows of random values, for filling tables."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, SourceCompiler, table_function
from tbpy.clickhouse.compiler.table_functions import structure_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names

_LETTERS = duckdb_string("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.")


@table_function("generateRandom")
def generate_random(compiler: SourceCompiler, node: ast.TableFunction, alias: str) -> Source:
    """`generateRandom('a UInt8, b String' [, seed [, longest text [, longest array]]])`: rows without end."""
    structure = structure_of(node.arguments[0]) if node.arguments else None
    if structure is None or structure.names is None:
        raise failures.bad_arguments("Table function generateRandom needs a structure", node)
    sizes = [_size(argument) for argument in node.arguments[2:4]] + [10, 10]
    text, array = sizes[:2] if len(node.arguments) >= 4 else (sizes[0], 10)
    values = [f"{_random(type_, text, array, node)} AS c{position}" for position, type_ in enumerate(structure.items)]
    rows = f"(SELECT {', '.join(values)} FROM range(9223372036854775807))"
    columns = (
        Column(name, Typed(f"{alias}.c{position}", type_))
        for position, (name, type_) in enumerate(zip(structure.names, structure.items, strict=True))
    )
    return Source(f"{rows} AS {alias}", (Relation((node.alias or node.name,), tuple(columns)),))


def _size(node: ast.Expression) -> int:
    if isinstance(node, ast.Literal) and isinstance(node.value, int):
        return max(node.value, 0)
    raise failures.bad_arguments("Sizes of generateRandom must be whole numbers", node)


def _random(type_: t.Type, text: int, array: int, node: ast.Node) -> str:
    """DuckDB SQL of a random value of a type; texts and arrays are at most so long."""
    simple = _SIMPLE.get(type(type_))
    if simple is not None:
        return simple(type_)
    match type_:
        case t.String():
            return _text(f"CAST(floor(random() * {text + 1}) AS BIGINT)")
        case t.FixedString(length):
            return _text(str(length))
        case t.Nullable(item):
            return f"CASE WHEN random() < 0.1 THEN NULL ELSE {_random(item, text, array, node)} END"
        case t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return _random(item, text, array, node)
        case t.Array(item):
            count = f"CAST(floor(random() * {array + 1}) AS BIGINT)"
            return f"list_transform(range({count}), lambda i: {_random(item, text, array, node)})"
        case t.Tuple():
            pairs = zip(field_names(type_), type_.items, strict=True)
            fields = (f"{duckdb_string(name)}: {_random(item, text, array, node)}" for name, item in pairs)
            return "{" + ", ".join(fields) + "}"
    raise failures.unsupported(f"generateRandom of {type_}", node)


def _text(length: str) -> str:
    letter = f"substr({_LETTERS}, 1 + CAST(floor(random() * 66) AS BIGINT), 1)"
    return f"array_to_string(list_transform(range({length}), lambda i: {letter}), '')"


def _integer(type_: t.Type) -> str:
    assert isinstance(type_, t.Int)
    if type_.bits > 64:
        return f"CAST(hash(random()) AS {duckdb_type(type_)})"
    drawn = "hash(random())" if type_.bits == 64 else f"(hash(random()) % {1 << type_.bits})"
    return f"CAST(CAST({drawn} AS HUGEINT) + {type_.minimum} AS {duckdb_type(type_)})"


def _decimal(type_: t.Type) -> str:
    assert isinstance(type_, t.Decimal)
    size = 10 ** min(type_.precision - type_.scale, 15)
    return f"CAST((random() * 2 - 1) * {size - 1} AS {duckdb_type(type_)})"


def _moment(type_: t.Type) -> str:
    return "make_timestamp(CAST(floor(random() * 4294967295) AS BIGINT) * 1000000)"


def _enum(type_: t.Type) -> str:
    assert isinstance(type_, t.Enum)
    names = ", ".join(duckdb_string(name) for name, _ in type_.members)
    return f"([{names}])[1 + CAST(floor(random() * {len(type_.members)}) AS BIGINT)]"


_SIMPLE: dict[type[t.Type], Callable[[t.Type], str]] = {
    t.Int: _integer,
    t.Float: lambda type_: f"CAST((random() - 0.5) * 1e9 AS {duckdb_type(type_)})",
    t.Decimal: _decimal,
    t.Bool: lambda type_: "(random() < 0.5)",
    t.UUID: lambda type_: "uuid()",
    t.Date: lambda type_: "(DATE '1970-01-01' + CAST(floor(random() * 65535) AS INTEGER))",
    t.Date32: lambda type_: "(DATE '1900-01-01' + CAST(floor(random() * 146000) AS INTEGER))",
    t.DateTime: _moment,
    t.DateTime64: _moment,
    t.Enum: _enum,
    t.IPv4: lambda type_: "CAST(hash(random()) % 4294967296 AS UINTEGER)",
}
