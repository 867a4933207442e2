"""Joins with a condition: kinds, strictness, USING, and what stands where no row matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce
from tbpy.clickhouse.compiler.join_tables import check_join
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, filled, materialized, shared_type
from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import SourceCompiler

_KEYWORDS = {
    "inner": "INNER JOIN",
    "left": "LEFT JOIN",
    "right": "RIGHT JOIN",
    "full": "FULL JOIN",
    "cross": "INNER JOIN",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """The ON of a join, taken apart: key pairs as SQL, and what concerns one side only, or both."""

    keys: tuple[tuple[str, str], ...]
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()

    def sql(self) -> str:
        equal = (f"{one} = {other}" for one, other in self.keys)
        return " AND ".join([*equal, *self.left, *self.right, *self.mixed]) or "true"


def join_sources(compiler: SourceCompiler, node: ast.Join, left: Source, right: Source) -> Source:
    check_join(compiler.scope, node)
    kind = "inner" if node.kind in ("cross", "comma") else node.kind
    match node.strictness:
        case "asof":
            return _asof(compiler, node, left, right)
        case "semi":
            left, right = _first_matches(compiler, node, kind, left, right)
            condition, relations = _matched(compiler, node, "inner", left, right)
            return _other_side(compiler, kind, left, _joined(left, "INNER JOIN", right, condition, relations))
        case "any":
            left, right = _first_matches(compiler, node, kind, left, right)
        case "anti":
            return _other_side(compiler, kind, left, _anti(compiler, node, kind, left, right))
    if kind not in _KEYWORDS:
        raise failures.unsupported(f"{node.kind.upper()} JOIN", node)
    condition, relations = _matched(compiler, node, kind, left, right)
    return _joined(left, _KEYWORDS[kind], right, condition, relations)


def _joined(left: Source, keyword: str, right: Source, condition: str, relations: tuple[Relation, ...]) -> Source:
    inside = f"({right.sql})" if right.joins else right.sql
    return Source(f"{left.sql} {keyword} {inside} ON {condition}", relations, left.joins + right.joins + 1)


def _matched(
    compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source
) -> tuple[str, tuple[Relation, ...]]:
    """The condition in SQL, and the relations that the SELECT sees after the join."""
    nulls = compiler.context.enabled("join_use_nulls")
    if node.using:
        return _using(node, kind, left, right, nulls)
    assert node.on is not None
    condition = compiler.expressions(left.relations + right.relations, left.joins + right.joins + 1).condition(node.on)
    return condition, _outer(kind, left.relations, right.relations, nulls)


def _outer(kind: str, left: tuple[Relation, ...], right: tuple[Relation, ...], nulls: bool) -> tuple[Relation, ...]:
    if kind in ("right", "full"):
        left = tuple(filled(relation, nulls=nulls) for relation in left)
    if kind in ("left", "full"):
        right = tuple(filled(relation, nulls=nulls) for relation in right)
    return left + right


# --- ANY, SEMI, ANTI, ASOF --------------------------------------------------------------------------------------------


def _other_side(compiler: SourceCompiler, kind: str, left: Source, joined: Source) -> Source:
    """With join_use_nulls the side that only decides which rows stay is Nullable."""
    if not compiler.context.enabled("join_use_nulls"):
        return joined
    count = len(left.relations)
    one, other = joined.relations[:count], joined.relations[count:]
    if kind == "right":
        return replace(joined, relations=(*(filled(relation, nulls=True) for relation in one), *other))
    return replace(joined, relations=(*one, *(filled(relation, nulls=True) for relation in other)))


def _first_matches(
    compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source
) -> tuple[Source, Source]:
    """The side of which at most one row may match, with one row per key."""
    condition = take_apart(compiler, node, left, right)
    if condition.mixed or not condition.keys:
        raise failures.unsupported(f"{(node.strictness or '').upper()} JOIN on anything but equal keys", node)
    strictness_any_inner = node.strictness == "any" and kind == "inner"
    if kind in ("left", "inner") or strictness_any_inner:
        keys = [other for _, other in condition.keys]
        right = materialized(compiler.context, right, distinct_on=keys, where=condition.right)
    if kind == "right" or strictness_any_inner:
        keys = [one for one, _ in condition.keys]
        left = materialized(compiler.context, left, distinct_on=keys, where=condition.left)
    return left, right


def _anti(compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source) -> Source:
    """The rows of one side that have no match; the columns of the other side are at their defaults."""
    kept, nulls = "right" if kind == "right" else "inner", compiler.context.enabled("join_use_nulls")
    if node.using:
        condition, relations = _using(node, kept, left, right, None)
    else:
        condition, relations = _matched(compiler, node, "inner", left, right)
    count = len(left.relations)
    lefts, rights = relations[:count], relations[count:]
    if kind == "right":
        return _joined(right, "ANTI JOIN", left, condition, (*(_absent(one, nulls) for one in lefts), *rights))
    return _joined(left, "ANTI JOIN", right, condition, (*lefts, *(_absent(one, nulls) for one in rights)))


def _absent(relation: Relation, nulls: bool) -> Relation:
    """A source of which no row is there; USING keys come from the other side."""

    def absent(column: Column) -> Column:
        if column.shared:
            return column
        type_ = t.nullable(column.value.type) if nulls else column.value.type
        value = replace(column.value, sql=default_sql(type_), condition=None, constant=True)
        return replace(column, value=value)

    return replace(relation, columns=tuple(map(absent, relation.columns)), hidden=tuple(map(absent, relation.hidden)))


def _asof(compiler: SourceCompiler, node: ast.Join, left: Source, right: Source) -> Source:
    """The nearest row of the right side: by the inequality of ON, or by the last column of USING."""
    keyword = {"inner": "ASOF JOIN", "left": "ASOF LEFT JOIN"}.get(node.kind)
    if keyword is None:
        raise failures.unsupported(f"ASOF {node.kind.upper()} JOIN", node)
    condition, relations = _matched(compiler, node, node.kind, left, right)
    if node.using:
        *equal, last = condition.split(" AND ")
        condition = " AND ".join([*equal, " >= ".join(last.rsplit(" = ", 1))])
    return _joined(left, keyword, right, condition, relations)


# --- taking ON apart --------------------------------------------------------------------------------------------------


def take_apart(compiler: SourceCompiler, node: ast.Join, left: Source, right: Source) -> Condition:
    if node.using:
        pairs = [shared_type(_find(left, name, node), _find(right, name, node), node) for name in _using_names(node)]
        return Condition(tuple((one, other) for _, one, other in pairs))
    assert node.on is not None
    keys: list[tuple[str, str]] = []
    sides: dict[str, list[str]] = {"left": [], "right": [], "mixed": []}
    for part in _conjuncts(node.on):
        pair = _key_pair(compiler, part, left, right)
        if pair is not None:
            keys.append(pair)
            continue
        side = next(
            (name for name, source in (("left", left), ("right", right)) if _sees(compiler, part, source)), "mixed"
        )
        relations = left.relations + right.relations
        sides[side].append(compiler.expressions(relations).condition(part))
    return Condition(tuple(keys), tuple(sides["left"]), tuple(sides["right"]), tuple(sides["mixed"]))


def _conjuncts(node: ast.Expression) -> Iterator[ast.Expression]:
    if isinstance(node, ast.Function) and node.name == "and":
        for argument in node.arguments:
            yield from _conjuncts(argument)
    else:
        yield node


def _key_pair(compiler: SourceCompiler, node: ast.Expression, left: Source, right: Source) -> tuple[str, str] | None:
    if not isinstance(node, ast.Function) or node.name != "equals":
        return None
    one, other = node.arguments
    if _sees(compiler, one, right) and _sees(compiler, other, left) and not _sees(compiler, one, left):
        one, other = other, one
    if not (_sees(compiler, one, left) and _sees(compiler, other, right)):
        return None
    left_key = compiler.expressions(left.relations).compile(one)
    return left_key.exact(), compiler.expressions(right.relations).compile(other).exact()


def _sees(compiler: SourceCompiler, node: ast.Expression, source: Source) -> bool:
    """Whether an expression's names all mean columns of one side."""
    try:
        compiler.expressions(source.relations, source.joins).compile(node)
    except failures.QueryError as error:
        if error.code in (47, 207):
            return False
        raise
    return True


