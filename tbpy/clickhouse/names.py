"""The result name that ClickHouse gives an expression without an alias.

An operator is named by its function (`plus(a, 1)`), a literal array or tuple by its brackets, an alias by itself.
Source: the names in the answers recorded from ClickHouse 26.9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isinf, isnan

from tbpy.clickhouse import ast
from tbpy.clickhouse.depth import limited_depth
from tbpy.clickhouse.quoting import quote_string
from tbpy.errors import SqlPlace

Resolve = Callable[[ast.Identifier], str]
NameSubquery = Callable[[ast.Subquery], str]
NameParameter = Callable[[ast.Parameter], str]
NameColumns = Callable[[ast.Asterisk | ast.ColumnsMatcher], str]


def column_name(
    expression: ast.Expression,
    resolve: Resolve | None = None,
    subquery: NameSubquery | None = None,
    parameter: NameParameter | None = None,
    columns: NameColumns | None = None,
) -> str:
    """The name of a result column.

    `resolve` names an identifier by its scope: ClickHouse leaves out a table that is not needed to tell columns apart;
    without it the identifier is named as written. `subquery` names a scalar subquery, which ClickHouse numbers in the
    order it meets them; without it each is `_subquery_1`. `parameter` names a query parameter by its value; without it
    the parameter is named as written. `columns` names the columns that a `*` in a call stands for; without it the `*`
    is named as written.
    """
    with limited_depth(SqlPlace(expression.start, expression.end)):
        return _Namer(resolve, subquery, parameter, columns).name(expression)


def _written(node: ast.Asterisk | ast.ColumnsMatcher) -> str:
    return ".".join((*node.qualifier, "*")) if isinstance(node, ast.Asterisk) else "COLUMNS"


class _Namer:
    def __init__(
        self,
        resolve: Resolve | None,
        subquery: NameSubquery | None,
        parameter: NameParameter | None,
        columns: NameColumns | None,
    ) -> None:
        self.resolve = resolve or (lambda identifier: identifier.name)
        self.subquery = subquery or (lambda _: "_subquery_1")
        self.parameter = parameter or (lambda node: f"{{{node.name}:{node.type}}}")
        self.columns = columns or _written

    def name(self, node: ast.Expression) -> str:
        match node:
            case ast.Function():
                return self.function(node)
            case ast.Literal():
                return literal_name(node.value)
            case ast.Identifier():
                return self.resolve(node)
            case ast.Alias():
                return node.name
            case ast.Lambda():
                return f"lambda(tuple({', '.join(node.parameters)}), {self.name(node.body)})"
            case ast.Subquery():
                return self.subquery(node)
            case ast.Parameter():
                return self.parameter(node)
            case ast.Asterisk() | ast.ColumnsMatcher():
                return self.columns(node)

    def names(self, nodes: Iterable[ast.Expression]) -> str:
        return ", ".join(map(self.name, nodes))

    def function(self, node: ast.Function) -> str:
        if (node.syntax == "array" or node.syntax == "tuple") and is_constant(node):
            return _constant_name(node)
        if node.name == "array" and node.window is None:
            return f"[{self.names(node.arguments)}]"
        if node.name == "tuple" and node.window is None:
            return f"({self.names(node.arguments)})"
        return self.call(node)

    def call(self, node: ast.Function) -> str:
        name, arguments = node.combined()
        if node.parameters is not None:
            name += f"({self.names(node.parameters)})"
        text = f"{name}({self.secretive(arguments) if name.upper() == 'HMAC' else self.names(arguments)})"
        if node.window is None:
            return text
        over = node.window if isinstance(node.window, str) else f"({self.window(node.window)})"
        return f"{text} OVER {over}"

    def secretive(self, arguments: Sequence[ast.Expression]) -> str:
        """The arguments of a function whose third one is a secret; ClickHouse numbers those that are constant."""
        hidden = "[HIDDEN id: 1]" if len(arguments) > 2 and isinstance(arguments[2], ast.Literal) else "[HIDDEN]"
        return ", ".join([*map(self.name, arguments[:2]), *(hidden for _ in arguments[2:3])])

    def window(self, window: ast.Window) -> str:
        parts = [window.base] if window.base else []
        if window.partition_by:
            parts.append(f"PARTITION BY {self.names(window.partition_by)}")
        if window.order_by:
            parts.append(f"ORDER BY {', '.join(map(self.order_item, window.order_by))}")
        if window.frame is not None:
            parts.append(self.frame(window.frame))
        return " ".join(parts)

    def order_item(self, item: ast.OrderItem) -> str:
        text = f"{self.name(item.expression)} {'DESC' if item.descending else 'ASC'}"
        if item.nulls_first is not None:
            text += f" NULLS {'FIRST' if item.nulls_first else 'LAST'}"
        if item.collate is not None:
            text += f" COLLATE {item.collate}"
        return text

    def frame(self, frame: ast.Frame) -> str:
        start = self.bound(frame.start_bound)
        end = "CURRENT ROW" if frame.end_bound is None else self.bound(frame.end_bound)
        return f"{frame.unit.upper()} BETWEEN {start} AND {end}"

    def bound(self, bound: ast.FrameBound) -> str:
        if bound.kind == "current":
            return "CURRENT ROW"
        amount = "UNBOUNDED" if bound.offset is None else self.name(bound.offset)
        return f"{amount} {'FOLLOWING' if bound.following else 'PRECEDING'}"


# --- constants --------------------------------------------------------------------------------------------------------
# ClickHouse reads an array or tuple of literals as one constant and names it by its value: `[1, 2.5]` is `[1., 2.5]`,
# and truth in it is 1 and 0. A tuple that holds an array, and one of a single item, are calls of `tuple`.


def is_constant(node: ast.Expression) -> bool:
    """Whether a literal array or tuple is one constant in ClickHouse's tree."""
    if isinstance(node, ast.Literal):
        return True
    if not isinstance(node, ast.Function):
        return False
    if node.syntax == "array":
        return all(map(is_constant, node.arguments))
    return node.syntax == "tuple" and len(node.arguments) > 1 and all(map(_is_tuple_item, node.arguments))


