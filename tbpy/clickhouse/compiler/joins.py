"""Joins with a condition: kinds, USING, and what stands where no row matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.conversion import common_type
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.join_tables import check_join
from tbpy.clickhouse.compiler.places import placed_join
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, shared_type
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.compiler.using import check_using, column_of, outer_relations, using_keys, using_names

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
    check_using(compiler.scope, node, left)
    strictness = node.strictness or str(compiler.context.settings.get("join_default_strictness", "")).lower()
    if strictness in ("asof", "any", "semi", "anti"):
        from tbpy.clickhouse.compiler.strictness import strict_join

        return strict_join(compiler, node, strictness, kind, left, right)
    condition, relations = matched_sides(compiler, node, kind, left, right)
    if kind == "inner" and node.on is not None:
        relations = _with_equals(node.on, relations, len(left.relations))
    return joined_source(left, KEYWORDS[kind], right, condition, relations)


def _with_equals(on: ast.Expression, relations: tuple[Relation, ...], count: int) -> tuple[Relation, ...]:
    """The relations, of which the first `count` are the left side, with the columns noted that ON says are the same."""
    for part in conjuncts(on):
        if not (isinstance(part, ast.Function) and part.name == "equals"):
            continue
        sides = [side.parts for side in part.arguments if isinstance(side, ast.Identifier) and len(side.parts) == 2]
        if len(sides) == 2 and sides[0][1] == sides[1][1]:
            names = {parts[0] for parts in sides}
            left = next((one for one in relations[:count] if one.title in names), None)
            right = next((one for one in relations[count:] if one.title in names), None)
            if left is not None and right is not None:
                noted = _noted(right, sides[0][1], left.column(sides[0][1]))
                relations = tuple(noted if one is right else one for one in relations)
    return relations


def _noted(relation: Relation, name: str, other: Column | None) -> Relation:
    sql = None if other is None else other.value.sql
    columns = tuple(replace(one, same_as=sql) if one.name == name else one for one in relation.columns)
    return replace(relation, columns=columns)


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
    return condition_of(value), outer_relations(kind, left.relations, right.relations, nulls)


# --- taking ON apart --------------------------------------------------------------------------------------------------


def take_apart(compiler: SourceCompiler, node: ast.Join, left: Source, right: Source) -> Condition:
    if node.using:
        pairs = [
            shared_type(column_of(left, name, node), column_of(right, name, node), node) for name in using_names(node)
        ]
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
    pair = compared_sides(compiler, node, left, right)
    return None if pair is None else (pair[0].exact(), pair[1].exact())


def compared_sides(
    compiler: SourceCompiler,
    node: ast.Expression,
    left: Source,
    right: Source,
    operators: frozenset[str] = frozenset({"equals"}),
) -> tuple[Typed, Typed] | None:
    """What of the left side a part of a condition compares with what of the right."""
    if not isinstance(node, ast.Function) or node.name not in operators or len(node.arguments) != 2:
        return None
    one, other = node.arguments
    for first, then in ((one, other), (other, one)):
        left_key, right_key = _sees(compiler, first, left), _sees(compiler, then, right)
        if left_key is not None and right_key is not None:
            return left_key, right_key
    return None


def check_condition(compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source) -> None:
    """Raise INVALID_JOIN_ON_EXPRESSION (403) for an ON that ClickHouse finds no keys in."""
    if node.on is None:
        return
    if isinstance(node.on, ast.Identifier) and compiler.scope.alias(node.on.parts[0]) is None:
        compiler.expressions(left.relations + right.relations, left.joins + right.joins + 1).compile(node.on)
        raise invalid_on(f"JOIN {kind.upper()} JOIN ... ON {node.on.name} join expression expected function", node.on)
    for part in conjuncts(node.on):
        _check_key_types(compiler, part, left, right)
    named = any(isinstance(part, ast.Identifier) for part in walk(node.on))
    if node.strictness == "asof" or (node.strictness is None and kind == "inner" and named):
        return
    expressions = compiler.expressions(left.relations + right.relations, left.joins + right.joins + 1)
    value = expressions.compile(node.on)
    if value.constant:
        if not isinstance(t.plain(value.type), t.Bool | t.Nothing) and t.plain(value.type) != t.UINT8:
            raise invalid_on(f"Wrong type {value.type} of JOIN expression", node.on)
    elif not _filters_one_side(compiler, node, kind, left, right) and not all(
        _has_key(compiler, branch, left, right, expressions) for branch in disjuncts(node.on)
    ):
        raise invalid_on("Cannot determine join keys in JOIN ON expression", node.on)


def _check_key_types(compiler: SourceCompiler, part: ast.Expression, left: Source, right: Source) -> None:
    """Raise NO_COMMON_TYPE (386) for a float beside a number that no float holds exactly, as keys are of one type."""
    pair = compared_sides(compiler, part, left, right)
    if pair is not None:
        kinds = {isinstance(t.plain(key.type), t.Float) for key in pair if t.is_number(t.plain(key.type))}
        if len(kinds) > 1:
            common_type([key.type for key in pair], part)


def _filters_one_side(compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source) -> bool:
    """Whether a condition only chooses rows of the side that may be missing: ClickHouse does so before it joins."""
    side = {"left": right, "right": left}.get(kind)
    if node.on is None or side is None or node.strictness is not None:
        return False
    return all(_sees(compiler, part, side) is not None for part in conjuncts(node.on))


def _has_key(
    compiler: SourceCompiler, branch: ast.Expression, left: Source, right: Source, both: ExpressionCompiler
) -> bool:
    """Whether a branch of a condition compares the sides, or is always or never true by one of its parts alone."""
    parts = list(conjuncts(branch))
    if any(_is_key(compiler, part, left, right) for part in parts) or _both_null(compiler, parts, left, right):
        return True
    values = list(map(both.compile, parts))
    if all(value.known and value.value for value in values):
        return True
    return any(value.constant and not (value.known and value.value) for value in values)


def _both_null(compiler: SourceCompiler, parts: list[ast.Expression], left: Source, right: Source) -> bool:
    """`a IS NULL AND b IS NULL`: to ClickHouse two keys that are equal where both are NULL."""
    checked = [part.arguments[0] for part in parts if isinstance(part, ast.Function) and part.name == "isNull"]
    return all(any(_of_one(compiler, node, side) for node in checked) for side in (left, right))


def invalid_on(text: str, node: ast.Node) -> failures.QueryError:
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
