"""What a datafile says, as frozen values that remember where each part stands.

Lines and columns count from 1, as in `tbpy.errors.Span`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from tbpy.errors import Diagnostic, Span


class Kind(StrEnum):
    """The three kinds of datafile; the value is also the file's suffix without its dot."""

    DATASOURCE = "datasource"
    PIPE = "pipe"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text taken out of a file: `lines[i]` is `(file line, columns cut off at the left)` of line i of `text`."""

    text: str
    lines: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int | None = None) -> Span:
        """The place in the file of the offsets `start` to `end` (exclusive) of `text`."""
        starts = [0]
        for text in self.text.split("\n")[:-1]:
            starts.append(starts[-1] + len(text) + 1)
        line, column = self._place(starts, start)
        end_line, end_column = self._place(starts, max(start + 1 if end is None else end, start))
        if (end_line, end_column) <= (line, column):
            end_line, end_column = line, column + 1
        return Span(line, column, end_line, end_column)

    def _place(self, starts: list[int], offset: int) -> tuple[int, int]:
        offset = min(max(offset, 0), len(self.text))
        index = min(bisect_right(starts, offset), len(self.lines)) - 1
        line, cut = self.lines[index]
        return line, offset - starts[index] + cut + 1

    def slice(self, start: int, end: int) -> Self:
        """The part of the text between two offsets, which keeps its place."""
        first = self.span(start)
        skipped = self.text.count("\n", 0, start)
        count = self.text.count("\n", start, end) + 1
        head = (first.line, first.column - 1)
        return type(self)(self.text[start:end], (head, *self.lines[skipped + 1 : skipped + count]))


@dataclass(frozen=True, slots=True)
class SqlText(PlacedText):
    """The SQL of a node. It is a template when it starts with `%`; what follows that sign is the template."""

    @property
    def is_template(self) -> bool:
        return self.text.startswith("%")

    @property
    def template(self) -> str:
        return self.text[1:] if self.is_template else self.text


@dataclass(frozen=True, slots=True)
class Setting:
    """One instruction with a plain value: lower-case `name`, and the value with its place."""

    name: str
    text: PlacedText

    @property
    def value(self) -> str:
        return self.text.text

    @property
    def span(self) -> Span:
        return self.text.span(0, len(self.text.text))


@dataclass(frozen=True, slots=True)
class Settings:
    """Instructions with plain values, in the order of the file; each name once."""

    items: tuple[Setting, ...] = ()

    def find(self, name: str) -> Setting | None:
        return next((item for item in self.items if item.name == name), None)

    def get(self, name: str) -> str | None:
        found = self.find(name)
        return found.value if found else None

    def having(self, prefix: str) -> dict[str, str]:
        """Values of the names that start with `prefix`, keyed without it: `having("kafka_")["topic"]`."""
        return {item.name.removeprefix(prefix): item.value for item in self.items if item.name.startswith(prefix)}

    def with_(self, setting: Setting) -> Settings:
        """The last value of a name wins and keeps the place of the first in the order."""
        if self.find(setting.name) is None:
            return Settings((*self.items, setting))
        return Settings(tuple(setting if item.name == setting.name else item for item in self.items))

    def names(self) -> Iterable[str]:
        return (item.name for item in self.items)


@dataclass(frozen=True, slots=True)
class Token:
    name: str
    permission: str
    span: Span


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a SCHEMA. `type` is the text as written without an outer `Nullable(...)`; `default` and `codec` are
    the expressions without their keyword; `type` is empty when only a DEFAULT was given."""

    name: str
    type: str
    nullable: bool = False
    jsonpath: str | None = None
    default: str | None = None
    codec: str | None = None
    span: Span = field(default=Span.at(1, 1), compare=False)
    type_text: PlacedText | None = field(default=None, compare=False)

    @property
    def declared_type(self) -> str:
        """The type as ClickHouse is told it, with its nullability, which a SimpleAggregateFunction has inside."""
        if not self.nullable:
            return self.type
        if self.type.startswith("SimpleAggregateFunction("):
            function, _, argument = self.type.removeprefix("SimpleAggregateFunction(").removesuffix(")").partition(",")
            return f"SimpleAggregateFunction({function}, Nullable({argument.strip()}))"
        return f"Nullable({self.type})"

    def declaration(self, type_text: str | None = None) -> str:
        """The column as it is printed: `` `name` type `json:path` DEFAULT expr CODEC(...) ``."""
        parts = [f"`{self.name}`", self.declared_type if type_text is None else type_text]
        if self.jsonpath is not None:
            parts.append(f"`json:{self.jsonpath}`")
        if self.default is not None:
            parts.append(f"DEFAULT {self.default}")
        if self.codec is not None:
            parts.append(f"CODEC{self.codec}")
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    expression: str
    type: str
    granularity: str | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """`name` is None when a file sets only ENGINE_ options; `arguments` are those, in order, repeats kept."""

    name: str | None
    arguments: tuple[Setting, ...] = ()
    text: PlacedText | None = None

    def get(self, name: str) -> str | None:
        found = self.find(name)
        return found.value if found else None

    def find(self, name: str) -> Setting | None:
        """The last one, as the last instruction of a name is the one that counts."""
        return next((item for item in reversed(self.arguments) if item.name == name), None)


