"""Joins of another strictness than ALL: ANY and SEMI take one match for each row, ANTI none, ASOF the nearest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.joins import (
    KEYWORDS,
    Condition,
    compared_sides,
    conjuncts,
    disjuncts,
    invalid_on,
    joined_source,
    matched_sides,
    take_apart,
)
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, filled, materialized, numbered
from tbpy.clickhouse.compiler.using import find_column, using_keys
from tbpy.clickhouse.storage import default_sql

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import SourceCompiler

_INEQUALITIES = frozenset({"less", "lessOrEquals", "greater", "greaterOrEquals"})


def strict_join(
    compiler: SourceCompiler, node: ast.Join, strictness: str, kind: str, left: Source, right: Source
) -> Source:
    if strictness == "asof":
        return _asof(compiler, node, left, right)
    if kind == "full":
        raise failures.failure(f"{strictness.upper()} FULL JOINs are not implemented", 48, "NOT_IMPLEMENTED", node)
    if strictness == "anti":
        return _other_side(compiler, kind, left, _anti(compiler, node, kind, left, right))
    kept = "inner" if strictness == "semi" else kind
    condition = take_apart(compiler, node, left, right)
    if condition.mixed or not condition.keys:
        found = _first_of_each_row(compiler, node, kind, kept, left, right)
    else:
        both = strictness == "any" and kind == "inner"
        one, other = _first_of_each_key(compiler, condition, kind, both, left, right)
        sql, relations = matched_sides(compiler, node, kept, one, other)
        found = joined_source(one, KEYWORDS[kept], other, sql, relations)
    return _other_side(compiler, kind, left, found) if strictness == "semi" else found


def _other_side(compiler: SourceCompiler, kind: str, left: Source, joined: Source) -> Source:
    """With join_use_nulls the side that only decides which rows stay is Nullable."""
    if not compiler.context.enabled("join_use_nulls"):
        return joined
    count = len(left.relations)
    one, other = joined.relations[:count], joined.relations[count:]
    if kind == "right":
        return replace(joined, relations=(*map(_optional, one), *other))
    return replace(joined, relations=(*one, *(filled(relation, nulls=True) for relation in other)))


def _optional(relation: Relation) -> Relation:
    """A source whose columns are Nullable, but for USING keys: the other side has them."""
    columns = zip(relation.columns, filled(relation, nulls=True).columns, strict=True)
    kept = tuple(own if own.shared else nullable for own, nullable in columns)
    return replace(filled(relation, nulls=True), columns=kept)


# --- ANY and SEMI -----------------------------------------------------------------------------------------------------


def _first_of_each_key(
    compiler: SourceCompiler, condition: Condition, kind: str, both: bool, left: Source, right: Source
) -> tuple[Source, Source]:
    """The side of which at most one row may match, with one row per key; an ANY INNER JOIN takes one of each."""
    if kind != "right":
        keys = tuple(other for _, other in condition.keys)
        right, _ = materialized(compiler.context, right, distinct_on=keys, where=condition.right)
    if kind == "right" or both:
        keys = tuple(one for one, _ in condition.keys)
        left, _ = materialized(compiler.context, left, distinct_on=keys, where=condition.left)
    return left, right


def _first_of_each_row(
    compiler: SourceCompiler, node: ast.Join, kind: str, kept: str, left: Source, right: Source
) -> Source:
    """Where more than equal keys decide: of a row's matches the first.

    Of the right side it is the first of the first branch of an OR that finds any; the left side's rows come in turn.
    """
    one, number = numbered(compiler.context, left)
    other, place = numbered(compiler.context, right)
    sql, relations = matched_sides(compiler, node, kept, one, other)
    joined = joined_source(one, KEYWORDS[kept], other, sql, relations)
    branches = list(disjuncts(node.on)) if node.on is not None else []
    expressions = compiler.expressions(one.relations + other.relations, 1)
    mine, matching, order = place, number, []
    if kind != "right":
        mine, matching = number, place
        order = [f"NOT ({expressions.condition(branch)})" for branch in branches[:-1]]
    first = f"row_number() OVER (PARTITION BY {mine} ORDER BY {', '.join([*order, matching])}) = 1"
    found, [row, match] = materialized(compiler.context, joined, qualify=first, more=(mine, matching))
    if node.strictness == "any" and kind == "inner" and len(branches) > 1:  # with OR each side is taken once
        first = f"row_number() OVER (PARTITION BY {match} ORDER BY {row}) = 1"
        found, _ = materialized(compiler.context, found, qualify=first)
    return replace(found, joins=left.joins + right.joins + 1)


# --- ANTI and ASOF ----------------------------------------------------------------------------------------------------


def _anti(compiler: SourceCompiler, node: ast.Join, kind: str, left: Source, right: Source) -> Source:
    """The rows of one side that have no match; the columns of the other side are at their defaults."""
    kept, nulls = "right" if kind == "right" else "inner", compiler.context.enabled("join_use_nulls")
    if node.using:
        condition, relations = using_keys(node, kept, left, right, None)
    else:
        condition, relations = matched_sides(compiler, node, "inner", left, right)
    count = len(left.relations)
    lefts, rights = relations[:count], relations[count:]
    if kind == "right":
        return joined_source(right, "ANTI JOIN", left, condition, (*(_absent(one, nulls) for one in lefts), *rights))
    return joined_source(left, "ANTI JOIN", right, condition, (*lefts, *(_absent(one, nulls) for one in rights)))


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
        text = "Wrong ASOF JOIN type. Only ASOF and LEFT ASOF joins are supported"
        raise failures.failure(text, 48, "NOT_IMPLEMENTED", node)
    condition, relations = matched_sides(compiler, node, node.kind, left, right)
    if node.using:
        *equal, last = condition.split(" AND ")
        _check_equal(compiler, bool(equal), node)
        _check_nearest(find_column(left, node.using[-1], node).value.type, node)
        condition = " AND ".join([*equal, " >= ".join(last.rsplit(" = ", 1))])
    elif node.on is not None:
        _check_asof(compiler, node.on, left, right)
    return joined_source(left, keyword, right, condition, relations)


def _check_asof(compiler: SourceCompiler, on: ast.Expression, left: Source, right: Source) -> None:
    """Raise for an ON that has not one inequality between the sides, and keys that are equal."""
    parts = list(conjuncts(on))
    compared = [compared_sides(compiler, part, left, right, _INEQUALITIES) for part in parts]
    pairs = [pair for pair in compared if pair is not None and not any(key.constant for key in pair)]
    text = "ASOF join requires one inequality predicate (<, <=, > or >=) in the JOIN ON expression"
    if not pairs:
        raise invalid_on(f"{text}, in addition to the equality predicates", on)
    if len(pairs) > 1:
        raise invalid_on("ASOF join does not support multiple inequality predicates in JOIN ON expression", on)
    _check_equal(compiler, any(compared_sides(compiler, part, left, right) is not None for part in parts), on)
    _check_nearest(pairs[0][0].type, on)


def _check_equal(compiler: SourceCompiler, found: bool, node: ast.Node) -> None:
    """Only one of ClickHouse's algorithms finds what is nearest without keys that are equal."""
    if not found and "full_sorting_merge" not in str(compiler.context.settings.get("join_algorithm", "")):
        text = "ASOF join with hash algorithm needs at least one equi-join column"
        raise failures.failure(text, 48, "NOT_IMPLEMENTED", node)


def _check_nearest(type_: t.Type, node: ast.Node) -> None:
    """What is nearest is known of numbers and moments."""
    inner = t.plain(type_)
    if not isinstance(inner, t.Decimal | t.Date | t.Date32 | t.DateTime | t.DateTime64) and not t.is_number(inner):
        text = f"ASOF join not supported for type: {str(inner).partition('(')[0]}"
        raise failures.failure(text, 169, "BAD_TYPE_OF_FIELD", node)
