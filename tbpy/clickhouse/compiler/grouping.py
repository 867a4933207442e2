"""GROUP BY beyond plain keys: ROLLUP, CUBE, GROUPING SETS, WITH TOTALS, and what may stand beside aggregates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.combinators import split_name
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import select_list
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import SCALARS
from tbpy.clickhouse.storage import default_sql, duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import SelectCompiler


# --- several sets of keys ---


def group_sets(select: SelectCompiler, group: ast.GroupBy) -> list[Typed]:
    """Set GROUP BY to sets of keys; the keys that a row's set lacks read as their type's default from here on."""
    nodes = list(group.expressions) or list(dict.fromkeys(node for nodes in group.sets for node in nodes))
    keys = {node: select.group_key(node) for node in nodes}
    if group.kind == "grouping sets":
        sets = ", ".join("(" + ", ".join(_set_key(keys[node]) for node in nodes) + ")" for nodes in group.sets)
        select.clauses.group_by = f"GROUPING SETS ({sets})"
    else:
        select.clauses.group_by = f"{group.kind.upper()} ({', '.join(map(_set_key, keys.values()))})"
    if () not in group.sets:
        select.clauses.having = "count(*) > 0"  # DuckDB gives the row of ROLLUP's empty set for no rows too
    select.scope.grouped = () not in group.sets
    select.scope.grouping_sets = True
    nulls = select.context.enabled("group_by_use_nulls")
    missing = {key.sql: _or_missing(key, nulls) for key in keys.values() if not key.constant}
    select.scope.read_keys_as(missing)
    return list(keys.values())


def _set_key(key: Typed) -> str:
    """A key in a set; a constant in other words than where it is selected, since it is never missing there."""
    return f"[{key.exact()}]" if key.constant else key.sql


def _or_missing(key: Typed, nulls: bool) -> Typed:
    """A key where a row's set may lack it, which DuckDB shows as NULL."""
    if nulls:
        return replace(key, type=t.nullable(key.type))
    if t.is_nullable(key.type):
        return key
    return replace(key, sql=f"coalesce({key.sql}, {default_sql(key.type)})", condition=None)


