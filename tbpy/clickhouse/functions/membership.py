"""IN and EXISTS: whether a value is in a set of constants or in the rows of a query.

A set holds values of the left side's type: what cannot be one of them is never found, and NULL is found by nothing.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.subqueries import compile_block, exists, in_block
from tbpy.clickhouse.compiler.typed import Typed, boolean, condition_of
from tbpy.clickhouse.functions.comparable import comparable_sql
from tbpy.clickhouse.functions.null_sets import has_null, same_parts, with_null, with_null_rows
from tbpy.clickhouse.functions.varying_sets import in_elements, names_a_table, varies
from tbpy.clickhouse.quoting import duckdb_string, quote_string
from tbpy.errors import QueryError


@special("in", "notIn", "globalIn", "globalNotIn", "nullIn", "notNullIn")
def in_(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    if node.name in ("nullIn", "notNullIn"):
        raise failures.unsupported(f"Function {node.name}", node)
    if len(node.arguments) != 2:
        raise failures.wrong_count(node.name, len(node.arguments), "2", node)
    value, right = compiler.compile(node.arguments[0]), node.arguments[1]
    negated = node.name.lower().endswith("notin")
    if compiler.context.enabled("transform_null_in"):
        inside = _null_safe_condition(compiler, value, right, node)
        return boolean(f"(NOT {inside})" if negated else inside, aggregate=value.aggregate, window=value.window)
    loose = varies(compiler, right)
    if isinstance(t.plain(value.type), t.Nothing):
        return replace(constant(None), type=t.Nullable(t.UINT8)) if loose else constant(None)
    if t.varies(value.type) or isinstance(t.plain(value.type), t.Json):
        raise failures.wrong_type(node.name, [value.type], node)
    inside = _in_condition(compiler, value, right, node)
    condition = f"(NOT {inside})" if negated else inside
    nullable = _can_be_null(value) or loose
    result = boolean(condition, nullable=nullable, aggregate=value.aggregate, window=value.window)
    apart = isinstance(right, ast.Subquery | ast.Identifier) or isinstance(t.plain(value.type), t.Tuple) or loose
    if _can_be_null(value) and apart:
        # In DuckDB NULL is not in an empty set; as a filter that is as good as NULL, unless it is turned round.
        exact = boolean(f"(CASE WHEN {value.sql} IS NOT NULL THEN {condition} END)", nullable=True)
        result = replace(result, sql=exact.sql, condition=exact.condition if negated else condition)
    if isinstance(value.type, t.LowCardinality) and not loose:
        return replace(result, type=t.LowCardinality(result.type))
    return result


def _null_safe_condition(compiler: ExpressionCompiler, value: Typed, right: ast.Expression, node: ast.Function) -> str:
    """IN where NULL is found by NULL."""
    block = _rows(compiler, right)
    if block is not None:
        nothing = isinstance(t.plain(value.type), t.Nothing)
        found = "false" if nothing else in_block(compiler, value, block, node)
        return with_null_rows(value, found, block, node)
    items = [item for item, _ in _set_items(compiler, value, right, node)]
    if isinstance(t.plain(value.type), t.Tuple):
        left = _parts(compiler, value, node.arguments[0])
        tests = [
            f"{value.sql} IS NULL" if item.known and item.value is None else same_parts(compiler, left, item, node)
            for item in items
        ]
        return f"({' OR '.join(tests)})"
    nothing = isinstance(t.plain(value.type), t.Nothing)
    found = "false" if nothing else _in_condition(compiler, value, right, node)
    return with_null(value, found, holds_null=has_null(items))


def _can_be_null(value: Typed) -> bool:
    return t.is_nullable(value.type)


def _rows(compiler: ExpressionCompiler, right: ast.Expression) -> Block | None:
    """The rows that a query or the name of a table on the right side means."""
    if isinstance(right, ast.Subquery):
        compiler.context.count_subquery(right)
        return compile_block(compiler, right.query)
    if isinstance(right, ast.Identifier) and names_a_table(compiler, right):
        table = ast.TableName(right.parts[-1], right.parts[0] if len(right.parts) > 1 else None)
        table = replace(table, start=right.start, end=right.end)
        try:
            return compile_block(compiler, ast.Select((ast.Asterisk(),), from_=table))
        except QueryError as error:
            if error.code != 60:
                raise
            text = f"Unknown expression or table expression identifier `{right.name}`"
            raise failures.failure(text, 47, "UNKNOWN_IDENTIFIER", right) from None
    return None


def _in_condition(compiler: ExpressionCompiler, value: Typed, right: ast.Expression, node: ast.Function) -> str:
    block = _rows(compiler, right)
    if block is not None:
        return in_block(compiler, value, block, node)
    found_in = in_elements(compiler, value, right, node)
    if found_in is not None:
        return found_in
    elements = _computed_set(compiler, value, right)
    if elements is not None:
        return f"list_contains({elements.sql}, {value.sql})"
    found = _set_items(compiler, value, right, node)
    if isinstance(t.plain(value.type), t.Tuple):
        return _tuple_in(compiler, value, found, node)
    items = [item for item, _ in found if not (item.known and item.value is None)]
    listed = [sql for item in items if (sql := _member(compiler, value, item, node)) is not None]
    if not listed:
        return f"(CASE WHEN {value.sql} IS NULL THEN NULL ELSE false END)" if _can_be_null(value) else "false"
    return f"({value.sql} IN ({', '.join(dict.fromkeys(listed))}))"


def _computed_set(compiler: ExpressionCompiler, value: Typed, right: ast.Expression) -> Typed | None:
    """A constant array whose elements only the run knows, as elements of the left side's type; else None."""
    written = isinstance(right, ast.Function) and right.name in ("tuple", "array")
    own = t.plain(value.type)
    if written or isinstance(own, t.Tuple | t.Array | t.Map | t.Enum):
        return None
    typed = compiler.compile(right)
    kind = t.plain(typed.type)
    if not isinstance(kind, t.Array) or not typed.constant or isinstance(typed.value, tuple | list):
        return None
    item = t.plain(kind.item)
    if item == own:
        return typed
    convert = "CAST" if isinstance(item, t.String) else "accurateCastOrNull"
    element = ast.Identifier(("tbpy_element",))
    converted = ast.Function(convert, (element, ast.Literal(str(own), quote_string(str(own)))))
    return compiler.compile(ast.Function("arrayMap", (ast.Lambda(("tbpy_element",), converted), right)))


