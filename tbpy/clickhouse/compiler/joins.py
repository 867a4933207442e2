"""Joins with a condition: kinds, USING, and what stands where no row matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.conversion import coerce
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.join_tables import check_join
from tbpy.clickhouse.compiler.places import placed_join
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, filled, shared_type
from tbpy.clickhouse.compiler.typed import Typed, condition_of

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import SourceCompiler

KEYWORDS = {
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
    if kind not in KEYWORDS:
        raise failures.unsupported(f"{node.kind.upper()} JOIN", node)
    check_condition(compiler, node, kind, left, right)
    strictness = node.strictness or str(compiler.context.settings.get("join_default_strictness", "")).lower()
    if strictness in ("asof", "any", "semi", "anti"):
        from tbpy.clickhouse.compiler.strictness import strict_join

        return strict_join(compiler, node, strictness, kind, left, right)
    condition, relations = matched_sides(compiler, node, kind, left, right)
    return joined_source(left, KEYWORDS[kind], right, condition, relations)


def joined_source(left: Source, keyword: str, right: Source, condition: str, relations: tuple[Relation, ...]) -> Source:
    inside = f"({right.sql})" if right.joins else right.sql
    sql, joins = f"{left.sql} {keyword} {inside} ON {condition}", left.joins + right.joins + 1
    return Source(sql, relations, joins, placed=placed_join(left, keyword, right, condition))


def matched_sides(
    compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source
) -> tuple[str, tuple[Relation, ...]]:
    """The condition in SQL, and the relations that the SELECT sees after the join."""
    nulls = compiler.context.enabled("join_use_nulls")
    if node.using:
        return using_keys(node, kind, left, right, nulls)
    assert node.on is not None
    both = compiler.expressions(left.relations + right.relations, left.joins + right.joins + 1)
    value = both.truth(node.on)
    if value.aggregate:
        raise failures.misplaced_aggregate(both.aggregate_name(node.on), node.on, "JOIN ON")
    return condition_of(value), _outer(kind, left.relations, right.relations, nulls)


def _outer(kind: str, left: tuple[Relation, ...], right: tuple[Relation, ...], nulls: bool) -> tuple[Relation, ...]:
    if kind in ("right", "full"):
        left = tuple(filled(relation, nulls=nulls) for relation in left)
    if kind in ("left", "full"):
        right = tuple(filled(relation, nulls=nulls) for relation in right)
    return left + right


# --- taking ON apart --------------------------------------------------------------------------------------------------


def take_apart(compiler: SourceCompiler, node: ast.Join, left: Source, right: Source) -> Condition:
    if node.using:
        pairs = [shared_type(_find(left, name, node), _find(right, name, node), node) for name in _using_names(node)]
        return Condition(tuple((one, other) for _, one, other in pairs))
    assert node.on is not None
    keys: list[tuple[str, str]] = []
    sides: dict[str, list[str]] = {"left": [], "right": [], "mixed": []}
    for part in conjuncts(node.on):
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


def conjuncts(node: ast.Expression) -> Iterator[ast.Expression]:
    if isinstance(node, ast.Function) and node.name == "and":
        for argument in node.arguments:
            yield from conjuncts(argument)
    else:
        yield node


def _key_pair(compiler: SourceCompiler, node: ast.Expression, left: Source, right: Source) -> tuple[str, str] | None:
    if not isinstance(node, ast.Function) or node.name != "equals":
        return None
    one, other = node.arguments
    for first, then in ((one, other), (other, one)):
        left_key, right_key = _sees(compiler, first, left), _sees(compiler, then, right)
        if left_key is not None and right_key is not None:
            return left_key.exact(), right_key.exact()
    return None


def check_condition(compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source) -> None:
    """Raise INVALID_JOIN_ON_EXPRESSION (403) for an ON that ClickHouse finds no keys in."""
    if node.on is None:
        return
    if isinstance(node.on, ast.Identifier) and compiler.scope.alias(node.on.parts[0]) is None:
        compiler.expressions(left.relations + right.relations, left.joins + right.joins + 1).compile(node.on)
        raise _invalid(f"JOIN {kind.upper()} JOIN ... ON {node.on.name} join expression expected function", node.on)
    if node.strictness is None and kind == "inner" and not isinstance(node.on, ast.Literal):
        return
    expressions = compiler.expressions(left.relations + right.relations, left.joins + right.joins + 1)
    value = expressions.compile(node.on)
    if value.constant:
        if not isinstance(t.plain(value.type), t.Bool | t.Nothing) and t.plain(value.type) != t.UINT8:
            raise _invalid(f"Wrong type {value.type} of JOIN expression", node.on)
    elif not _filters_one_side(compiler, node, kind, left, right) and not all(
        _has_key(compiler, branch, left, right, expressions) for branch in disjuncts(node.on)
    ):
        raise _invalid("Cannot determine join keys in JOIN ON expression", node.on)


def _filters_one_side(compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source) -> bool:
    """Whether a condition only chooses rows of the side that may be missing: ClickHouse does so before it joins."""
    side = {"left": right, "right": left}.get(kind)
    if node.on is None or side is None or node.strictness is not None:
        return False
    return all(_sees(compiler, part, side) is not None for part in conjuncts(node.on))


def _has_key(
    compiler: SourceCompiler, branch: ast.Expression, left: Source, right: Source, both: ExpressionCompiler
) -> bool:
    """Whether a branch of a condition compares the sides, or is never true by one of its parts alone."""
    parts = list(conjuncts(branch))
    if any(_is_key(compiler, part, left, right) for part in parts):
        return True
    return any(value.constant and not (value.known and value.value) for value in map(both.compile, parts))


def _invalid(text: str, node: ast.Node) -> failures.QueryError:
    return failures.failure(text, 403, "INVALID_JOIN_ON_EXPRESSION", node)


def disjuncts(node: ast.Expression) -> Iterator[ast.Expression]:
    """The branches of OR at the top of a condition."""
    if isinstance(node, ast.Alias):
        yield from disjuncts(node.expression)
    elif isinstance(node, ast.Function) and node.name == "or":
        for argument in node.arguments:
            yield from disjuncts(argument)
    else:
        yield node


def _is_key(compiler: SourceCompiler, node: ast.Expression, left: Source, right: Source) -> bool:
    """Whether a part of a condition compares one side with the other, or holds such parts in every branch of an OR."""
    if isinstance(node, ast.Alias):
        return _is_key(compiler, node.expression, left, right)
    if not isinstance(node, ast.Function):
        return False
    if node.name == "or":
        return all(
            any(_is_key(compiler, part, left, right) for part in conjuncts(branch)) for branch in disjuncts(node)
        )
    if node.name not in ("equals", "isNotDistinctFrom") or len(node.arguments) != 2:
        return False
    one, other = node.arguments
    sides = ((left, right), (right, left))
    return any(_of_one(compiler, one, first) and _of_one(compiler, other, then) for first, then in sides)


def _sees(compiler: SourceCompiler, node: ast.Expression, source: Source) -> Typed | None:
    """The expression, where its names all mean columns of one side."""
    try:
        return compiler.expressions(source.relations, source.joins).compile(node)
    except failures.QueryError as error:
        if error.code in (47, 207):
            return None
        raise


def _of_one(compiler: SourceCompiler, node: ast.Expression, source: Source) -> bool:
    """Whether it names columns of this side and nothing else; which branch of a CASE they are in does not matter."""
    found = _sees(compiler, node, source)
    return found is not None and (not found.constant or any(isinstance(part, ast.Identifier) for part in walk(node)))


# --- USING ------------------------------------------------------------------------------------------------------------


def using_keys(
    node: ast.Join, kind: str, left: Source, right: Source, nulls: bool | None
) -> tuple[str, tuple[Relation, ...]]:
    """The condition, and the relations with merged keys. `nulls` None: no row of either side is ever missing."""
    names = _using_names(node)
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise failures.bad_arguments(f"JOIN ... USING identifier '{repeated}' appears more than once in USING", node)
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
