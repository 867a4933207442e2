"""Joins with a condition: kinds, strictness, USING, and what stands where no row matched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.sources import Source, filled, shared_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.sources import SourceCompiler

_KEYWORDS = {"inner": "INNER JOIN", "left": "LEFT JOIN", "right": "RIGHT JOIN", "full": "FULL JOIN", "cross": "INNER JOIN"}


def join_sources(compiler: SourceCompiler, node: ast.Join, left: Source, right: Source) -> Source:
    if node.strictness not in (None, "all"):
        raise failures.unsupported(f"{node.strictness.upper()} JOIN", node)
    if node.kind not in _KEYWORDS:
        raise failures.unsupported(f"{node.kind.upper()} JOIN", node)
    joins = left.joins + right.joins + 1
    nulls = compiler.context.enabled("join_use_nulls")
    if node.using:
        condition, relations = _using(compiler, node, left, right, nulls)
    else:
        assert node.on is not None
        condition = compiler.expressions(left.relations + right.relations, joins).condition(node.on)
        relations = _outer(node.kind, left.relations, right.relations, nulls)
    return Source(f"{left.sql} {_KEYWORDS[node.kind]} {_bracketed(right)} ON {condition}", relations, joins)


def _bracketed(source: Source) -> str:
    return f"({source.sql})" if source.joins else source.sql


def _outer(
    kind: str, left: tuple[Relation, ...], right: tuple[Relation, ...], nulls: bool
) -> tuple[Relation, ...]:
    if kind in ("right", "full"):
        left = tuple(filled(relation, nulls=nulls) for relation in left)
    if kind in ("left", "full"):
        right = tuple(filled(relation, nulls=nulls) for relation in right)
    return left + right


def _using(
    compiler: SourceCompiler, node: ast.Join, left: Source, right: Source, nulls: bool
) -> tuple[str, tuple[Relation, ...]]:
    names = [_using_name(item) for item in node.using]
    pairs = [(name, _find(left, name, node), _find(right, name, node)) for name in names]
    conditions, keys = [], {}
    for name, one, other in pairs:
        type_, one_sql, other_sql = shared_type(one, other, node)
        conditions.append(f"{one_sql} = {other_sql}")
        keys[name] = (type_, one_sql, other_sql)
    relations = _outer(node.kind, left.relations, right.relations, nulls)
    count = len(left.relations)
    merged = [_share(relation, keys, node.kind) for relation in relations[:count]]
    rest = [_hide(relation, names) for relation in relations[count:]]
    return " AND ".join(conditions), (*merged, *rest)


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
    """The left table's USING keys, as the one column that both tables have."""

    def share(column: Column) -> Column:
        if column.name not in keys:
            return column
        type_, left, right = keys[column.name]
        sql = {"right": right, "full": f"coalesce({left}, {right})"}.get(kind, left)
        return replace(column, value=replace(column.value, sql=sql, type=type_), shared=True)

    return replace(relation, columns=tuple(map(share, relation.columns)))


def _hide(relation: Relation, names: list[str]) -> Relation:
    """The right table's USING keys leave `*` and stay readable as `right.key`."""
    kept = tuple(column for column in relation.columns if column.name not in names)
    hidden = tuple(column for column in relation.columns if column.name in names)
    return replace(relation, columns=kept, hidden=relation.hidden + hidden)