@special("grouping", "GROUPING")
def grouping(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    """A bit for each key: 1 where the row's set lacks it."""
    with compiler.scope.raw_keys():
        keys = [compiler.compile(argument) for argument in node.arguments]
    for key, argument in zip(keys, node.arguments, strict=True):
        if key.sql not in compiler.scope.key_sql:
            text = f"GROUPING function argument {key.sql} is not in GROUP BY keys"
            raise failures.bad_arguments(text, argument)
    if not compiler.scope.grouping_sets:
        return Typed("CAST(0 AS UBIGINT)", t.UINT64, aggregate=True)
    if compiler.scope.all_missing:
        return Typed(f"CAST({2 ** len(keys) - 1} AS UBIGINT)", t.UINT64, aggregate=True)
    return Typed(f"CAST(grouping({', '.join(map(_set_key, keys))}) AS UBIGINT)", t.UINT64, aggregate=True)


# --- totals ---


def with_totals(select: SelectCompiler, keys: list[Typed]) -> None:
    """The row of totals: aggregates over all rows, or over those of groups that pass HAVING; keys at their defaults."""
    if select.scope.grouping_sets and select.select.having is not None:
        raise failures.unsupported("WITH TOTALS together with ROLLUP or CUBE and HAVING", select.select)
    varying = [key for key in keys if not key.constant]
    defaults = {key.sql: _default(key) for key in varying}
    select.scope.all_missing = select.scope.grouping_sets
    with select.scope.keys_read_as(defaults):
        values = tuple(output.value for output in select.columns())
    where = list(select.clauses.where)
    if select.clauses.having and varying and not select.scope.grouping_sets:
        where.append(_passing(select, varying))
    clauses = replace(select.clauses, where=where, group_by="()", having="", qualify=[], order_by=[], distinct="")
    clauses.limit = clauses.offset = ""
    select.totals = clauses.sql(select_list(values))


def _default(key: Typed) -> Typed:
    return Typed(f"CAST({default_sql(key.type)} AS {duckdb_type(key.type)})", key.type)


def _passing(select: SelectCompiler, keys: list[Typed]) -> str:
    """Whether a row belongs to a group that HAVING keeps."""
    row = "{" + ", ".join(f"'{position}': {key.sql}" for position, key in enumerate(keys)) + "}"
    clauses = replace(select.clauses, qualify=[], order_by=[], distinct="", limit="", offset="")
    return f"{row} IN ({clauses.sql(row)})"


# --- what may stand beside aggregates ---


def check_columns(select: SelectCompiler, keys: list[Typed]) -> None:
    """Raise NOT_AN_AGGREGATE (215) for a column that is neither a key nor inside an aggregate."""
    checker = _Checker(select, frozenset(key.sql for key in keys))
    for node in (*select.select.columns, select.select.having, *(item.expression for item in select.select.order_by)):
        if node is None or _is_position(node):
            continue
        bad = checker.uncovered(node, frozenset())
        if bad is not None:
            raise failures.not_an_aggregate(bad.name, bad)


def _is_position(node: ast.Expression) -> bool:
    return isinstance(node, ast.Literal)


class _Checker:
    def __init__(self, select: SelectCompiler, keys: frozenset[str]) -> None:
        self._compiler = select.expressions
        self._scope = select.scope
        self._keys = keys
        self._seen: dict[str, ast.Identifier | None] = {}

    def uncovered(self, node: ast.Expression, bound: frozenset[str]) -> ast.Identifier | None:
        """The first column in an expression that no key and no aggregate covers; `bound` are lambda parameters."""
        match node:
            case ast.Identifier():
                return None if node.parts[0] in bound else self._identifier(node, bound)
            case ast.Alias():
                return self._aliased(node, bound)
            case ast.Lambda(parameters, body):
                return self.uncovered(body, bound | set(parameters))
            case ast.Function():
                return self._function(node, bound)
        return None

    def _aliased(self, node: ast.Alias, bound: frozenset[str]) -> ast.Identifier | None:
        """Inside its own expression an alias is no alias: there the name means a column."""
        self._scope.expanding.append(node.name)
        try:
            return self.uncovered(node.expression, bound)
        finally:
            self._scope.expanding.pop()

    def _function(self, node: ast.Function, bound: frozenset[str]) -> ast.Identifier | None:
        aggregate = node.window is None and (node.name not in SCALARS or node.parameters is not None)
        if (aggregate and split_name(node.name) is not None) or node.name in ("grouping", "GROUPING"):
            return None
        for part in _parts(node):
            bad = self.uncovered(part, bound)
            if bad is not None:
                return None if not bound and self._is_key(node) else bad
        return None

    def _identifier(self, node: ast.Identifier, bound: frozenset[str]) -> ast.Identifier | None:
        name = node.parts[0]
        expression = self._scope.alias(name)
        if expression is not None:
            if name not in self._seen:
                self._seen[name] = None
                self._scope.expanding.append(name)
                try:
                    self._seen[name] = self.uncovered(expression, bound)
                finally:
                    self._scope.expanding.pop()
            bad = self._seen[name]
            return None if bad is None or self._is_key(node) else bad
        if self._compiler.find_column(node) is None or self._is_key(node):
            return None
        return node

    def _is_key(self, node: ast.Expression) -> bool:
        with self._scope.raw_keys():
            typed = self._compiler.compile(node)
        return typed.constant or typed.sql in self._keys or self._inside_key(node)

    def _inside_key(self, node: ast.Expression) -> bool:
        """A path into a key: `t.1` where t is a key."""
        if not isinstance(node, ast.Identifier) or len(node.parts) == 1:
            return False
        with self._scope.raw_keys():
            found = self._compiler.find_column(node)
        return found is not None and found[0].value.sql in self._keys


def _parts(node: ast.Function) -> Iterator[ast.Expression]:
    yield from node.arguments
    if isinstance(node.window, ast.Window):
        yield from node.window.partition_by
        yield from (item.expression for item in node.window.order_by)
