"""From an expression of the syntax tree to typed DuckDB SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.combinators import OF_ONE_AGGREGATE, build_combined, split_name
from tbpy.clickhouse.aggregates.registry import AGGREGATES, Aggregate
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.literals import constant, literal
from tbpy.clickhouse.compiler.parameters import OpenLiteral, OpenText, is_null
from tbpy.clickhouse.compiler.parts import part, parts
from tbpy.clickhouse.compiler.scope import Column, Relation, Scope
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.function_names import is_clickhouse_function
from tbpy.clickhouse.functions.registry import SCALARS, Call, Scalar, build_scalar, find_scalar
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names
from tbpy.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What standard SQL writes as a name, where no column has it.
_WITHOUT_BRACKETS = {
    **dict.fromkeys(("NOW", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP"), "now"),
    **dict.fromkeys(("TODAY", "CURDATE", "CURRENT_DATE"), "today"),
    **dict.fromkeys(("USER", "CURRENT_USER"), "currentUser"),
    **dict.fromkeys(("DATABASE", "CURRENT_DATABASE"), "currentDatabase"),
}


@dataclass(slots=True)
class BoundLambda:
    """A lambda argument, ready to be compiled with its parameters bound to expressions."""

    node: ast.Lambda
    compiler: ExpressionCompiler

    def apply(self, *arguments: Typed) -> Typed:
        """The body for these arguments; the elements of one tuple stand for several arguments."""
        if len(arguments) == 1 and len(self.node.parameters) > 1 and isinstance(arguments[0].type, t.Tuple):
            arguments = tuple(parts(arguments[0]))
        if len(arguments) != len(self.node.parameters):
            text = f"Lambda has {len(self.node.parameters)} arguments, expected a lambda of {len(arguments)} arguments"
            raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", self.node)
        names = dict(zip(self.node.parameters, arguments, strict=True))
        with self.compiler.binding(names):
            return self.compiler.compile(self.node.body)


@dataclass(slots=True)
class ExpressionCompiler:
    """Compiles expressions of one SELECT. `scope` says what names mean, `context` is the whole statement's state."""

    context: Context
    scope: Scope

    def compile(self, node: ast.Expression) -> Typed:
        """The expression as DuckDB SQL with its type. Raises QueryError with the place of what is wrong."""
        readings = self.scope.key_readings
        if readings:  # a key may hold another one, so each expression is first looked at as a whole
            with self.scope.raw_keys():
                whole = _COMPILERS[type(node)](self, node).sql
            if whole in readings:
                return readings[whole]
        typed = _COMPILERS[type(node)](self, node)
        return readings.get(typed.sql, typed) if readings else typed

    def condition(self, node: ast.Expression) -> str:
        """The expression as a DuckDB BOOLEAN, for WHERE, HAVING, ON and FILTER."""
        return condition_of(self.truth(node))

    def truth(self, node: ast.Expression) -> Typed:
        """An expression that decides about rows."""
        typed = self.compile(node)
        inner = t.plain(typed.type)
        if not isinstance(inner, t.Int | t.Bool | t.Float | t.Nothing | t.Decimal):
            text = f"Illegal type {typed.type} of column for filter. Must be UInt8 or Nullable(UInt8) or a number"
            raise failures.bad_filter(text, node)
        return typed

    @contextmanager
    def binding(self, names: Mapping[str, Typed]) -> Iterator[None]:
        """Lambda parameters, visible while the body compiles."""
        self.scope.lambdas.append(dict(names))
        try:
            yield
        finally:
            self.scope.lambdas.pop()

    # --- names ---

    def identifier(self, node: ast.Identifier) -> Typed:
        found = self.lookup(node)
        if found is not None:
            return found
        if node.name.upper() in _WITHOUT_BRACKETS:
            return self.compile(ast.Function(_WITHOUT_BRACKETS[node.name.upper()], (), start=node.start, end=node.end))
        raise failures.unknown_identifier(node.name, node, self.scope.column_names())

    def lookup(self, node: ast.Identifier) -> Typed | None:
        """What a name means in this scope or in one around it; a longer name may end in a path into the value."""
        head = node.parts[0]
        bound = self.scope.lambda_argument(head)
        if bound is not None:
            return self.path(bound, node.parts[1:], node)
        if self.scope.alias(head) is not None:
            return self.path(self._expand(head), node.parts[1:], node)
        column = self._column(node)
        if column is not None:
            return column
        return self._outer(node)

    def _expand(self, name: str) -> Typed:
        """An alias as the expression it stands for, compiled once."""
        done = self.scope.expanded.get(name)
        if done is not None:
            return self._in_lambda(done)
        expression = self.scope.alias(name)
        assert expression is not None
        self.scope.expanding.append(name)
        frames, self.scope.lambdas = self.scope.lambdas, []
        bound, self.context.bound = self.context.bound, 0  # wherever it stands, an alias is the same SQL
        try:
            typed = self.compile(expression)
        except failures.QueryError as error:
            if not frames or error.code != 47:
                raise
            self.scope.lambdas = frames  # an alias whose expression names a lambda argument
            self.context.bound = bound
            return self.compile(expression)
        finally:
            self.scope.expanding.pop()
            self.scope.lambdas, self.context.bound = frames, bound
        if not self.scope.expanding:
            self.scope.expanded[name] = typed
        return self._in_lambda(typed)

    def _in_lambda(self, value: Typed) -> Typed:
        """An alias where it is used: a subquery in a lambda is joined to the rows."""
        if self.scope.lambdas and value.constant and value.sql.startswith("(SELECT "):
            return self.scope.beside(value, self.context)
        return value

    def _column(self, node: ast.Identifier) -> Typed | None:
        """The column that a name means, or what its path leads to."""
        found = self.find_column(node)
        if found is None:
            return None
        column, rest = found
        return self.path(self.scope.key_readings.get(column.value.sql, column.value), rest, node)

    def find_column(self, node: ast.Identifier) -> tuple[Column, tuple[str, ...]] | None:
        """A column and a path in it; of several readings of the name the first whose path leads somewhere."""
        first = None
        for column, rest in self._readings(node):
            first = first or (column, rest)
            with suppress(failures.QueryError):
                self.path(column.value, rest, node)
                return column, rest
        return first

    def _readings(self, node: ast.Identifier) -> Iterator[tuple[Column, tuple[str, ...]]]:
        """The longest reading as column name first, then table.column."""
        parts = node.parts
        for length in range(len(parts), 0, -1):
            column = self._pick(".".join(parts[:length]), None, node)
            if column is not None:
                yield column, parts[length:]
        for split in (1, 2):
            for length in range(len(parts), split, -1):
                qualifier, name = ".".join(parts[:split]), ".".join(parts[split:length])
                column = self._pick(name, qualifier, node)
                if column is not None:
                    yield column, parts[length:]

    def _pick(self, name: str, qualifier: str | None, node: ast.Identifier) -> Column | None:
        found = self.scope.columns_named(name, qualifier)
        if not found:
            return None
        if found[0][0].elements:
            return found[0][1]
        # With one join the left table wins (single_join_prefer_left_table); with more, the name is ambiguous.
        shared = any(column.shared for _, column in found)
        if len(found) > 1 and self.scope.joins > 1 and not shared and not _all_the_same(found):
            raise failures.ambiguous_identifier(node.name, node)
        return next((column for _, column in found if column.shared), found[0][1])

    def _outer(self, node: ast.Identifier) -> Typed | None:
        parent = self.scope.parent
        if parent is None:
            return None
        outer = ExpressionCompiler(self.context, parent)
        name = node.parts[0]
        if name in parent.with_aliases and name not in parent.expanding:
            return self.path(self._outer_alias(outer, name), node.parts[1:], node)
        return outer.lookup(node)

    def _outer_alias(self, outer: ExpressionCompiler, name: str) -> Typed:
        """A WITH expression of a scope outside; its names may mean columns that are in sight only here."""
        try:
            return outer._expand(name)
        except failures.QueryError as error:
            if error.code != 47 or name in self.scope.expanding:
                raise
        self.scope.expanding.append(name)
        try:
            return self.compile(outer.scope.with_aliases[name])
        finally:
            self.scope.expanding.pop()

    def path(self, value: Typed, names: tuple[str, ...], node: ast.Identifier) -> Typed:
        """A path into a tuple, map or JSON value: `t.a.b`, `json.user.id`."""
        for place, name in enumerate(names):
            if t.is_document(value.type):
                return self._document_path(value, names[place:], node)
            value = self.step(value, name, node)
        return value

    def _document_path(self, value: Typed, names: tuple[str, ...], node: ast.Node) -> Typed:
        from tbpy.clickhouse.functions.json_paths import only_value, path_below

        call = ast.Function("getSubcolumn", (), start=node.start, end=node.end)
        return only_value(path_below(Call("getSubcolumn", call, (value,), self), value, names))

    def step(self, value: Typed, name: str, node: ast.Node) -> Typed:
        """One step below a value that is no JSON: an element of a tuple, or of each tuple of an array."""
        inner = t.plain(value.type)
        if isinstance(inner, t.Tuple):
            for position, field in enumerate(field_names(inner)):
                if name in (field, str(position + 1)):
                    return part(value, position)
        record = t.plain(inner.item) if isinstance(inner, t.Array) else None
        if isinstance(inner, t.Array) and isinstance(record, t.Tuple) and name in (record.names or ()):
            found = part(Typed("e", inner.item), field_names(record).index(name))
            sql = f"list_transform({value.sql}, lambda e: {found.sql})"
            return replace(value, sql=sql, type=t.Array(found.type), condition=None)
        try:
            subcolumn = self.subcolumn(value, name, node)
        except UnsupportedError:  # no type that has such a part
            subcolumn = None
        if subcolumn is None:
            raise failures.unknown_identifier(getattr(node, "name", name), node, self.scope.column_names())
        return subcolumn

    def subcolumn(self, value: Typed, name: str, node: ast.Node) -> Typed | None:
        """Subcolumns of other types (JSON, Map, Nullable) go through the catalogue's row `getSubcolumn`."""
        row = find_scalar("getSubcolumn")
        if row is None:
            return None
        call = ast.Function("getSubcolumn", (), start=node.start, end=node.end)
        return self.build(row, call, (value, constant(name)))

    # --- functions ---

    def function(self, node: ast.Function) -> Typed:
        with self.context.expression():
            return self._function(node)

    def _function(self, node: ast.Function) -> Typed:
        special = SPECIAL.get(node.name)
        if special is not None:
            self._check_nulls(node)
            return special(self, node)
        if node.window is not None:
            return self.window_function(node)
        found = split_name(node.name)
        if found is not None and not (node.name in SCALARS and node.parameters is None):
            return self.aggregate(node, *found)
        row = find_scalar(node.name)
        if row is None:
            named = self._lambda_named(node.name)
            if named is not None:
                return self._called(named, node)
            raise failures.unknown_function(node.name, node, [*SCALARS, *AGGREGATES])
        self._check_nulls(node)
        return self.scalar(row, node)

    def _called(self, named: ast.Lambda, node: ast.Function) -> Typed:
        arguments, wanted = self.arguments(node), len(named.parameters)
        if len(arguments) != wanted:
            text = f"Lambda {node.name} expect {wanted} arguments. Actual: {len(arguments)}"
            raise failures.bad_arguments(text, node)
        return BoundLambda(named, self).apply(*arguments)

    @staticmethod
    def _check_nulls(node: ast.Function) -> None:
        """RESPECT NULLS and IGNORE NULLS are for aggregates."""
        if node.nulls is not None:
            text = f"Function with name `{node.name}` cannot use {node.nulls.upper()} NULLS"
            raise failures.syntax_error(text, node)

    def scalar(self, row: Scalar, node: ast.Function) -> Typed:
        if row.lambdas:
            node = replace(node, arguments=tuple(map(self._named_lambda, node.arguments)))
        lambdas = tuple(BoundLambda(arg, self) if isinstance(arg, ast.Lambda) else None for arg in node.arguments)
        if any(lambdas) and not row.lambdas:
            raise failures.bad_arguments(f"Function {row.name} does not take a lambda", node)
        return self.build(row, node, self.arguments(node), lambdas)

    def arguments(self, node: ast.Function) -> tuple[Typed, ...]:
        """The arguments of a call: `*` and COLUMNS among them stand for their columns, lambdas for themselves."""
        from tbpy.clickhouse.compiler.matchers import expand_columns

        args: list[Typed] = []
        for arg in node.arguments:
            if isinstance(arg, ast.Lambda):
                args.append(Typed("NULL", t.NOTHING))
            elif isinstance(arg, ast.Asterisk | ast.ColumnsMatcher):
                args.extend(output.value for output in expand_columns(self, arg))
            else:
                args.append(self.compile(arg))
        return tuple(args)

    def _lambda_named(self, name: str) -> ast.Lambda | None:
        """`WITH x -> x * 2 AS double SELECT double(3)`: a lambda under a name is called like a function."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.alias(name)
            if found is not None:
                return found if isinstance(found, ast.Lambda) else None
            scope = scope.parent
        return None

    def _named_lambda(self, node: ast.Expression) -> ast.Expression:
        """`WITH x -> x * 2 AS double`: a name that stands for a lambda where one is wanted."""
        if isinstance(node, ast.Identifier) and len(node.parts) == 1:
            alias = self.scope.alias(node.name)
            return alias if isinstance(alias, ast.Lambda) else node
        return node

    def build(
        self,
        row: Scalar,
        node: ast.Function,
        args: tuple[Typed, ...],
        lambdas: tuple[BoundLambda | None, ...] = (),
    ) -> Typed:
        return build_scalar(row, Call(row.name, node, args, self, lambdas=lambdas))

    def call(self, name: str, *args: Typed, node: ast.Node | None = None) -> Typed:
        """Another function of the catalogue, called by a builder."""
        row = find_scalar(name)
        start, end = (node.start, node.end) if node is not None else (0, 0)
        call = ast.Function(name, (), start=start, end=end)
        if row is None:
            raise failures.unknown_function(name, call, SCALARS)
        return self.build(row, call, args)

    def aggregate(
        self, node: ast.Function, row: Aggregate, suffixes: tuple[str, ...], window: str | None = None
    ) -> Typed:
        if row.window_only and window is None:
            text = f"The function '{row.name}' can only be used as a window function, not as an aggregate function"
            raise failures.bad_arguments(text, node)
        if node.nulls == "respect" and row.name not in ("any", "anyLast"):
            raise failures.failure(f"Function {node.name} does not support RESPECT NULLS", 48, "NOT_IMPLEMENTED", node)
        with self.scope.raw_keys() if window is None else nullcontext():
            args = self.arguments(node)
            where = (self.condition(node.filter),) if node.filter is not None else ()
        parameters = tuple(self.compile(parameter) for parameter in node.parameters or ())
        if window is None and any(arg.aggregate for arg in args):
            raise failures.nested_aggregate(self.aggregate_name(node.arguments), node)
        if any(arg.window for arg in args):
            raise failures.nested_window(node, inside_window=window is not None)
        distinct = node.distinct and row.name in OF_ONE_AGGREGATE
        if node.distinct and not distinct:
            suffixes = (*suffixes, "Distinct")
        call = AggregateCall(node.name, node, args, self, parameters, where, distinct=distinct, window=window)
        result = build_combined(row, suffixes, call)
        if row.order and window is None:
            self.scope.orders.add(row.order)
        return replace(result, aggregate=window is None or any(arg.aggregate for arg in args), constant=False)

    def aggregate_name(self, where: ast.Expression | tuple[ast.Expression, ...]) -> str:
        """The name, as of a column, of the first aggregate in an expression, also behind the aliases in it."""
        from tbpy.clickhouse.compiler.aliases import walk
        from tbpy.clickhouse.names import column_name

        waiting, seen = list(where if isinstance(where, tuple) else (where,)), set[str]()
        while waiting:
            for found in walk(waiting.pop(0)):
                if isinstance(found, ast.Function) and found.window is None and split_name(found.name) is not None:
                    return column_name(found)
                behind = self.scope.alias(found.name) if isinstance(found, ast.Identifier) else None
                if behind is not None and isinstance(found, ast.Identifier) and found.name not in seen:
                    seen.add(found.name)
                    waiting.append(behind)
        return "of an alias"

    def window_function(self, node: ast.Function) -> Typed:
        from tbpy.clickhouse.compiler.windows import check_frame, window_sql

        found = split_name(node.name)
        if found is None and find_scalar(node.name) is None and is_clickhouse_function(node.name):
            raise failures.unknown_function(node.name, node, AGGREGATES)
        if found is None:
            raise failures.unknown_aggregate(node.name, node, AGGREGATES)
        assert node.window is not None
        check_frame(self, found[0].name, node.window, node)
        return self.aggregate(node, *found, window=window_sql(self, node.window, node))

    # --- the rest ---

    def literal(self, node: ast.Literal) -> Typed:
        return literal(node)

    def alias(self, node: ast.Alias) -> Typed:
        if self.scope.alias(node.name) is node.expression:
            return self._expand(node.name)
        if node.name in self.scope.elements:  # ARRAY JOIN of the alias: from there on it means the element
            return self.identifier(ast.Identifier((node.name,), start=node.start, end=node.end))
        return self.compile(node.expression)

    def parameter(self, node: ast.Parameter) -> Typed:
        value = self.context.parameters.get(node.name)
        if value is None and node.type != "Identifier":
            t.parse_type(node.type)  # a type that is none is told first
        if value is None:
            raise failures.missing_parameter(node.name, node)
        if node.type == "Identifier":
            return self.identifier(ast.Identifier(tuple(value.split(".")), start=node.start, end=node.end))
        type_ = t.parse_type(node.type)
        if isinstance(value, OpenText):
            return Typed(duckdb_string(value), t.STRING)
        if isinstance(value, OpenLiteral):
            return Typed(value.sql(type_), type_, constant=True)
        text = constant(None if is_null(value, type_) else value)
        return text if type_ == t.STRING else self.call("CAST", text, constant(node.type), node=node)

    def subquery(self, node: ast.Subquery) -> Typed:
        from tbpy.clickhouse.compiler.subqueries import scalar_subquery

        self.context.count_subquery(node)
        value = scalar_subquery(self, node)
        return self.scope.beside(value, self.context) if self.scope.lambdas else value

    def misplaced(self, node: ast.Expression) -> Typed:
        raise failures.bad_arguments(f"{type(node).__name__} cannot stand here", node)


def _all_the_same(found: Sequence[tuple[Relation, Column]]) -> bool:
    """Whether columns of one name are of sources that read the same, or an INNER JOIN says that they are equal."""
    first, column = found[0]
    return all(
        (relation.origin is not None and relation.origin == first.origin) or other.same_as == column.value.sql
        for relation, other in found[1:]
    )


SpecialForm = Callable[[ExpressionCompiler, ast.Function], Typed]

#: Functions that need the syntax of their arguments, not only values: IN, exists, grouping ...
SPECIAL: dict[str, SpecialForm] = {}


def special(*names: str) -> Callable[[SpecialForm], SpecialForm]:
    """Register a form that compiles its own arguments."""

    def register(form: SpecialForm) -> SpecialForm:
        for name in names:
            SPECIAL[name] = form
        return form

    return register


_COMPILERS: dict[type, Callable[[ExpressionCompiler, Any], Typed]] = {
    ast.Literal: ExpressionCompiler.literal,
    ast.Identifier: ExpressionCompiler.identifier,
    ast.Function: ExpressionCompiler.function,
    ast.Alias: ExpressionCompiler.alias,
    ast.Parameter: ExpressionCompiler.parameter,
    ast.Subquery: ExpressionCompiler.subquery,
    ast.Lambda: ExpressionCompiler.misplaced,
    ast.Asterisk: ExpressionCompiler.misplaced,
    ast.ColumnsMatcher: ExpressionCompiler.misplaced,
}
