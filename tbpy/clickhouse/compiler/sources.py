"""FROM: tables, views, subqueries and joins, as DuckDB SQL and the relations whose names the SELECT sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.catalog import Table, View
from tbpy.clickhouse.compiler.context import Context, Hoisted
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.joined_totals import joined_totals
from tbpy.clickhouse.compiler.places import Placed, placed_join
from tbpy.clickhouse.compiler.scope import Column, CommonTableEntry, Relation, Scope
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import default_sql


@dataclass(frozen=True, slots=True)
class Source:
    """A part of FROM: its SQL, the relations it offers, and how many joins it holds.

    `totals` is the same with the totals row of a subquery in place of its rows. `ordered`: the rows come in a given
    order, as an ORDER BY or numbers() has it, and `placed` says it of a join; `row` numbers those of a table as they
    were inserted.
    """

    sql: str
    relations: tuple[Relation, ...]
    joins: int = 0
    totals: str | None = None
    ordered: bool = False
    row: str | None = None
    placed: Placed | None = None


TableFunctionBuilder = Callable[["SourceCompiler", ast.TableFunction, str], Source]
TABLE_FUNCTIONS: dict[str, TableFunctionBuilder] = {}


def table_function(*names: str) -> Callable[[TableFunctionBuilder], TableFunctionBuilder]:
    """Register a table function: it gets the node and the DuckDB alias to use."""

    def register(builder: TableFunctionBuilder) -> TableFunctionBuilder:
        for name in names:
            TABLE_FUNCTIONS[name] = builder
        return builder

    return register


@dataclass(slots=True)
class SourceCompiler:
    context: Context
    scope: Scope

    def compile(self, node: ast.TableExpression) -> Source:
        match node:
            case ast.TableName():
                return self.table(node)
            case ast.SubqueryTable():
                return self.subquery(node)
            case ast.TableFunction():
                return self.function(node)
            case ast.Join():
                return self.join(node)
            case ast.ArrayJoin():
                from tbpy.clickhouse.compiler.array_join import array_join

                return array_join(self, node)

    def expressions(self, relations: tuple[Relation, ...], joins: int = 0) -> ExpressionCompiler:
        """A compiler for expressions that see some relations: ON conditions, arrays of ARRAY JOIN."""
        return ExpressionCompiler(self.context, replace(self.scope, relations=relations, joins=joins, expanded={}))

    # --- tables ---

    def table(self, node: ast.TableName) -> Source:
        if node.name.startswith("{"):
            node = self._named_by_parameter(node)
        if node.database is None:
            entry = self.scope.common_table(node.name)
            if entry is not None:
                _check_modifiers(node)
                self.context.count_subquery(node)
                return self._hoisted(self._common_table(node, entry), node, entry.definition.columns)
        found = self.scope.catalog.resolve(node.name, node.database)
        if found is None and node.database == "system":
            return self._system(node)
        if found is None:
            raise self._unknown(node)
        if isinstance(found, View):
            return self._hoisted(self.view(found, node), node)
        return self._stored(found, node)

    def _unknown(self, node: ast.TableName) -> failures.QueryError:
        """What ClickHouse says of a table that is not there, or of its database."""
        names = list(self.scope.catalog.names())
        if node.database is None:
            return failures.unknown_table(node.name, node, names)
        if any(self.scope.catalog.resolve(name, node.database) for name in names):
            return failures.unknown_table(f"{node.database}.{node.name}", node, names)
        return failures.failure(f"Database {node.database} does not exist", 81, "UNKNOWN_DATABASE", node)

    def _named_by_parameter(self, node: ast.TableName) -> ast.TableName:
        """`FROM {name:Identifier}`: the table that the parameter names."""
        name = node.name[1:-1].partition(":")[0]
        value = self.context.parameters.get(name)
        if value is None:
            raise failures.missing_parameter(name, node)
        return replace(node, name=value)

    def _system(self, node: ast.TableName) -> Source:
        """The tables of `system` that hold no state: `one`, `numbers`, `zeros`."""
        alias = self.context.alias("t")
        if node.name == "one":
            column = Column("dummy", Typed(f"{alias}.c0", t.UINT8))
            relation = Relation((node.alias or "one",), (column,))
            return Source(f"(SELECT CAST(0 AS UTINYINT) AS c0) AS {alias}", (relation,), ordered=True)
        if node.name in ("numbers", "zeros"):
            return self.function(ast.TableFunction(node.name, (), node.alias, start=node.start, end=node.end))
        raise failures.unknown_table(f"system.{node.name}", node, ())

    def _stored(self, table: Table, node: ast.TableName) -> Source:
        self.context.tables.add(table.name)
        alias = self.context.alias("t")
        columns = tuple(
            Column(column.name, Typed(f"{alias}.{duckdb_name(column.physical or column.name)}", column.type))
            for column in table.columns
        )
        relation = Relation(_qualifiers(node), columns, origin=table.name)
        if node.final:
            from tbpy.clickhouse.compiler.final import final_source

            return final_source(self, table, relation, alias)
        rows = self._rows(table)
        numbered = table.numbered and rows == table.physical
        return Source(f"{rows} AS {alias}", (relation,), row=f"{alias}.rowid" if numbered else None)

    def _rows(self, table: Table) -> str:
        if table.engine.join is None:
            return table.physical
        from tbpy.clickhouse.compiler.join_tables import rows_of_join

        return rows_of_join(table, table.engine.join)

    def _hoisted(self, hoisted: Hoisted, node: ast.TableName, titles: tuple[str, ...] = ()) -> Source:
        alias = self.context.alias("t")
        _check_titles(node, titles, len(hoisted.outputs))
        block = Block(hoisted.sql, hoisted.outputs)
        totals = None if hoisted.totals is None else f"({hoisted.totals}) AS {alias}"
        relation = replace(block.relation(alias, _qualifiers(node), titles), origin=hoisted.name)
        return Source(f"{hoisted.name} AS {alias}", (relation,), totals=totals, ordered=hoisted.ordered)

    def _common_table(self, node: ast.TableName, entry: CommonTableEntry) -> Hoisted:
        from tbpy.clickhouse.compiler.queries import compile_block
        from tbpy.clickhouse.compiler.recursion import recursive_block

        key = (id(entry.definition), entry.definition.name)
        done = self.context.views.get(key)
        if done is not None:
            return done
        if entry.recursive and isinstance(entry.definition.query, ast.SetOperation):
            return recursive_block(self.context, entry, key)
        block = compile_block(self.context, entry.scope.catalog, entry.scope, entry.definition.query)
        return self._hoist(key, node.name, block)

    def view(self, view: View, node: ast.Node) -> Hoisted:
        """A pipe or node, compiled once per statement in the scope of its own catalog."""
        from tbpy.clickhouse.compiler.queries import compile_block
        from tbpy.clickhouse.parser import parse_query

        key = (id(view.catalog), view.name)
        done = self.context.views.get(key)
        if done is not None:
            return done
        if any(other.name == view.name and other.catalog is view.catalog for other in self.context.compiling):
            raise failures.bad_arguments(f"Circular dependency through '{view.name}'", node)
        self.context.compiling.append(view)
        try:
            block = compile_block(self.context, view.catalog, None, parse_query(view.sql))
        except failures.QueryError as error:
            if error.place is not None and error.place.view is None:
                error.place = replace(error.place, view=view.name)
            raise
        finally:
            self.context.compiling.pop()
        return self._hoist(key, view.name, block)

    def _hoist(self, key: tuple[int, str], name: str, block: Block) -> Hoisted:
        hoisted = Hoisted(
            duckdb_name(self.context.alias(f"{name}_")), block.sql, block.outputs, block.totals, block.ordered
        )
        self.context.hoisted.append(hoisted)
        self.context.views[key] = hoisted
        return hoisted

    def subquery(self, node: ast.SubqueryTable) -> Source:
        from tbpy.clickhouse.compiler.queries import compile_block

        _check_modifiers(node)
        self.context.count_subquery(node)
        block = compile_block(self.context, self.scope.catalog, self.scope, node.query)
        _check_titles(node, node.columns, len(block.outputs))
        alias = self.context.alias("t")
        names = (node.alias,) if node.alias else ()
        totals = None if block.totals is None else f"({block.totals}) AS {alias}"
        relation = replace(block.relation(alias, names, node.columns), origin=node.query)
        return Source(f"({block.sql}) AS {alias}", (relation,), totals=totals, ordered=block.ordered)

    def function(self, node: ast.TableFunction) -> Source:
        builder = TABLE_FUNCTIONS.get(node.name)
        if builder is None:
            raise failures.failure(f"Unknown table function {node.name}", 46, "UNKNOWN_FUNCTION", node)
        return builder(self, node, self.context.alias("t"))

    # --- joins ---

    def join(self, node: ast.Join) -> Source:
        left = self.compile(node.left)
        right = self.compile(node.right)
        if node.kind == "paste":
            return self._paste(left, right)
        totals = joined_totals(left, right)
        if node.kind in ("cross", "comma") and node.on is None and not node.using:
            joins, placed = left.joins + right.joins + 1, placed_join(left, "CROSS JOIN", right)
            sql, relations = f"{left.sql} CROSS JOIN {right.sql}", left.relations + right.relations
            return Source(sql, relations, joins, totals, placed=placed)
        from tbpy.clickhouse.compiler.joins import join_sources

        joined = join_sources(self, node, left, right)
        return replace(joined, totals=totals) if node.strictness in (None, "all") else joined

    def _paste(self, left: Source, right: Source) -> Source:
        """Rows side by side, as many as the shorter side has."""
        one, number = numbered(self.context, left)
        other, place = numbered(self.context, right)
        sql = f"{one.sql} INNER JOIN {other.sql} ON {number} = {place}"
        joins = left.joins + right.joins + 1
        return Source(sql, one.relations + other.relations, joins, placed=Placed(sql, (number,)))


def _check_modifiers(node: ast.TableName | ast.SubqueryTable) -> None:
    """FINAL and SAMPLE are of tables, not of queries."""
    if node.final or node.sample is not None:
        words = " ".join(["FINAL"] * node.final + ["SAMPLE"] * (node.sample is not None))
        text = f"Table expression modifiers {words} are not supported for subquery"
        raise failures.failure(text, 1, "UNSUPPORTED_METHOD", node)


def _check_titles(node: ast.Node, titles: tuple[str, ...], columns: int) -> None:
    """The names behind an alias, `AS t (a, b)`, are one for each column."""
    if titles and len(titles) != columns:
        text = f"Number of aliases does not match number of projection columns. Expected {columns}, got {len(titles)}"
        raise failures.bad_arguments(text, node)
    repeated = next((title for title in titles if titles.count(title) > 1), None)
    if repeated is not None:
        raise failures.bad_arguments(f"Duplicate column alias '{repeated}' in table expression column list", node)


def _qualifiers(node: ast.TableName) -> tuple[str, ...]:
    """The names a table answers to: its alias first, and its own name still."""
    alias = (node.alias,) if node.alias else ()
    return (*alias, node.name, f"{node.database}.{node.name}") if node.database else (*alias, node.name)


def filled(relation: Relation, *, nulls: bool) -> Relation:
    """A relation whose rows may be missing after an outer join: type defaults stand in, or NULL with join_use_nulls."""

    def fill(column: Column) -> Column:
        value = column.value
        optional = t.nullable(value.type)
        if nulls and t.is_nullable(optional):
            return replace(column, value=replace(value, type=optional, constant=False))
        if t.is_nullable(value.type):
            return column
        sql = f"coalesce({value.sql}, {default_sql(value.type)})"
        return replace(column, value=replace(value, sql=sql, condition=None, constant=False))

    return replace(relation, columns=tuple(map(fill, relation.columns)), hidden=tuple(map(fill, relation.hidden)))


def materialized(
    context: Context,
    source: Source,
    *,
    distinct_on: tuple[str, ...] = (),
    where: tuple[str, ...] = (),
    qualify: str = "",
    more: tuple[str, ...] = (),
) -> tuple[Source, tuple[str, ...]]:
    """A source as a subquery, its columns under new DuckDB names: one row for each key of `distinct_on`.

    `more` are further columns, whose names in the subquery stand beside the source.
    """
    alias = context.alias("t")
    columns: list[str] = []

    def named(sql: str) -> str:
        columns.append(f"{sql} AS c{len(columns)}")
        return f"{alias}.c{len(columns) - 1}"

    def rename(column: Column) -> Column:
        return replace(column, value=Typed(named(column.value.exact()), column.value.type))

    relations = tuple(
        replace(relation, columns=tuple(map(rename, relation.columns)), hidden=tuple(map(rename, relation.hidden)))
        for relation in source.relations
    )
    names = tuple(map(named, more))
    distinct = f"DISTINCT ON ({', '.join(distinct_on)}) " if distinct_on else ""
    clauses = [f"SELECT {distinct}{', '.join(columns)}", f"FROM {source.sql}"]
    clauses += [f"WHERE {' AND '.join(where)}"] if where else []
    clauses += [f"QUALIFY {qualify}"] if qualify else []
    return Source(f"({' '.join(clauses)}) AS {alias}", relations), names


def numbered(context: Context, source: Source) -> tuple[Source, str]:
    """A source as a subquery, and the number of each of its rows."""
    found, [number] = materialized(context, source, more=("row_number() OVER ()",))
    return found, number


def shared_type(left: Column, right: Column, node: ast.Node) -> tuple[t.Type, str, str]:
    """The common type of two USING columns, and both as SQL of that type."""
    type_ = common_type([left.value.type, right.value.type], node)
    return type_, coerce(left.value, type_).sql, coerce(right.value, type_).sql
