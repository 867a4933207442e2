"""GROUP BY beyond plain keys: ROLLUP, CUBE, GROUPING SETS, WITH TOTALS, and what may stand beside aggregates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.combinators import split_name
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.aliases import walk
from tbpy.clickhouse.compiler.block import select_list
from tbpy.clickhouse.compiler.document_keys import one_text
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.matchers import expand_columns
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import SCALARS
from tbpy.clickhouse.storage import default_sql, duckdb_type

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import SelectCompiler


_TOO_FEW = "TOO_FEW_ARGUMENTS_FOR_FUNCTION"


# --- several sets of keys ---


def group_sets(select: SelectCompiler, group: ast.GroupBy, keys: list[Typed]) -> list[Typed]:
    """Set GROUP BY to sets of keys; the keys that a row's set lacks read as their type's default from here on."""
    if any(one_text(select.context, key) is not key for key in keys):
        raise failures.unsupported(f"GROUP BY {group.kind.upper()} of JSON", select.select)
    if group.kind == "grouping sets":
        sets = [select.keys_of(nodes) for nodes in group.sets]
        select.clauses.group_by = f"GROUPING SETS ({', '.join('(' + _set_keys(one) + ')' for one in sets)})"
    else:
        sets = [keys]
        select.clauses.group_by = f"{group.kind.upper()} ({_set_keys(keys)})"
    if all(sets):
        select.clauses.having = "count(*) > 0"  # DuckDB gives the row of ROLLUP's empty set for no rows too
    select.scope.grouped = all(sets)
    select.scope.grouping_sets = True
    nulls = select.context.enabled("group_by_use_nulls")
    select.scope.read_keys_as({key.sql: _or_missing(key, nulls) for key in keys if nulls or not key.constant})
    return keys


def _set_keys(keys: list[Typed]) -> str:
    return ", ".join(dict.fromkeys(map(_set_key, keys)))


def _set_key(key: Typed) -> str:
    """A key in a set; a constant in other words than where it is selected, since it is never missing there."""
    return f"[{key.exact()}]" if key.constant else key.sql


def _or_missing(key: Typed, nulls: bool) -> Typed:
    """A key where a row's set may lack it, which DuckDB shows as NULL."""
    if nulls and t.is_nullable(t.nullable(key.type)):
        return replace(key, type=t.nullable(key.type))
    if t.is_nullable(key.type):
        return key
    return replace(key, sql=f"coalesce({key.sql}, {default_sql(key.type)})", condition=None)


@special("grouping", "GROUPING")
def grouping(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    """A bit for each key: 1 where the row's set lacks it."""
    if not node.arguments:
        raise failures.failure("Function GROUPING expects at least one argument", 35, _TOO_FEW, node)
    with compiler.scope.raw_keys():
        keys = [compiler.compile(argument) for argument in node.arguments]
    for key, argument in zip(keys, node.arguments, strict=True):
        if key.sql not in compiler.scope.key_sql:
            text = f"GROUPING function argument {key.sql} is not in GROUP BY keys"
            raise failures.bad_arguments(text, argument)
    return Typed(f"CAST({_grouping_sql(compiler, keys)} AS UBIGINT)", t.UINT64, aggregate=True)


def _grouping_sql(compiler: ExpressionCompiler, keys: list[Typed]) -> str:
    """The bits as a number; before the standard was followed they said which keys are there."""
    standard = compiler.context.enabled("force_grouping_standard_compatibility", True)
    full = 2 ** len(keys) - 1
    if not compiler.scope.grouping_sets:
        return "0" if standard else str(full)
    if compiler.scope.all_missing:
        return str(full) if standard else "0"
    bits = f"grouping({', '.join(map(_set_key, keys))})"
    return bits if standard else f"({full} - {bits})"


# --- GROUP BY ALL ---


def all_keys(select: SelectCompiler) -> list[Typed]:
    """What GROUP BY ALL means: the selected expressions without aggregates, and the parts outside of aggregates."""
    found: list[Typed] = []
    for column in select.select.columns:
        if isinstance(column, ast.Asterisk | ast.ColumnsMatcher):
            values = [output.value for output in expand_columns(select.expressions, column)]
            found.extend(value for value in values if not value.aggregate)
        else:
            found.extend(_keys_in(select, column))
    return list({key.sql: key for key in found}.values())


def _keys_in(select: SelectCompiler, node: ast.Expression) -> Iterator[Typed]:
    """The keys in a selected expression: an alias in it may stand for an aggregate, and a number for no position."""
    for part in _outside_aggregates(node):
        value = select.expressions.compile(part)
        if not value.aggregate and not value.window:
            yield select.checked_key(value, part)
        elif isinstance(part, ast.Alias):
            yield from _keys_in(select, part.expression)
        elif isinstance(part, ast.Function):
            for inner in _parts(part):
                yield from _keys_in(select, inner)
        elif isinstance(part, ast.Identifier):
            alias = select.scope.alias(part.name)
            if alias is not None:
                yield from _keys_in(select, alias)


def _outside_aggregates(node: ast.Expression) -> Iterator[ast.Expression]:
    if not any(_is_grouped(part) or _is_windowed(part) for part in walk(node)):
        yield node
    elif isinstance(node, ast.Alias):
        yield from _outside_aggregates(node.expression)
    elif isinstance(node, ast.Function) and not _is_grouped(node):
        for part in _parts(node):
            yield from _outside_aggregates(part)


def _is_windowed(node: ast.Node) -> bool:
    return isinstance(node, ast.Function) and node.window is not None


def _is_grouped(node: ast.Node) -> bool:
    """Whether it is a call of an aggregate, or of grouping()."""
    if not isinstance(node, ast.Function) or node.window is not None:
        return False
    if node.name in ("grouping", "GROUPING"):
        return True
    return (node.name not in SCALARS or node.parameters is not None) and split_name(node.name) is not None


# --- totals ---


def with_totals(select: SelectCompiler, keys: list[Typed]) -> None:
    """The row of totals: aggregates over all rows, or over those of groups that pass HAVING; keys at their defaults."""
    if select.scope.grouping_sets and select.select.having is not None:
        raise failures.unsupported("WITH TOTALS together with ROLLUP or CUBE and HAVING", select.select)
    varying = [key for key in keys if not key.constant]
    defaults = {key.sql: _default(key) for key in varying}
    readings = select.scope.key_readings.items()
    defaults |= {raw: defaults[reading.sql] for raw, reading in readings if reading.sql in defaults}
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
    checker = _Checker(select, frozenset(key.sql for key in keys) | select.scope.key_readings.keys())
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
            case ast.Asterisk() | ast.ColumnsMatcher():
                return self._matched(node)
        return None

    def _matched(self, node: ast.Asterisk | ast.ColumnsMatcher) -> ast.Identifier | None:
        with self._scope.raw_keys():
            outputs = expand_columns(self._compiler, node)
        for output in outputs:
            value = output.value
            if not (value.constant or value.aggregate or value.sql in self._keys):
                return ast.Identifier((output.name,), start=node.start, end=node.end)
        return None

    def _aliased(self, node: ast.Alias, bound: frozenset[str]) -> ast.Identifier | None:
        """Inside its own expression an alias is no alias: there the name means a column."""
        self._scope.expanding.append(node.name)
        try:
            return self.uncovered(node.expression, bound)
        finally:
            self._scope.expanding.pop()

    def _function(self, node: ast.Function, bound: frozenset[str]) -> ast.Identifier | None:
        if _is_grouped(node):
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