# --- USING ------------------------------------------------------------------------------------------------------------


def _using(
    node: ast.Join, kind: str, left: Source, right: Source, nulls: bool | None
) -> tuple[str, tuple[Relation, ...]]:
    """The condition, and the relations with merged keys. `nulls` None: no row of either side is ever missing."""
    names = _using_names(node)
    conditions, keys = [], {}
    for name in names:
        type_, one, other = shared_type(_find(left, name, node), _find(right, name, node), node)
        conditions.append(f"{one} = {other}")
        keys[name] = (type_, one, other)
    relations = left.relations + right.relations
    if nulls is not None:
        relations = _outer(kind, left.relations, right.relations, nulls)
    count = len(left.relations)
    relations = (*_with_element_keys(relations[:count], names), *relations[count:])
    if kind == "full" and nulls:
        keys = {name: (t.nullable(type_), one, other) for name, (type_, one, other) in keys.items()}
    merged = [_share(relation, keys, kind) for relation in relations[:count]]
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


def _using_names(node: ast.Join) -> list[str]:
    return [_using_name(item) for item in node.using]


def _using_name(item: ast.Expression) -> str:
    if isinstance(item, ast.Identifier):
        return item.parts[-1]
    raise failures.unsupported("USING with an expression", item)


def _find(source: Source, name: str, node: ast.Join) -> Column:
    for relation in source.relations:
        column = relation.column(name)
        if column is not None:
            return column
    candidates = [column.name for relation in source.relations for column in relation.columns]
    raise failures.unknown_identifier(name, node, candidates)


