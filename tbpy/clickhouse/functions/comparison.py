"""Comparisons, IN and LIKE: which values ClickHouse compares, and as what."""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.conversion import coerce, common_type
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.subqueries import compile_block, exists, in_block
from tbpy.clickhouse.compiler.typed import Typed, boolean
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type

_OPERATORS = {
    "equals": "=",
    "notEquals": "<>",
    "less": "<",
    "greater": ">",
    "lessOrEquals": "<=",
    "greaterOrEquals": ">=",
}


def comparable_sql(left: Typed, right: Typed) -> tuple[str, str]:
    """Two values as SQL that DuckDB compares as ClickHouse does: a text constant is read as the other side's type."""
    one, other = t.plain(left.type), t.plain(right.type)
    if one == other:
        return left.sql, right.sql
    if isinstance(other, t.String) and right.known and not isinstance(one, t.FixedString | t.Enum):
        return left.sql, _parsed(right, one)
    if isinstance(one, t.String) and left.known and not isinstance(other, t.FixedString | t.Enum):
        return _parsed(left, other), right.sql
    if t.is_number(one) and t.is_number(other):
        return _numbers(left, right)
    if t.is_temporal(one) and t.is_temporal(other):
        type_ = common_type([one, other])
        return coerce(left, type_).sql, coerce(right, type_).sql
    return left.sql, right.sql


def _numbers(left: Typed, right: Typed) -> tuple[str, str]:
    """Numbers of different types compare by value; a Bool counts as 0 and 1, a Decimal beside a Float as Float."""
    sides = [left, right]
    kinds = [t.plain(side.type) for side in sides]
    if any(isinstance(kind, t.Float) for kind in kinds):
        return tuple(
            f"CAST({side.sql} AS DOUBLE)" if not isinstance(kind, t.Float) else side.sql
            for side, kind in zip(sides, kinds, strict=True)
        )  # type: ignore[return-value]
    return tuple(
        f"CAST({side.sql} AS UTINYINT)" if isinstance(kind, t.Bool) else side.sql
        for side, kind in zip(sides, kinds, strict=True)
    )  # type: ignore[return-value]


def _parsed(text: Typed, type_: t.Type) -> str:
    return f"CAST({text.sql} AS {duckdb_type(type_)})"


def _comparison(operator: str) -> None:
    symbol = _OPERATORS[operator]

    @scalar(operator, args=2)
    def compare(call: Call) -> Typed:
        left, right = call.args
        _check_comparable(call, t.plain(left.type), t.plain(right.type))
        one, other = comparable_sql(left, right)
        return call.condition(f"({one} {symbol} {other})")


def _check_comparable(call: Call, one: t.Type, other: t.Type) -> None:
    groups = (
        (t.Int, t.Float, t.Decimal, t.Bool),
        (t.String, t.FixedString, t.Enum),
        (t.Date, t.Date32, t.DateTime, t.DateTime64),
    )
    if type(one) is type(other) or any(isinstance(one, g) and isinstance(other, g) for g in groups):
        return
    texts = [isinstance(kind, t.String) and arg.known for kind, arg in zip((one, other), call.args, strict=True)]
    if not any(texts) and not (t.is_integer(one) and t.is_temporal(other)) and not t.is_integer(other):
        call.wrong_type()


for _name in _OPERATORS:
    _comparison(_name)


# --- IN ---------------------------------------------------------------------------------------------------------------


@special("in", "notIn", "globalIn", "globalNotIn", "nullIn", "notNullIn")
def in_(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    value = compiler.compile(node.arguments[0])
    inside = _in_condition(compiler, value, node.arguments[1], node)
    negated = node.name.lower().endswith("notin") or node.name.startswith("not")
    condition = f"(NOT {inside})" if negated else inside
    return boolean(
        condition, nullable=t.is_nullable(value.type), aggregate=value.aggregate, window=value.window
    )


def _in_condition(compiler: ExpressionCompiler, value: Typed, right: ast.Expression, node: ast.Function) -> str:
    if isinstance(right, ast.Subquery):
        return in_block(compiler, value, compile_block(compiler, right.query), node)
    if isinstance(right, ast.Identifier) and compiler.lookup(right) is None:
        table = ast.TableName(right.parts[-1], right.parts[0] if len(right.parts) > 1 else None)
        table = replace(table, start=right.start, end=right.end)
        star = ast.Select((ast.Asterisk(),), from_=table)
        return in_block(compiler, value, compile_block(compiler, star), node)
    items = _set_items(compiler, value, right)
    usable = [item for item in items if not (item.known and item.value is None)]
    if not usable:
        return f"(CASE WHEN {value.sql} IS NULL THEN NULL ELSE false END)" if t.is_nullable(value.type) else "false"
    return f"({value.sql} IN ({', '.join(comparable_sql(value, item)[1] for item in usable)}))"


def _set_items(compiler: ExpressionCompiler, value: Typed, right: ast.Expression) -> list[Typed]:
    """The members of a set: of a tuple or array literal, or the one value given. For a tuple on the left, tuples."""
    tuples = isinstance(t.plain(value.type), t.Tuple)
    if isinstance(right, ast.Function) and right.name in ("tuple", "array"):
        items = [compiler.compile(argument) for argument in right.arguments]
        nested = right.name == "array" or not tuples or all(isinstance(t.plain(i.type), t.Tuple) for i in items)
        return items if nested else [compiler.compile(right)]
    typed = compiler.compile(right)
    if typed.known and isinstance(typed.value, tuple | list) and not tuples:
        return [constant(item) for item in typed.value]
    return [typed]


@special("exists")
def exists_(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    return exists(compiler, node)


__all__ = ["comparable_sql", "failures"]
