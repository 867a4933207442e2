"""The grammar of SCHEMA and INDEXES blocks.

A column is ``name [type] { `json:<path>` | DEFAULT expr | CODEC(...) }``. Types stay text here: what ClickHouse thinks
of them is judged where its types are known. Source: the recorded behaviour of Tinybird's Forward command-line tool.
"""

from __future__ import annotations

import re
import string

from tbpy.datafiles.model import Column, Index, PlacedText
from tbpy.datafiles.source import Source
from tbpy.errors import DatafileError

_NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_.-+<>*`'")
_FORBIDDEN_IN_TYPE = frozenset("$;!#@?&|~^")
_CLAUSE = re.compile(r"(NOT\s+NULL|NULL|DEFAULT|MATERIALIZED|ALIAS|CODEC|TTL)(?![A-Za-z0-9_])", re.IGNORECASE)
_REFUSED = {
    "NULL": ("NULL column syntax not supported", "Write the type as Nullable(...)."),
    "NOT NULL": (
        "NOT NULL column syntax not supported",
        "Columns are not nullable unless their type is Nullable(...).",
    ),
    "MATERIALIZED": ("MATERIALIZED columns are not supported", "Use DEFAULT, or compute the column in a pipe."),
    "ALIAS": ("ALIAS columns are not supported", "Compute the column in a pipe."),
    "TTL": ("column TTL is not supported", "Use ENGINE_TTL for the whole data source."),
}
_REFUSED_TYPES = {
    "Int": ("Precision is mandatory for Int types", "Use Int32, or another width."),
    "DateTime64": ("DateTime64 type without precision is not supported", "Use DateTime64(3)."),
    "Boolean": ("Boolean type is not supported", "Use Bool."),
}
_INDEX = re.compile(
    r"\s*(?:INDEX\s+)?(?P<name>\S+)\s+(?P<expression>.+?)\s+TYPE\s+(?P<type>\w+(?:\([\w\s.,]*\))?)"
    r"(?:\s+GRANULARITY\s+(?P<granularity>\d+))?"
)


def parse_columns(source: Source, text: PlacedText) -> tuple[Column, ...]:
    """The columns of a SCHEMA, in order; raises `DatafileError` at the first mistake."""
    return tuple(_SchemaReader(source, text).columns())


def parse_indexes(source: Source, text: PlacedText) -> tuple[Index, ...]:
    """The lines of an INDEXES block: `[INDEX] name expression TYPE kind[(arguments)] [GRANULARITY n]`."""
    return tuple(_index(source, line) for line in _each_line(text))


def _each_line(placed: PlacedText) -> list[PlacedText]:
    found, start = [], 0
    for line in placed.text.split("\n"):
        found.append(placed.slice(start, start + len(line)))
        start += len(line) + 1
    return found


def _index(source: Source, line: PlacedText) -> Index:
    match = _INDEX.match(line.text)
    if match is None:
        hint = "Write: name expression TYPE kind GRANULARITY n, with TYPE and GRANULARITY in capitals."
        raise source.error(
            "index", f"Invalid INDEX syntax: {line.text.strip()}", line.span(0, len(line.text)), hint=hint
        )
    return Index(match["name"], match["expression"], match["type"], match["granularity"])


class _SchemaReader:
    """Walks over the text of a SCHEMA once; `position` is the offset of the next character."""

    def __init__(self, source: Source, placed: PlacedText) -> None:
        self.source = source
        self.text = _without_comments(placed.text)
        self.placed = PlacedText(self.text, placed.lines)
        self.position = 0

    def columns(self) -> list[Column]:
        found = []
        while not self._at_end():
            found.append(self._column())
            if not self._at_end():
                self.position += 1
        return found

    def _at_end(self) -> bool:
        self._skip_blanks()
        return self.position >= len(self.text)

    def _skip_blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def _column(self) -> Column:
        start = self.position
        name = self._name()
        name_end = self.position
        type_text = self._type()
        clauses = self._clauses()
        if not name or not (type_text.text or clauses["DEFAULT"]):
            message = "Column name and either type or DEFAULT are required"
            raise self._error(message, start, max(name_end, start + 1), "Write a column as: name Type")
        declared, nullable = type_text.text, False
        if declared.startswith("Nullable(") and declared.endswith(")"):
            declared, nullable = declared[len("Nullable(") : -1], True
        self._refuse_type(declared, type_text)
        return Column(
            name,
            declared,
            nullable,
            clauses["json"],
            clauses["DEFAULT"],
            clauses["CODEC"],
            self.placed.span(start, name_end),
            type_text,
        )

    def _name(self) -> str:
        quoted = self.text[self.position] == "`"
        start = self.position = self.position + quoted
        while self.position < len(self.text) and not self._ends_name(quoted):
            character = self.text[self.position]
            if character not in _NAME_CHARACTERS:
                message = f"Column name contains invalid character '{character}'"
                raise self._error(message, self.position, self.position + 1, "Hint: use backticks.")
            self.position += 1
        name = self.text[start : self.position]
        if quoted:
            self._close_backtick(start - 1)
        return name

    def _ends_name(self, quoted: bool) -> bool:
        character = self.text[self.position]
        return character == "`" or character.isspace() or (character == "," and not quoted)

    def _close_backtick(self, start: int) -> None:
        if self.position >= len(self.text) or self.text[self.position] != "`":
            raise self._error("Expected closing backtick", start, self.position)
        self.position += 1

    def _type(self) -> PlacedText:
        self._skip_blanks()
        start, end = self.position, self._skip_expression()
        for offset, character in _outside_quotes(self.text, start, end):
            if character in _FORBIDDEN_IN_TYPE:
                raise self._error(f"Invalid character '{character}'", offset, offset + 1, _hint_for_type(character))
        return self.placed.slice(start, end)

    def _refuse_type(self, declared: str, type_text: PlacedText) -> None:
        if declared in _REFUSED_TYPES and not self.source.classic:
            message, hint = _REFUSED_TYPES[declared]
            span = type_text.span(0, len(type_text.text))
            raise self.source.error("type", message, span, hint=hint)

    def _clauses(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {"json": None, "DEFAULT": None, "CODEC": None}
        while True:
            self._skip_blanks()
            start, clause = self.position, self._clause_at(self.position)
            if clause is None:
                return found
            if clause in _REFUSED:
                message, hint = _REFUSED[clause]
                raise self._error(message, start, start + len(clause), hint)
            if clause == "json":
                found["json"] = self._jsonpath() or None
            elif clause == "DEFAULT" and found["CODEC"] is not None:
                raise self._error("Unexpected DEFAULT after CODEC", start, start + 7, "Write DEFAULT before CODEC.")
            else:
                found[clause] = self._clause_value(clause)

    def _jsonpath(self) -> str:
        start = self.position
        self.position += len("`json:")
        begin = self.position
        while self.position < len(self.text) and not (
            self.text[self.position] == "`" or self.text[self.position].isspace()
        ):
            self.position += 1
        path = self.text[begin : self.position]
        self._close_backtick(start)
        return path

    def _clause_value(self, clause: str) -> str:
        start = self.position
        self.position += len(clause)
        self._skip_blanks()
        begin, end = self.position, self._skip_expression()
        value = self.text[begin:end]
        if not value or (clause == "CODEC" and not value.startswith("(")):
            raise self._error(f"Missing mandatory value for {clause}", start, start + len(clause))
        return value

    def _skip_expression(self) -> int:
        """Moves past a type or an expression, up to a comma or the next clause; answers where its text ends."""
        start, depth = self.position, 0
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in "'\"":
                self._skip_quoted(character)
                continue
            if depth == 0 and (character == "," or self._starts_clause(start)):
                break
            depth += (character == "(") - (character == ")")
            self.position += 1
        return start + len(self.text[start : self.position].rstrip())

    def _starts_clause(self, start: int) -> bool:
        before = self.text[self.position - 1] if self.position > start else " "
        return (before.isspace() or before in ")'`\"") and self._clause_at(self.position) is not None

    def _clause_at(self, position: int) -> str | None:
        if self.text.startswith("`json:", position):
            return "json"
        match = _CLAUSE.match(self.text, position)
        return re.sub(r"\s+", " ", match[1].upper()) if match else None

    def _skip_quoted(self, quote: str) -> None:
        self.position += 1
        while self.position < len(self.text) and self.text[self.position] != quote:
            self.position += 2 if self.text[self.position] == "\\" else 1
        self.position = min(self.position + 1, len(self.text))

    def _error(self, message: str, start: int, end: int, hint: str | None = None) -> DatafileError:
        return self.source.error("schema", message, self.placed.span(start, end), hint=hint)


def _without_comments(text: str) -> str:
    """`--` comments become blanks of the same length, so that offsets stay; quoted text is left alone."""
    return re.sub(
        r"('(?:\\.|[^'\\\n])*')|(`[^`\n]*`)|--[^\n]*", lambda m: m[0] if m[1] or m[2] else " " * len(m[0]), text
    )


def _outside_quotes(text: str, start: int, end: int) -> list[tuple[int, str]]:
    found, quote = [], ""
    for offset in range(start, end):
        character = text[offset]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            found.append((offset, character))
    return found


def _hint_for_type(character: str) -> str | None:
    return "A JSON path is written `json:$.path`." if character == "$" else None
