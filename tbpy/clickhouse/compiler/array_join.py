"""ARRAY JOIN, and the function arrayJoin: one row per element, as a lateral unnest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.matchers import expand_columns
from tbpy.clickhouse.compiler.places import placed_elements, unnested
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arrays import same_sizes
from tbpy.clickhouse.names import column_name
from tbpy.clickhouse.storage import default_sql, duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import Source, SourceCompiler

ENTRY_NAMES = ("keys", "values")


def array_join(compiler: SourceCompiler, node: ast.ArrayJoin) -> Source:
    """`source [LEFT] ARRAY JOIN a, b AS c`: an array without alias is replaced by its element under the same name.

    The names of aliased elements go before those of columns.
    """
    from tbpy.clickhouse.compiler.sources import Source

    source = compiler.compile(node.source)
    expressions = compiler.expressions(source.relations, source.joins)
    expressions.scope.aliases = _usable_aliases(compiler.scope.aliases, node)
    items = [item for array in node.arrays for item in _items(expressions, array)]
    alias = compiler.context.alias("t")
    arrays = [_as_array(value, array) for _, value, array in items]
    unaligned = len(arrays) > 1 and compiler.context.enabled("enable_unaligned_array_join")
    lists = [array.sql for array in arrays]
    if not unaligned:
        lists[0] = same_sizes(lists, lists[0], "ARRAY JOIN")
    if node.left:
        lists = [_or_one_default(sql, array.type) for sql, array in zip(lists, arrays, strict=True)]
    elements = {}
    for position, (name, _, array) in enumerate(items):
        in_place = isinstance(array, ast.Identifier) and name not in expressions.scope.aliases
        value = _element(f"{alias}.c{position}", arrays[position].type, padded=unaligned)
        elements[name] = Column(name, value, in_place=in_place)
    compiler.scope.elements.update(name for name, _, array in items if isinstance(array, ast.Identifier))
    relations = tuple(_replace(relation, elements) for relation in source.relations)
    added = tuple(column for column in elements.values() if not column.in_place)
    relations = (Relation((), (), hidden=added, elements=True), *relations) if added else relations
    sql = f"{source.sql} CROSS JOIN LATERAL (SELECT {unnested(lists)}) AS {alias}"
    return Source(sql, relations, source.joins, placed=placed_elements(source, lists, alias))


def _usable_aliases(aliases: dict[str, ast.Expression], node: ast.ArrayJoin) -> dict[str, ast.Expression]:
    """The aliases of the SELECT that arrays may name: those that are not made of this join's own elements."""
    own = {array.name for array in node.arrays if isinstance(array, ast.Alias)}
    return {
        name: expression
        for name, expression in aliases.items()
        if not any(isinstance(part, ast.Identifier) and part.parts[0] in own for part in walk(expression))
    }


def _element(sql: str, type_: t.Type, *, padded: bool) -> Typed:
    item = _item(type_)
    if padded and not t.is_nullable(item):  # shorter arrays go on with defaults
        sql = f"coalesce({sql}, {default_sql(item)})"
    return Typed(sql, item)


def _items(compiler: ExpressionCompiler, array: ast.Expression) -> list[tuple[str, Typed, ast.Expression]]:
    """The arrays that one item means, with the names of their elements; a Nested column means all its arrays."""
    if isinstance(array, ast.ColumnsMatcher | ast.Asterisk):
        found = list(expand_columns(compiler, array))
        return [(output.name, output.value, ast.Identifier((output.name,))) for output in found]
    if isinstance(array, ast.Alias) and isinstance(array.expression, ast.Identifier):
        nested = _nested(compiler, array.expression, array.name)
        if nested and compiler.lookup(array.expression) is None:
            return nested
    if isinstance(array, ast.Alias):
        return [(array.name, compiler.compile(array.expression), array)]
    if isinstance(array, ast.Identifier):
        value = compiler.lookup(array)
        if value is not None:
            column = compiler.find_column(array)
            name = column[0].name if column is not None and not column[1] else array.parts[-1]
            return [(name, value, array)]
        nested = _nested(compiler, array, None)
        if nested:
            return nested
    return [(column_name(array), compiler.compile(array), array)]


def _nested(
    compiler: ExpressionCompiler, group: ast.Identifier, alias: str | None
) -> list[tuple[str, Typed, ast.Expression]]:
    """The columns `group.a`, `group.b` of a Nested; under an alias their elements are `alias.a`, `alias.b`."""
    head = group.name + "."
    found = [c for relation in compiler.scope.relations for c in relation.columns if c.name.startswith(head)]
    if alias is None:
        return [(column.name, column.value, ast.Identifier(tuple(column.name.split(".")))) for column in found]
    return [(f"{alias}.{c.name.removeprefix(head)}", c.value, ast.Alias(group, alias)) for c in found]


def _as_array(value: Typed, node: ast.Expression) -> Typed:
    """The value as a list; a map is the list of its entries."""
    type_ = t.plain(value.type)
    if isinstance(type_, t.Array):
        return replace(value, type=type_)
    if isinstance(type_, t.Map):
        entry = t.Tuple((type_.key, type_.value), ENTRY_NAMES)
        sql = f"list_transform(map_entries({value.sql}), lambda e: {{'keys': e.key, 'values': e.value}})"
        return replace(value, sql=sql, type=t.Array(entry))
    text = f"ARRAY JOIN requires array argument, got {value.type}"
    raise failures.QueryError(text, code=53, name="TYPE_MISMATCH", place=failures.place(node))


def _item(type_: t.Type) -> t.Type:
    assert isinstance(type_, t.Array)
    return type_.item


def _or_one_default(sql: str, type_: t.Type) -> str:
    single = f"CAST([{default_sql(_item(type_))}] AS {duckdb_type(type_)})"
    return f"CASE WHEN len({sql}) = 0 THEN {single} ELSE {sql} END"


def _replace(relation: Relation, elements: dict[str, Column]) -> Relation:
    def replaced(column: Column) -> Column:
        element = elements.get(column.name)
        return element if element is not None and element.in_place else column

    return replace(relation, columns=tuple(map(replaced, relation.columns)))


@special("arrayJoin")
def array_join_function(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    """`arrayJoin(a)` in any clause multiplies rows before the SELECT is evaluated; equal calls are one join."""
    if len(node.arguments) != 1:
        raise failures.wrong_count("arrayJoin", len(node.arguments), "1", node)
    value = compiler.compile(node.arguments[0])
    if not isinstance(t.plain(value.type), t.Array | t.Map):
        text = "Argument for function arrayJoin must be Array or Map"
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", node)
    array = _as_array(value, node)
    item = _item(array.type)
    if array.aggregate or array.window:
        compiler.scope.unnested.add(array.sql)
        if len(compiler.scope.unnested) > 1:
            raise failures.unsupported("arrayJoin of several arrays of aggregates", node)
        return Typed(f"unnest({array.sql})", item, aggregate=array.aggregate, window=array.window)
    return compiler.scope.lateral(array.sql, item, compiler.context)