def _member(compiler: ExpressionCompiler, value: Typed, item: Typed, node: ast.Function) -> str | None:
    """An element of a set as the type of the left side; None where it is no such value."""
    own, kind = t.plain(value.type), t.plain(item.type)
    if isinstance(own, t.Int) and item.known and isinstance(item.value, float) and not item.value.is_integer():
        return None
    if isinstance(own, t.Int) and item.known and isinstance(item.value, int) and not isinstance(kind, t.Bool):
        return constant(item.value).sql if own.minimum <= item.value <= own.maximum else None
    if isinstance(own, t.Bool) and item.known and isinstance(item.value, bool | int):
        return {0: "false", 1: "true"}.get(int(item.value))
    if isinstance(own, t.Enum) and isinstance(kind, t.Int) and item.known:
        names = [name for name, number in own.members if number == item.value]
        return comparable_sql(compiler, value, constant(names[0]), node)[1] if names else None
    if isinstance(kind, t.Bool) and not isinstance(own, t.String) and not t.is_number(own):
        raise _mismatch(value, item, node)
    if item.known and isinstance(item.value, int) and isinstance(own, t.String | t.Date):
        return duckdb_string(str(item.value)) if isinstance(own, t.String) else f"(DATE '1970-01-01' + {item.sql})"
    if isinstance(own, t.Float) and item.known and isinstance(item.value, int):
        return constant(float(item.value)).sql
    if isinstance(own, t.Decimal) and isinstance(item.value, float) and _digits(item.value) > own.scale:
        return None
    try:
        left, right = comparable_sql(compiler, value, item, node)
    except QueryError as error:
        raise _mismatch(value, item, node) if error.code == 43 else error from None
    if left != value.sql and not isinstance(own, t.Decimal):
        raise failures.unsupported(f"IN of {value.type} with an element of type {item.type}", node)
    if left != value.sql:
        return f"CAST({item.sql} AS DECIMAL(38, {own.scale}))" if isinstance(own, t.Decimal) else right
    return right


