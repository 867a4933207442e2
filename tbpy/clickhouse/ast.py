"""The syntax tree of ClickHouse's SELECT dialect.

As in ClickHouse itself every operator is a `Function` (`a + 1` is `plus(a, 1)`, `a[1]` is `arrayElement(a, 1)`, `CASE`
is `multiIf`), because result names and types are defined on functions. `Function.syntax` remembers how it was written,
for the formatter and for the few names that depend on it. Nodes are immutable and compare by structure; `start` and
`end` are offsets in the SQL text and take no part in comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal as Choice

LiteralValue = int | float | str | bool | None | Decimal


@dataclass(frozen=True, slots=True)
class Node:
    start: int = field(default=0, compare=False, kw_only=True, repr=False)
    end: int = field(default=0, compare=False, kw_only=True, repr=False)


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant. `text` is how it was written; `1` and `1.` and `1e0` differ in type and name."""

    value: LiteralValue
    text: str


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """`a`, `t.a`, `db.t.a`, or a path into a tuple or JSON column: `t.a.b`."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """A query parameter `{name: Type}`."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    parameters: tuple[str, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """A query in brackets where an expression stands: scalar, or the right side of IN."""

    query: Query


@dataclass(frozen=True, slots=True)
class Alias(Node):
    """`expression AS name`, anywhere in an expression."""

    expression: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Function(Node):
    """A call, an operator, or syntax that ClickHouse reads as one.

    `parameters` is the first bracket of `quantile(0.5)(x)`, None when there is one bracket only. `syntax` is how it was
    written: "call", "operator" (+, AND, IN, LIKE, BETWEEN, IS NULL, unary minus ...), "index" (a[i]), "access" (t.1),
    "array" ([..]), "tuple" ((..)), "case", "ternary", "cast" (CAST(x AS T)), "colons" (x::T), "interval", "keyword"
    (extract, trim, substring ... FROM, DATE '...'), "asterisk" (count(*), which has no arguments).
    """

    name: str
    arguments: tuple[Expression, ...]
    parameters: tuple[Expression, ...] | None = None
    distinct: bool = False
    filter: Expression | None = None
    window: Window | str | None = None
    nulls: Choice["respect", "ignore"] | None = None
    order_by: tuple[OrderItem, ...] = ()
    syntax: str = "call"

    def combined(self) -> tuple[str, tuple[Expression, ...]]:
        """Name and arguments with DISTINCT and FILTER as the combinators that ClickHouse makes of them."""
        name = f"{self.name}Distinct" if self.distinct else self.name
        return (name, self.arguments) if self.filter is None else (f"{name}If", (*self.arguments, self.filter))


@dataclass(frozen=True, slots=True)
class ExceptColumns(Node):
    """`EXCEPT (a, b)`, `EXCEPT STRICT a` or `EXCEPT('regexp')`."""

    names: tuple[str, ...]
    pattern: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceColumns(Node):
    """`REPLACE (expression AS name, ...)`."""

    items: tuple[Alias, ...]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ApplyColumns(Node):
    """`APPLY(f)`, `APPLY(f(parameters))` or `APPLY(x -> ...)`."""

    function: str | None
    parameters: tuple[Expression, ...] | None = None
    body: Lambda | None = None


Transformer = ExceptColumns | ReplaceColumns | ApplyColumns


@dataclass(frozen=True, slots=True)
class Asterisk(Node):
    """`*` or `t.*`, with its transformers."""

    qualifier: tuple[str, ...] = ()
    transformers: tuple[Transformer, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnsMatcher(Node):
    """`COLUMNS('regexp')` or `COLUMNS(a, b)`, perhaps qualified, with its transformers."""

    pattern: str | None
    names: tuple[Identifier, ...] = ()
    qualifier: tuple[str, ...] = ()
    transformers: tuple[Transformer, ...] = ()


Expression = Literal | Identifier | Parameter | Lambda | Subquery | Alias | Function | Asterisk | ColumnsMatcher


# --- parts of SELECT --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WithFill(Node):
    from_: Expression | None = None
    to: Expression | None = None
    step: Expression | None = None
    staleness: Expression | None = None


@dataclass(frozen=True, slots=True)
class OrderItem(Node):
    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None
    collate: str | None = None
    fill: WithFill | None = None


@dataclass(frozen=True, slots=True)
class Frame(Node):
    """A window frame. A bound is ("unbounded" | "current" | "offset", direction, offset expression)."""

    unit: Choice["rows", "range", "groups"]
    start_bound: FrameBound
    end_bound: FrameBound | None = None


@dataclass(frozen=True, slots=True)
class FrameBound(Node):
    kind: Choice["unbounded", "current", "offset"]
    following: bool = False
    offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class Window(Node):
    """The specification after OVER, or of a named WINDOW; `base` is the window it builds on."""

    partition_by: tuple[Expression, ...] = ()
    order_by: tuple[OrderItem, ...] = ()
    frame: Frame | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class WithExpression(Node):
    """`WITH expression AS name`: an alias that the whole SELECT sees."""

    expression: Expression
    name: str


@dataclass(frozen=True, slots=True)
class CommonTable(Node):
    """`WITH name [(columns)] AS [MATERIALIZED] (query)`."""

    name: str
    query: Query
    columns: tuple[str, ...] = ()
    materialized: bool = False


@dataclass(frozen=True, slots=True)
class GroupBy(Node):
    """`kind` is "plain", "rollup", "cube" or "grouping sets" (then `sets` holds them); `all` is GROUP BY ALL."""

    expressions: tuple[Expression, ...]
    kind: Choice["plain", "rollup", "cube", "grouping sets"] = "plain"
    sets: tuple[tuple[Expression, ...], ...] = ()
    all: bool = False


@dataclass(frozen=True, slots=True)
class LimitBy(Node):
    limit: Expression
    expressions: tuple[Expression, ...]
    offset: Expression | None = None
    all: bool = False


@dataclass(frozen=True, slots=True)
class Interpolate(Node):
    """One item of `INTERPOLATE (name AS expression)`; the expression is None for a bare name."""

    name: str
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Setting(Node):
    name: str
    value: LiteralValue


# --- FROM -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableName(Node):
    name: str
    database: str | None = None
    alias: str | None = None
    final: bool = False
    sample: Expression | None = None
    sample_offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class TableFunction(Node):
    name: str
    arguments: tuple[Expression, ...]
    alias: str | None = None
    columns: tuple[str, ...] = ()
    final: bool = False
    sample: Expression | None = None
    sample_offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class SubqueryTable(Node):
    query: Query
    alias: str | None = None
    columns: tuple[str, ...] = ()
    final: bool = False
    sample: Expression | None = None
    sample_offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class Join(Node):
    """`kind`: inner, left, right, full, cross, comma, paste; `strictness`: all, any, semi, anti, asof or None."""

    left: TableExpression
    right: TableExpression
    kind: str
    strictness: str | None = None
    global_: bool = False
    on: Expression | None = None
    using: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayJoin(Node):
    """`source [LEFT] ARRAY JOIN arrays`; an array may be an `Alias`."""

    source: TableExpression
    arrays: tuple[Expression, ...]
    left: bool = False


TableExpression = TableName | TableFunction | SubqueryTable | Join | ArrayJoin


# --- queries ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Select(Node):
    columns: tuple[Expression, ...]
    with_: tuple[WithExpression | CommonTable, ...] = ()
    recursive: bool = False
    distinct: bool = False
    distinct_on: tuple[Expression, ...] = ()
    from_: TableExpression | None = None
    prewhere: Expression | None = None
    where: Expression | None = None
    group_by: GroupBy | None = None
    totals: bool = False
    having: Expression | None = None
    windows: tuple[tuple[str, Window], ...] = ()
    qualify: Expression | None = None
    order_by: tuple[OrderItem, ...] = ()
    order_by_all: bool = False
    interpolate: tuple[Interpolate, ...] | None = None
    limit_by: LimitBy | None = None
    limit: Expression | None = None
    offset: Expression | None = None
    with_ties: bool = False
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class SetOperation(Node):
    """`kind`: "union", "intersect" or "except", perhaps with " all" or " distinct"; bare "union" goes by a setting."""

    kind: str
    left: Query
    right: Query


@dataclass(frozen=True, slots=True)
class Values(Node):
    """Rows of a bare `VALUES (..), (..)` where a query stands."""

    rows: tuple[tuple[Expression, ...], ...]


Query = Select | SetOperation | Values


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """A query with what may follow it, or one of the statements that describe.

    `like` is the condition of SHOW TABLES on the column `name`.
    """

    query: Query | None
    kind: Choice["select", "explain", "describe", "show tables", "show create", "exists"] = "select"
    format: str | None = None
    settings: tuple[Setting, ...] = ()
    table: TableName | TableFunction | None = None
    explain: str = ""
    like: Expression | None = None