def _is_tuple_item(node: ast.Expression) -> bool:
    return is_constant(node) and not (isinstance(node, ast.Function) and node.syntax == "array")


def _constant_name(node: ast.Expression, floating: bool = False) -> str:
    """The name of a constant; `floating` when an array around it holds a float, which makes all its numbers floats."""
    if isinstance(node, ast.Function):
        if node.syntax == "tuple":
            return f"({', '.join(map(_constant_name, node.arguments))})"
        floating = floating or _has_float(node)
        return f"[{', '.join(_constant_name(item, floating) for item in node.arguments)}]"
    assert isinstance(node, ast.Literal)
    if isinstance(node.value, bool):
        return str(int(node.value))
    if floating and isinstance(node.value, int):
        return literal_name(float(node.value))
    return literal_name(node.value)


def _has_float(node: ast.Expression) -> bool:
    if isinstance(node, ast.Literal):
        return isinstance(node.value, float)
    return isinstance(node, ast.Function) and node.syntax == "array" and any(map(_has_float, node.arguments))


def literal_name(value: ast.LiteralValue) -> str:
    """A constant as ClickHouse's names spell it: `1.` for the float, `'a'` quoted, `NULL`."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # Bytes that are no UTF-8 show as U+FFFD, as in the JSON that names are written to.
        plain = value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return quote_string(plain)
    if isinstance(value, float):
        return float_name(value)
    return str(value)


def float_name(value: float) -> str:
    """The shortest digits that read back as `value`, in powers of ten only below 1e-6 and from 1e21 on."""
    if isnan(value):
        return "nan"
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    mantissa, _, power = f"{value!r}e".partition("e")
    power = power.rstrip("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(power or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    if not digits:
        return f"{sign}0."
    digits = digits.rstrip("0")
    if point > 21 or point < -5:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{point - 1}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:]}"
