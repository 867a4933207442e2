"""Expressions as ClickHouse's formatter writes them: functions of operators in infix form, an operand in brackets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from tbpy.clickhouse import ast
from tbpy.clickhouse.names import literal_name
from tbpy.clickhouse.quoting import quote_identifier, quote_identifier_if_needed, quote_string

_INFIX = {
    "plus": "+",
    "minus": "-",
    "multiply": "*",
    "divide": "/",
    "modulo": "%",
    "equals": "=",
    "notEquals": "!=",
    "less": "<",
    "greater": ">",
    "lessOrEquals": "<=",
    "greaterOrEquals": ">=",
    "like": "LIKE",
    "notLike": "NOT LIKE",
    "ilike": "ILIKE",
    "notILike": "NOT ILIKE",
    "isNotDistinctFrom": "<=>",
    "isDistinctFrom": "IS DISTINCT FROM",
    "in": "IN",
    "notIn": "NOT IN",
    "globalIn": "GLOBAL IN",
    "globalNotIn": "GLOBAL NOT IN",
}
_IN = frozenset({"in", "notIn", "globalIn", "globalNotIn"})
_CHAINS = {"and": "AND", "or": "OR"}
_PREFIX = {"negate": "-", "not": "NOT "}
_POSTFIX = {"isNull": "IS NULL", "isNotNull": "IS NOT NULL"}
# Bare, these would not be read as names.
_RESERVED = frozenset(
    {"all", "case", "distinct", "false", "from", "inf", "infinity", "nan", "not", "null", "select", "table", "true"}
    | {"values"}
)


def name_text(name: str) -> str:
    """A name, in backticks where it could be read as something else."""
    return quote_identifier(name) if name.lower() in _RESERVED else quote_identifier_if_needed(name)


def prefix_text(qualifier: Iterable[str]) -> str:
    """Names with a dot behind each: what stands before `*`."""
    return "".join(f"{name_text(name)}." for name in qualifier)


def path_text(parts: Iterable[str]) -> str:
    """Names with dots between them; a step `^`, `:` of a JSON path is quoted behind its sign."""
    return ".".join(part[0] + name_text(part[2:-1]) if part[:2] in ("^`", ":`") else name_text(part) for part in parts)


class ExpressionWriter:
    """Writes expressions. `depth` counts the queries around, for the indentation of subqueries."""

    @abstractmethod
    def query(self, query: ast.Query, depth: int) -> str: ...

    def expression(self, node: ast.Expression, depth: int) -> str:
        match node:
            case ast.Function():
                return self.function(node, depth)
            case ast.Literal():
                return literal_name(node.value)
            case ast.Identifier():
                return path_text(node.parts)
            case ast.Alias():
                inner = node.expression
                text = self.operand(inner, depth) if isinstance(inner, ast.Alias) else self.expression(inner, depth)
                return f"{text} AS {name_text(node.name)}"
            case ast.Lambda():
                return self.lambda_(node, depth)
            case ast.Subquery():
                return self.bracketed_query(node.query, depth)
            case ast.Parameter():
                return f"{{{node.name}:{node.type}}}"
            case ast.Asterisk():
                return prefix_text(node.qualifier) + "*" + self.transformers(node.transformers, depth)
            case ast.ColumnsMatcher():
                return self.matcher(node, depth)

    def list(self, nodes: Iterable[ast.Expression], depth: int) -> str:
        return ", ".join(self.expression(node, depth) for node in nodes)

    def bracketed_query(self, query: ast.Query, depth: int) -> str:
        pad = "    " * depth
        return f"(\n{self.query(query, depth + 1)}\n{pad})"

    def operand(self, node: ast.Expression, depth: int) -> str:
        """An expression beside an operator: in brackets when it is an operator itself, a lambda or an alias."""
        text = self.expression(node, depth)
        return f"({text})" if _is_composite(node) else text

    def lambda_(self, node: ast.Lambda, depth: int) -> str:
        names = [name_text(name) for name in node.parameters]
        head = names[0] if len(names) == 1 else f"({', '.join(names)})"
        return f"{head} -> {self.operand(node.body, depth)}"

    # --- functions ---

    def function(self, node: ast.Function, depth: int) -> str:
        """A function as it was written: as an operator, in the brackets of arrays and tuples, or as a call."""
        arguments = node.arguments
        match node.syntax:
            case "operator":
                written = self.operator(node, depth)
                return self.call(node, depth) if written is None else written
            case "array":
                return f"[{self.list(arguments, depth)}]"
            case "tuple" if len(arguments) > 1:
                return f"({self.list(arguments, depth)})"
            case "index":
                return f"{self.base(arguments[0], depth)}[{self.expression(arguments[1], depth)}]"
            case "access" if _is_position(arguments[1]):
                return f"{self.base(arguments[0], depth)}.{self.expression(arguments[1], depth)}"
        return self.call(node, depth)

    def operator(self, node: ast.Function, depth: int) -> str | None:
        """The infix form; None for operators that are written as calls, such as `||`."""
        name, arguments = node.name, node.arguments
        if name in _CHAINS:
            return f" {_CHAINS[name]} ".join(self.operand(argument, depth) for argument in arguments)
        if name in _PREFIX:
            return self.prefixed(name, arguments[0], depth)
        if name in _POSTFIX:
            return f"{self.operand(arguments[0], depth)} {_POSTFIX[name]}"
        if name not in _INFIX:
            return None
        write_right = self.in_set if name in _IN else self.operand
        text = f"{self.operand(arguments[0], depth)} {_INFIX[name]} {write_right(arguments[1], depth)}"
        return text if len(arguments) == 2 else f"{text} ESCAPE {self.operand(arguments[2], depth)}"

    def prefixed(self, name: str, node: ast.Expression, depth: int) -> str:
        text = self.operand(node, depth)
        if name == "negate" and isinstance(node, ast.Literal) and _is_number(node.value):
            text = f"({text})"  # -1 would be read as a number
        return _PREFIX[name] + text

    def in_set(self, node: ast.Expression, depth: int) -> str:
        text = self.operand(node, depth)
        return f"({text})" if isinstance(node, ast.Literal | ast.Identifier) else text

    def base(self, node: ast.Expression, depth: int) -> str:
        """What stands before `[` or `.1`."""
        text = self.operand(node, depth)
        return f"({text})" if isinstance(node, ast.Literal) and _is_number(node.value) else text

    def call(self, node: ast.Function, depth: int) -> str:
        name, arguments = node.combined()
        text = quote_identifier_if_needed(name)
        if node.parameters is not None:
            text += f"({self.list(node.parameters, depth)})"
        inner = "*" if node.syntax == "asterisk" and not arguments else self.arguments(arguments, depth)
        text += f"({inner})"
        if node.nulls is not None:
            text += f" {node.nulls.upper()} NULLS"
        if node.window is not None:
            text += f" OVER {self.over(node.window, depth)}"
        return text

    def arguments(self, nodes: tuple[ast.Expression, ...], depth: int) -> str:
        """Arguments of a call: a lambda behind others stands in brackets, or names before it would be its own."""
        texts = (self.expression(node, depth) for node in nodes)
        behind = (place > 0 and isinstance(node, ast.Lambda) for place, node in enumerate(nodes))
        return ", ".join(f"({text})" if bracketed else text for text, bracketed in zip(texts, behind, strict=True))

    # --- windows and ORDER BY ---

    def over(self, window: ast.Window | str, depth: int) -> str:
        return name_text(window) if isinstance(window, str) else self.window(window, depth)

    def window(self, window: ast.Window, depth: int) -> str:
        parts = [name_text(window.base)] if window.base else []
        if window.partition_by:
            parts.append(f"PARTITION BY {self.list(window.partition_by, depth)}")
        if window.order_by:
            parts.append(f"ORDER BY {self.order_items(window.order_by, depth)}")
        if window.frame is not None:
            last = window.frame.end_bound or ast.FrameBound("current")
            bounds = " AND ".join(self.bound(bound, depth) for bound in (window.frame.start_bound, last))
            parts.append(f"{window.frame.unit.upper()} BETWEEN {bounds}")
        return f"({' '.join(parts)})"

    def bound(self, bound: ast.FrameBound, depth: int) -> str:
        if bound.kind == "current":
            return "CURRENT ROW"
        amount = "UNBOUNDED" if bound.offset is None else self.operand(bound.offset, depth)
        return f"{amount} {'FOLLOWING' if bound.following else 'PRECEDING'}"

    def order_items(self, items: Iterable[ast.OrderItem], depth: int) -> str:
        return ", ".join(self.order_item(item, depth) for item in items)

    def order_item(self, item: ast.OrderItem, depth: int) -> str:
        text = f"{self.expression(item.expression, depth)} {'DESC' if item.descending else 'ASC'}"
        if item.nulls_first is not None:
            text += f" NULLS {'FIRST' if item.nulls_first else 'LAST'}"
        if item.collate is not None:
            text += f" COLLATE {quote_string(item.collate)}"
        if item.fill is not None:
            text += " WITH FILL" + self.fill(item.fill, depth)
        return text

    def fill(self, fill: ast.WithFill, depth: int) -> str:
        parts = (("FROM", fill.from_), ("TO", fill.to), ("STEP", fill.step), ("STALENESS", fill.staleness))
        return "".join(f" {word} {self.expression(node, depth)}" for word, node in parts if node is not None)

    # --- matchers ---

    def matcher(self, node: ast.ColumnsMatcher, depth: int) -> str:
        inner = self.list(node.names, depth) if node.pattern is None else quote_string(node.pattern)
        text = f"{prefix_text(node.qualifier)}COLUMNS({inner})"
        return text + self.transformers(node.transformers, depth)

    def transformers(self, transformers: Iterable[ast.Transformer], depth: int) -> str:
        return "".join(f" {self.transformer(transformer, depth)}" for transformer in transformers)

    def transformer(self, node: ast.Transformer, depth: int) -> str:
        match node:
            case ast.ExceptColumns():
                names = [path_text(name.split(".")) for name in node.names]
                inner = names[0] if len(names) == 1 else f"({', '.join(names)})"
                return f"EXCEPT{_strict(node)} {inner if node.pattern is None else quote_string(node.pattern)}"
            case ast.ReplaceColumns():
                return f"REPLACE{_strict(node)} ({self.list(node.items, depth)})"
            case ast.ApplyColumns(body=ast.Lambda() as body):
                return f"APPLY {self.lambda_(body, depth)}"
            case _:
                parameters = "" if node.parameters is None else f"({self.list(node.parameters, depth)})"
                return f"APPLY {node.function}{parameters}"


def _strict(node: ast.ExceptColumns | ast.ReplaceColumns) -> str:
    return " STRICT" if node.strict else ""


def _is_composite(node: ast.Expression) -> bool:
    """Whether an expression is written with an operator between its parts."""
    if isinstance(node, ast.Function):
        written = node.name in _CHAINS or node.name in _INFIX or node.name in _PREFIX or node.name in _POSTFIX
        if node.syntax == "access":
            return _is_position(node.arguments[1])
        return (node.syntax == "operator" and written) or node.syntax == "index"
    return isinstance(node, ast.Alias | ast.Lambda)


def _is_position(node: ast.Expression) -> bool:
    return isinstance(node, ast.Literal) and type(node.value) is int


def _is_number(value: ast.LiteralValue) -> bool:
    return value is not None and not isinstance(value, str | bool)
