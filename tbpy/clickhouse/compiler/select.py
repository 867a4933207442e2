"""SELECT: scopes its names, types its columns, and writes one DuckDB SELECT."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.aliases import collect_aliases
from tbpy.clickhouse.compiler.block import Block, select_list
from tbpy.clickhouse.compiler.chance import draw, row_alias
from tbpy.clickhouse.compiler.context import Context, Output
from tbpy.clickhouse.compiler.cuts import Cut, limit_by_cut, select_cut
from tbpy.clickhouse.compiler.document_keys import group_by_documents, one_text
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.key_items import key_items
from tbpy.clickhouse.compiler.matchers import columns_of, expand_columns
from tbpy.clickhouse.compiler.ordering import order_sql
from tbpy.clickhouse.compiler.row_order import follow_places, keep_order, keeps_order
from tbpy.clickhouse.compiler.scope import NO_SOURCE, CommonTableEntry, Scope
from tbpy.clickhouse.compiler.settings import apply_settings
from tbpy.clickhouse.compiler.sources import Source, SourceCompiler
from tbpy.clickhouse.compiler.steady import steady
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.types import NOTHING


@dataclass(slots=True)
class Clauses:
    """The clauses of one DuckDB SELECT, each as SQL, in the order they are written."""

    distinct: str = ""
    from_: str = ""
    where: list[str] = field(default_factory=list)
    group_by: str = ""
    having: str = ""
    qualify: list[str] = field(default_factory=list)
    order_by: list[str] = field(default_factory=list)
    limit: str = ""
    offset: str = ""

    def sql(self, columns: str) -> str:
        parts = [f"SELECT {self.distinct}{columns}"]
        parts += [f"FROM {self.from_}"] if self.from_ else []
        parts += [f"WHERE {' AND '.join(self.where)}"] if self.where else []
        parts += [f"GROUP BY {self.group_by}"] if self.group_by else []
        parts += [f"HAVING {self.having}"] if self.having else []
        parts += [f"QUALIFY {' AND '.join(self.qualify)}"] if self.qualify else []
        parts += [f"ORDER BY {', '.join(self.order_by)}"] if self.order_by else []
        parts += [f"LIMIT {self.limit}"] if self.limit else []
        parts += [f"OFFSET {self.offset}"] if self.offset else []
        return " ".join(parts)


@dataclass(slots=True)
class SelectCompiler:
    context: Context
    scope: Scope
    select: ast.Select
    clauses: Clauses = field(default_factory=Clauses)
    outputs: tuple[Output, ...] = ()
    order_values: list[tuple[Typed, ast.OrderItem]] = field(default_factory=list)
    limit_keys: list[Typed] = field(default_factory=list)
    base_qualify: list[str] = field(default_factory=list)
    keys: list[Typed] = field(default_factory=list)
    totals: str | None = None
    source_totals: str | None = None
    source: Source | None = None
    cut: Cut = field(default_factory=Cut)

    @property
    def expressions(self) -> ExpressionCompiler:
        return ExpressionCompiler(self.context, self.scope)

    def compile(self) -> Block:
        apply_settings(self.context, self.select.settings)
        self._with()
        self.scope.aliases = collect_aliases(self.select)
        self._from()
        if self.select.windows:
            from tbpy.clickhouse.compiler.windows import declare_windows

            self.scope.windows = declare_windows(self.select)
        self._filters()
        keys = self._group_keys()
        self.outputs = self.columns()
        self._group(keys)
        self._distinct()
        self._order()
        self._limit_by()
        self._limit()
        draw(self)
        keep_order(self)
        follow_places(self)
        self._laterals()
        if self.select.totals:
            from tbpy.clickhouse.compiler.grouping import with_totals

            with_totals(self, self.keys)
        elif self.source_totals is not None:
            self._pass_totals(self.source_totals)
        return self._block()

    # --- names and sources ---

    def _with(self) -> None:
        declare_with(self.scope, self.select)

    def _from(self) -> None:
        self.scope.select = self.select
        if self.select.from_ is None:
            self.scope.relations = (NO_SOURCE,)
            return
        source: Source = SourceCompiler(self.context, self.scope).compile(self.select.from_)
        self.source = source
        self.clauses.from_ = source.sql
        self.scope.row_alias = row_alias(source.sql)
        self.source_totals = source.totals
        self.scope.row = source.row
        self.scope.relations = source.relations
        self.scope.joins = source.joins

    def _filters(self) -> None:
        with self.context.uncounted():
            for node in (self.select.prewhere, self.select.where):
                if node is not None:
                    self._filter(node)

    def _filter(self, node: ast.Expression) -> None:
        typed = self.expressions.truth(node)
        if typed.aggregate or typed.window:
            name = self.expressions.aggregate_name(node) if typed.aggregate else None
            raise failures.misplaced_aggregate(name, node)
        self.clauses.where.append(condition_of(typed))

    # --- columns and groups ---

    def columns(self) -> tuple[Output, ...]:
        outputs: list[Output] = []
        for node in self.select.columns:
            outputs.extend(expand_columns(self.expressions, node))
        if any(output.value.type == NOTHING for output in outputs):
            raise failures.failure("Invalid projection column with type Nothing", 43, "ILLEGAL_TYPE_OF_ARGUMENT", node)
        return tuple(outputs)

    def _group_keys(self) -> list[Typed]:
        group = self.select.group_by
        if group is None:
            return []
        if group.kind == "plain":
            keys = group_by_documents(self.context, self.scope, self._single_keys(group))
            self.scope.grouped = bool(keys)
        else:
            from tbpy.clickhouse.compiler.grouping import group_sets

            keys = group_sets(self, group, self._single_keys(group))
        self.scope.key_sql = frozenset(key.sql for key in keys)
        return keys

    def _single_keys(self, group: ast.GroupBy) -> list[Typed]:
        """The keys of GROUP BY, with those that ALL and `*` stand for."""
        if group.all:
            from tbpy.clickhouse.compiler.grouping import all_keys

            return [key for key in all_keys(self) if not key.constant]
        return self.keys_of(group.expressions)

    def keys_of(self, expressions: tuple[ast.Expression, ...]) -> list[Typed]:
        """Keys as they are written: `*` and tuples stand for what they hold."""
        nodes = columns_of(self.expressions, expressions)
        items = (item for node in nodes for item in key_items(self.scope, node))
        return [self.group_key(item, position=position) for item, position in items]

    def group_key(self, node: ast.Expression, *, position: bool = True) -> Typed:
        """A key of GROUP BY; an aggregate cannot be one."""
        return self.checked_key(self._positional(node) if position else self.expressions.compile(node), node)

    def checked_key(self, key: Typed, node: ast.Expression) -> Typed:
        if key.aggregate:
            raise failures.misplaced_aggregate(self.expressions.aggregate_name(node), node, "GROUP BY")
        if key.window:
            raise failures.misplaced_aggregate(None, node, "GROUP BY")
        failures.check_varying(self.context, key.type, "GROUP BY", node)
        return key

    def _positional(self, node: ast.Expression) -> Typed:
        """A key of GROUP BY, ORDER BY or LIMIT BY; a number is the place of a column, from the end if negative."""
        if not self._is_position(node):
            return self.expressions.compile(node)
        assert isinstance(node, ast.Literal) and isinstance(node.value, int)
        count = len(self.outputs or self.select.columns)
        position = node.value if node.value > 0 else count + 1 + node.value
        if node.value == 0 or not 1 <= position <= count:
            least, most, kind = (1, count, "P") if node.value >= 0 else (-count, -1, "Negative p")
            text = f"{kind}ositional argument number {node.value} is out of bounds. Expected in range [{least}, {most}]"
            raise failures.bad_arguments(text, node)
        if self.outputs:
            return self.outputs[position - 1].value
        return self.expressions.compile(self.select.columns[position - 1])

    def _is_position(self, node: ast.Expression) -> bool:
        if not isinstance(node, ast.Literal) or not isinstance(node.value, int) or isinstance(node.value, bool):
            return False
        return self.context.enabled("enable_positional_arguments", True)

    def _group(self, keys: list[Typed]) -> None:
        if keys and not self.clauses.group_by:
            self.clauses.group_by = ", ".join(key.exact() for key in _significant(keys))
        self._check_aggregation(keys)
        if self.select.having is not None:
            self._having(self.select.having)
        if self.select.qualify is not None:
            self._qualify(self.select.qualify)

    def _having(self, node: ast.Expression) -> None:
        """HAVING filters groups; without any it is one more WHERE."""
        condition = self.expressions.condition(node)
        grouped = self.clauses.group_by or any(output.value.aggregate for output in self.outputs)
        if grouped or self.expressions.compile(node).aggregate:
            self.clauses.having = " AND ".join(filter(None, (self.clauses.having, condition)))
        else:
            self.clauses.where.append(condition)

    def _qualify(self, node: ast.Expression) -> None:
        """QUALIFY filters rows after windows; without any it is one more HAVING, as DuckDB takes none then."""
        values = [self.expressions.compile(node), *(output.value for output in self.outputs)]
        if any(value.window for value in values):
            self.clauses.qualify.append(self.expressions.condition(node))
        else:
            self._having(node)

    def _check_aggregation(self, keys: list[Typed]) -> None:
        """Columns beside aggregates must be keys; a query of constant aggregates alone still gives one row."""
        self.keys = keys
        aggregates = [output.value for output in self.outputs if output.value.aggregate]
        if not (aggregates or self.clauses.group_by):
            return
        from tbpy.clickhouse.compiler.grouping import check_columns

        check_columns(self, keys)
        if not self.clauses.group_by and all(value.constant for value in aggregates):
            self.clauses.group_by = "()"

    # --- what follows the columns ---

    def _distinct(self) -> None:
        if self.select.distinct_on:
            keys = ", ".join(self._positional(node).sql for node in self.select.distinct_on)
            self.clauses.distinct = f"DISTINCT ON ({keys}) "
        elif self.select.distinct:
            self.clauses.distinct = "DISTINCT "
            self.outputs = tuple(replace(one, value=one_text(self.context, one.value)) for one in self.outputs)

    def _order(self) -> None:
        if self.select.order_by_all:
            item = (*self.select.order_by, ast.OrderItem(ast.Literal(None, "")))[0]
            self.order_values = [(output.value, item) for output in self.outputs]
        else:
            self.order_values = [
                (self._positional(node), item)
                for item in self.select.order_by
                for node in columns_of(self.expressions, (item.expression,))
            ]
        self.clauses.order_by = [key for value, item in self.order_values for key in self.order_keys(value, item)]

    def order_keys(self, value: Typed, item: ast.OrderItem) -> list[str]:
        """The sort keys of one ORDER BY item; a constant sorts nothing, and DuckDB would read it as a position."""
        failures.check_varying(self.context, value.type, "ORDER BY", item.expression)
        return [] if value.constant or value.known else order_sql(self.context, value, item)

    def _limit_by(self) -> None:
        limit = self.select.limit_by
        self.base_qualify = list(self.clauses.qualify)
        if limit is None:
            return
        if limit.all:
            self.limit_keys = [output.value for output in self.outputs if not output.value.aggregate]
        else:
            nodes = columns_of(self.expressions, limit.expressions)
            self.limit_keys = [self._positional(node) for node in nodes]
        self.limit_keys = [one_text(self.context, key) for key in self.limit_keys]
        self.clauses.qualify.append(self.limit_by_condition(self.limit_keys, self.clauses.order_by))

    def limit_by_condition(self, keys: list[Typed], order_by: list[str]) -> str:
        """LIMIT BY as a filter on the row's number within its key."""
        assert self.select.limit_by is not None
        cut = limit_by_cut(self.expressions, self.select.limit_by)
        order = f" ORDER BY {', '.join(order_by)}" if order_by else ""
        partition = f"PARTITION BY {', '.join(key.exact() for key in keys)}" if keys else ""
        row = steady(f"row_number() OVER ({partition}{order})")
        count = steady(f"count(*) OVER ({partition})")
        return cut.condition(row, count, row, f"{count} - {row} + 1")

    def _limit(self) -> None:
        self.cut = select_cut(self.expressions, self.select)
        if self.cut.plain:
            self.clauses.limit = "" if self.cut.limit is None else str(self.cut.limit)
            self.clauses.offset = str(self.cut.offset or "")

    def _laterals(self) -> None:
        """arrayJoin() calls met on the way become joins of FROM."""
        if self.scope.joined_values and self.clauses.group_by and not self.scope.grouping_sets:
            values = [value.sql for value in self.scope.joined_values.values()]
            self.clauses.group_by = ", ".join([self.clauses.group_by, *values])  # the same in all rows
        parts = [self.clauses.from_] if self.clauses.from_ else []
        self.clauses.from_ = ", ".join([*parts, *self.scope.lateral_sql()])

    def _pass_totals(self, source: str) -> None:
        """Totals of a subquery go through a SELECT that neither aggregates nor multiplies rows."""
        values = tuple(output.value for output in self.outputs)
        if self.clauses.group_by or self.scope.lateral_sql() or any(value.aggregate for value in values):
            return
        self.totals = Clauses(from_=source).sql(select_list(values))

    def _block(self) -> Block:
        from tbpy.clickhouse.compiler.finishing import finish

        return replace(finish(self), ordered=keeps_order(self))

    def sql(self, clauses: Clauses, *more: str) -> str:
        """The SELECT with these clauses, one column per output, and `more` columns behind them."""
        return clauses.sql(", ".join((select_list(tuple(output.value for output in self.outputs)), *more)))


def declare_with(scope: Scope, select: ast.Select) -> None:
    """Put what WITH names into the scope."""
    named: set[str] = set()
    for item in select.with_:
        if isinstance(item, ast.CommonTable):
            if item.name in named:
                text = f"CTE with name {item.name} already exists"
                raise failures.failure(text, 179, "MULTIPLE_EXPRESSIONS_FOR_ALIAS", item)
            named.add(item.name)
            before = replace(scope, common_tables=dict(scope.common_tables))
            scope.common_tables[item.name] = CommonTableEntry(item, before, select.recursive)
        else:
            scope.with_aliases[item.name] = item.expression


def _significant(keys: list[Typed]) -> list[Typed]:
    """The keys that decide groups: constants are left out unless there is nothing else."""
    varying = [key for key in keys if not key.constant]
    return varying or keys[:1]