def _share(relation: Relation, keys: dict[str, tuple[t.Type, str, str]], kind: str) -> Relation:
    """The left table's USING keys, as the one column that both tables have; its own stays readable as `left.key`."""
    places = {name: place for place, name in enumerate(keys, 1)}

    def share(column: Column) -> Column:
        if column.name not in keys:
            return column
        type_, left, right = keys[column.name]
        sql = {"right": right, "full": f"coalesce({left}, {right})"}.get(kind, left)
        return replace(column, value=replace(column.value, sql=sql, type=type_), shared=places[column.name])

    own: tuple[Column, ...] = ()
    if kind in ("right", "full"):  # ClickHouse names it `k` after a FULL JOIN, `left.k` after a RIGHT JOIN
        mine = [column for column in relation.columns if column.name in keys]
        own = tuple(_of_type(column, keys[column.name][0], keys[column.name][1]) for column in mine)
        own = tuple(replace(column, shared=places[column.name] if kind == "full" else 0) for column in own)
    return replace(relation, columns=tuple(map(share, relation.columns)), hidden=relation.hidden + own)


def _of_type(column: Column, type_: t.Type, key: str) -> Column:
    """A side's own key in the type that both sides share; one that may be NULL is so where its row is missing."""
    if t.is_nullable(type_) and not t.is_nullable(column.value.type):
        return replace(column, value=replace(column.value, sql=key, type=type_, condition=None, constant=False))
    kept = t.nullable(type_) if t.is_nullable(column.value.type) else type_
    return replace(column, value=coerce(column.value, kept))


def _hide(relation: Relation, keys: dict[str, tuple[t.Type, str, str]]) -> Relation:
    """The right table's USING keys leave `*` and stay readable as `right.key`."""
    kept = tuple(column for column in relation.columns if column.name not in keys)
    mine = (column for column in relation.columns if column.name in keys)
    hidden = tuple(_of_type(column, keys[column.name][0], keys[column.name][2]) for column in mine)
    order = relation.order or tuple(column.name for column in relation.columns)
    return replace(relation, columns=kept, hidden=relation.hidden + hidden, order=order)
