"""JOIN ... USING: keys that are one column of two tables."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce
from tbpy.clickhouse.compiler.scope import Column, Relation, Scope
from tbpy.clickhouse.compiler.sources import Source, filled, shared_type

Key = tuple[t.Type, str, str]  # the common type, and the key of each side in SQL


def using_keys(
    node: ast.Join, kind: str, left: Source, right: Source, nulls: bool | None
) -> tuple[str, tuple[Relation, ...]]:
    """The condition, and the relations with merged keys. `nulls` None: no row of either side is ever missing."""
    names = using_names(node)
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise failures.bad_arguments(f"JOIN ... USING identifier '{repeated}' appears more than once in USING", node)
    conditions, keys = [], {}
    for name in names:
        type_, one, other = shared_type(column_of(left, name, node), column_of(right, name, node), node)
        conditions.append(f"{one} = {other}")
        keys[name] = (type_, one, other)
    relations = left.relations + right.relations
    if nulls is not None:
        relations = outer_relations(kind, left.relations, right.relations, nulls)
    count = len(left.relations)
    relations = (*_with_element_keys(relations[:count], names), *relations[count:])
    if kind == "full" and nulls:
        keys = {name: (t.nullable(type_), one, other) for name, (type_, one, other) in keys.items()}
    merged, taken = [], set[str]()
    for relation in relations[:count]:
        merged.append(_share(relation, keys, kind, taken))
        taken |= {column.name for column in relation.columns}
    rest = [_hide(relation, keys) for relation in relations[count:]]
    return " AND ".join(conditions), (*merged, *rest)


def _with_element_keys(relations: tuple[Relation, ...], names: list[str]) -> list[Relation]:
    """Elements of an ARRAY JOIN that are keys become columns of `*`, unless another source has such a column."""
    columns = {column.name for relation in relations for column in relation.columns}
    wanted = set(names) - columns

    def shown(relation: Relation) -> Relation:
        keys = tuple(column for column in relation.hidden if column.name in wanted)
        return replace(relation, columns=keys) if relation.elements and keys else relation

    return list(map(shown, relations))


def using_names(node: ast.Join) -> list[str]:
    return [_using_name(item) for item in node.using]


def _using_name(item: ast.Expression) -> str:
    if isinstance(item, ast.Identifier):
        return item.parts[-1]
    raise failures.unsupported("USING with an expression", item)


def check_using(scope: Scope, node: ast.Join, left: Source) -> None:
    """Raise AMBIGUOUS_IDENTIFIER (207) for a key that several of the joined tables have; one that USING merged is one.

    An alias of the SELECT with that name makes it the first of them.
    """
    if any(relation.elements for relation in left.relations):
        return
    for name in using_names(node):
        shown = [column for relation in left.relations for column in relation.columns if column.name == name]
        if len(shown) > 1 and scope.alias(name) is None:
            raise failures.ambiguous_identifier(name, node)


def find_column(source: Source, key: ast.Expression, node: ast.Join) -> Column:
    """The column of a side that a name in USING means."""
    return column_of(source, _using_name(key), node)


def column_of(source: Source, name: str, node: ast.Join) -> Column:
    for relation in source.relations:
        column = relation.column(name)
        if column is not None:
            return column
    candidates = [column.name for relation in source.relations for column in relation.columns]
    raise failures.unknown_identifier(name, node, candidates)


def _share(relation: Relation, keys: dict[str, Key], kind: str, taken: set[str]) -> Relation:
    """The left table's USING keys, as the one column that both tables have; its own stays readable as `left.key`.

    Names in `taken` are those of tables before it, whose keys they are.
    """
    places = {name: place for place, name in enumerate(keys, 1) if name not in taken}

    def share(column: Column) -> Column:
        if column.name not in places:
            return column
        type_, left, right = keys[column.name]
        sql = {"right": right, "full": f"coalesce({left}, {right})"}.get(kind, left)
        return replace(column, value=replace(column.value, sql=sql, type=type_), shared=places[column.name])

    own: tuple[Column, ...] = ()
    if kind in ("right", "full"):  # ClickHouse names it `k` after a FULL JOIN, `left.k` after a RIGHT JOIN
        mine = [column for column in relation.columns if column.name in places]
        own = tuple(_of_type(column, keys[column.name][0], keys[column.name][1]) for column in mine)
        own = tuple(replace(column, shared=places[column.name] if kind == "full" else 0) for column in own)
    return replace(relation, columns=tuple(map(share, relation.columns)), hidden=relation.hidden + own)


def _of_type(column: Column, type_: t.Type, key: str) -> Column:
    """A side's own key in the type that both sides share; one that may be NULL is so where its row is missing."""
    if t.is_nullable(type_) and not t.is_nullable(column.value.type):
        return replace(column, value=replace(column.value, sql=key, type=type_, condition=None, constant=False))
    kept = t.nullable(type_) if t.is_nullable(column.value.type) else type_
    return replace(column, value=coerce(column.value, kept))


def _hide(relation: Relation, keys: dict[str, Key]) -> Relation:
    """The right table's USING keys leave `*` and stay readable as `right.key`."""
    kept = tuple(column for column in relation.columns if column.name not in keys)
    mine = (column for column in relation.columns if column.name in keys)
    hidden = tuple(_of_type(column, keys[column.name][0], keys[column.name][2]) for column in mine)
    order = relation.order or tuple(column.name for column in relation.columns)
    return replace(relation, columns=kept, hidden=relation.hidden + hidden, order=order)


def outer_relations(
    kind: str, left: tuple[Relation, ...], right: tuple[Relation, ...], nulls: bool
) -> tuple[Relation, ...]:
    if kind in ("right", "full"):
        left = tuple(filled(relation, nulls=nulls) for relation in left)
    if kind in ("left", "full"):
        right = tuple(filled(relation, nulls=nulls) for relation in right)
    return left + right