def _mismatch(value: Typed, item: Typed, node: ast.Function) -> QueryError:
    text = f"Type mismatch in IN or VALUES section. Expected: {t.plain(value.type)}. Got: {item.type}"
    return failures.failure(text, 53, "TYPE_MISMATCH", node)


def _digits(number: float) -> int:
    """How many digits after the point a literal has."""
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _tuple_in(compiler: ExpressionCompiler, value: Typed, items: list[Item], node: ast.Function) -> str:
    """Any of several tuples; one that holds NULL, on either side, is found by nothing."""
    left, tests = _parts(compiler, value, node.arguments[0]), []
    for item, written in items:
        if item.known and item.value is None:
            continue
        inner = t.plain(item.type)
        if not isinstance(inner, t.Tuple) or len(inner.items) != len(left):
            text = "Incorrect element of set. Should be a tuple of the same size as the left side"
            raise QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=failures.place(node))
        if item.known and isinstance(item.value, tuple) and None in item.value:
            continue
        pairs = zip(left, _parts(compiler, item, written), strict=True)
        equal = [condition_of(compiler.call("equals", one, other, node=node)) for one, other in pairs]
        tests.append(f"({' AND '.join(equal) or 'true'})")
    if not tests:
        return "false"
    joined = tests[0] if len(tests) == 1 else f"({' OR '.join(tests)})"
    return f"coalesce({joined}, false)" if any(t.is_nullable(part.type) for part in left) else joined


def _parts(compiler: ExpressionCompiler, value: Typed, written: ast.Expression | None) -> list[Typed]:
    """The elements of a tuple: where it is written out they need not be put together first."""
    if isinstance(written, ast.Function) and written.name == "tuple":
        return [compiler.compile(argument) for argument in written.arguments]
    return parts(value)


Item = tuple[Typed, ast.Expression | None]  # an element of a set, and how it is written


def _set_items(compiler: ExpressionCompiler, value: Typed, right: ast.Expression, node: ast.Function) -> list[Item]:
    """The members of a set: of a tuple or array literal, or the one value given. For a tuple on the left, tuples."""
    depth, own = _depth(t.plain(value.type)), t.plain(value.type)
    if isinstance(own, t.Tuple) and not own.items and isinstance(right, ast.Function) and not right.arguments:
        return [(compiler.compile(right), right)]
    if isinstance(right, ast.Function) and right.name in ("tuple", "array"):
        items: list[Item] = [(compiler.compile(argument), argument) for argument in right.arguments]
        whole = right.name == "array" and not isinstance(t.plain(value.type), t.Array)
        depths = [_depth(t.plain(item.type)) for item, _ in items if item.value is not None]
        nested = whole or (bool(depths) and all(found == depth for found in depths)) or (depth == 0 and not depths)
        return items if nested else [(compiler.compile(right), right)]
    typed = compiler.compile(right)
    if not typed.constant:
        raise failures.unsupported("IN with a right side that is not constant", node)
    kind = t.plain(typed.type)
    if isinstance(kind, t.Array | t.Tuple) and _depth(kind) > depth:
        if not isinstance(typed.value, tuple | list) or isinstance(t.plain(value.type), t.Tuple | t.Array):
            raise failures.unsupported("IN with a set whose elements are not known", node)
        return [(constant(item), None) for item in typed.value]
    return [(typed, right)]


def _depth(type_: t.Type) -> int:
    """How many tuples and arrays stand around the first value: 0 for a number, 1 for a tuple of numbers."""
    if isinstance(type_, t.Tuple):
        return 1 if not type_.items else 1 + _depth(t.plain(type_.items[0]))
    return 1 + _depth(t.plain(type_.item)) if isinstance(type_, t.Array) else 0


@special("exists")
def exists_(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    return exists(compiler, node)