@dataclass(frozen=True, slots=True)
class Tags:
    """`names` filter resources in the user interface; `operational` are the `key=value` ones, joined by `&`."""

    names: tuple[str, ...] = ()
    operational: str | None = None


@dataclass(frozen=True, slots=True)
class Datasource:
    name: str
    file: str | None
    columns: tuple[Column, ...]
    engine: Engine | None = None
    description: str | None = None
    indexes: tuple[Index, ...] = ()
    tokens: tuple[Token, ...] = ()
    shared_with: tuple[str, ...] = ()
    tags: Tags = Tags()
    forward_query: SqlText | None = None
    settings: Settings = Settings()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def backfill(self) -> str | None:
        return self.settings.get("backfill")

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Node:
    """`type` is lower-case; None means a helper node that is read by others only."""

    name: str
    sql: SqlText
    span: Span
    type: str | None = None
    description: str | None = None
    settings: Settings = Settings()

    @property
    def datasource(self) -> str | None:
        return self.settings.get("datasource")

    @property
    def mode(self) -> str | None:
        return self.settings.get("copy_mode")

    @property
    def schedule(self) -> str | None:
        return self.settings.get("copy_schedule") or self.settings.get("export_schedule")

    @property
    def target(self) -> Setting | None:
        """The data source that a materialized or copy node writes to."""
        name = {"materialized": "datasource", "copy": "target_datasource"}.get(self.type or "")
        return self.settings.find(name) if name else None


@dataclass(frozen=True, slots=True)
class Pipe:
    name: str
    file: str | None
    nodes: tuple[Node, ...]
    description: str | None = None
    tokens: tuple[Token, ...] = ()
    tags: Tags = Tags()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def typed_node(self) -> Node | None:
        """The one node that makes the pipe an endpoint, a materialization, a copy or a sink."""
        return next((node for node in self.nodes if node.type not in (None, "standard")), None)

    @property
    def type(self) -> str | None:
        return self.typed_node.type if self.typed_node else None

    @property
    def output_node(self) -> Node:
        """What a reader of the pipe's name gets: the endpoint node when there is one, else the last node."""
        endpoint = next((node for node in self.nodes if node.type == "endpoint"), None)
        return endpoint or self.nodes[-1]

    def node(self, name: str) -> Node | None:
        return next((node for node in self.nodes if node.name == name), None)


@dataclass(frozen=True, slots=True)
class Connection:
    name: str
    file: str | None
    type: str | None = None
    description: str | None = None
    settings: Settings = Settings()
    warnings: tuple[Diagnostic, ...] = ()
