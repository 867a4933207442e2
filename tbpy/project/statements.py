"""The SQL of one node: its template rendered in test mode, parsed, and mapped back to places in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tbpy.clickhouse import ast
from tbpy.clickhouse.parser import parse_statement
from tbpy.datafiles import Kind, Node, PlacedText, SqlText
from tbpy.datafiles.vocabulary import CLASSIC_HINTS, words
from tbpy.errors import QueryError, Span, SqlPlace, TemplateError
from tbpy.project.references import table_references
from tbpy.project.report import Report
from tbpy.templating import Rendered, compile_template

_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_OTHER_STATEMENTS = frozenset(
    {"ALTER", "ATTACH", "BACKUP", "CHECK", "CREATE", "DELETE", "DETACH", "DROP", "EXCHANGE", "GRANT", "INSERT", "KILL"}
    | {"OPTIMIZE", "RENAME", "REVOKE", "SET", "SYSTEM", "TRUNCATE", "UNDROP", "UPDATE", "USE"}
)
_SYNTAX = re.compile(
    r"(?:(?P<reason>.*): )?Syntax error: failed at position \d+ \((?P<token>.*?)\)(?: \(line \d+, col \d+\))?: "
    r"(?:.*\. (?P<wanted>[^.]+)\.?)?",
    re.DOTALL,
)
_TAG = re.compile(r"\{\{[^\n]*?\}\}|\{%[^\n]*?%\}")
_FIXED_TABLE = re.compile(r"""\b(?:TABLE|table)\(\s*(?:'([^']*)'|"([^"]*)")\s*\)""")
_NOT_DYNAMIC = "In order to make a query dynamic, it is necessary to start the query with a % character."
# What `TABLE(x)` renders to in test mode when `x` is a parameter.
PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table that the SQL of a node names. `certain` is False where the name may be a column or an alias instead."""

    name: str
    database: str | None
    span: Span
    certain: bool


@dataclass(frozen=True)
class NodeSql:
    """`query` is None for a statement that is no query. `sql` is the rendered text, which offsets count in."""

    text: SqlText
    sql: str
    query: ast.Query | None
    rendered: Rendered | None = None

    def span(self, start: int, end: int) -> Span:
        """The place in the file of a part of the rendered SQL."""
        if self.rendered is None:
            return self.text.span(start, end)
        # `%` is no part of the template.
        first = self.rendered.origin(start) + 1
        last = self.rendered.origin(max(end - 1, start)) + 2
        return self.text.span(first, max(first + 1, last))

    def place(self, place: SqlPlace | None) -> Span:
        return self.span(place.start, place.end) if place else self.span(0, 1)

    @cached_property
    def named_tables(self) -> tuple[NamedTable, ...]:
        """The tables that the query reads, and those that `TABLE('name')` names, in whatever branch it stands."""
        found = table_references(self.query)
        read = [
            NamedTable(one.name, one.database, self.span(one.start, one.end), one.certain)
            for one in found
            if not (self.rendered and one.name == PLACEHOLDER)
        ]
        names = {reference.name for reference in found}
        return (*read, *(fixed for fixed in self._fixed_tables() if fixed.name not in names))

    def _fixed_tables(self) -> Iterator[NamedTable]:
        if self.rendered is not None:
            for match in _FIXED_TABLE.finditer(self.text.text):
                database, _, name = (match[1] or match[2]).rpartition(".")
                yield NamedTable(name, database or None, self.text.span(match.start(), match.end()), True)


def read_node(
    report: Report, file: str | None, node: Node, secrets: Mapping[str, str] | None, *, other_statements: bool = False
) -> NodeSql | None:
    """Renders and parses a node; None, and a mistake in the report, when that fails. `secrets` None ignores secrets.

    A statement that is no query is a mistake too, unless `other_statements`: it gets through the official parser of
    datafiles, and is refused only when the node is built.
    """
    text = node.sql
    rendered: Rendered | None = None
    if text.is_template:
        rendered = _render(report, file, node, secrets)
        if rendered is None:
            return None
    sql = rendered.sql if rendered else text.text
    read = NodeSql(text, sql, None, rendered)
    try:
        query = None if _is_other_statement(sql) else parse_statement(sql).query
    except QueryError as error:
        _report_syntax(report, file, read, error)
        return None
    if query is None and not other_statements:
        hint = "A node is one SELECT."
        report.error("not-a-query", "Only SELECT statements are allowed in a node", file, read.span(0, 1), hint=hint)
        return None
    return NodeSql(text, sql, query, rendered)


def _render(report: Report, file: str | None, node: Node, secrets: Mapping[str, str] | None) -> Rendered | None:
    text = node.sql
    try:
        template = compile_template(text.template, name=node.name)
        return template.render({}, secrets=secrets, test_mode=True)
    except TemplateError as error:
        message: str = error.message
        if "Missing {% end %} block" in message:
            message = f"Missing {{%end%}} block in parsing node '{node.name}' from pipe '{file}': {message}"
        offset = _offset(text.template, error.line or 1, error.column or 1) + 1
        tag = _TAG.match(text.text, offset)
        report.error("template", message, file, text.span(offset, tag.end() if tag else offset + 1), hint=error.hint)
    return None


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column - 1


def _is_other_statement(sql: str) -> bool:
    """Statements that the parser does not know, and need not."""
    match = _FIRST_WORD.match(sql)
    return match is not None and match[1].upper() in _OTHER_STATEMENTS


def _report_syntax(report: Report, file: str | None, read: NodeSql, error: QueryError) -> None:
    text = read.text
    if not text.is_template and ("{{" in text.text or "{%" in text.text):
        offset = min(found for found in (text.text.find("{{"), text.text.find("{%")) if found >= 0)
        hint = "Put a line with only % above the query."
        report.error("not-dynamic", _NOT_DYNAMIC, file, text.span(offset, offset + 2), hint=hint)
        return
    told = swallowed_instruction(text, Kind.PIPE) or error.hint
    report.error("sql-syntax", syntax_message(error), file, read.place(error.place), hint=told)


def syntax_message(error: QueryError) -> str:
    """ClickHouse's syntax error without its positions, which count in the rendered SQL that the user never saw.

    The diagnostic has the place in the file.
    """
    match = _SYNTAX.match(error.message)
    if match is None:
        return error.message
    told = re.sub(r" at position \d+", "", match["reason"] or match["wanted"] or "")
    token = match["token"].partition("\n")[0]
    return f"Syntax error at {token}: {told[:1].lower()}{told[1:]}".removesuffix(": ")


def swallowed_instruction(text: PlacedText, kind: Kind) -> str | None:
    """A hint about a line that was meant as an instruction, but is none in such files, so that it became content."""
    for line, (file_line, cut) in zip(text.text.split("\n"), text.lines, strict=False):
        word = line.split(None, 1)[0] if cut == 0 and line[:1].strip() else ""
        if not word.isupper() or word in words(kind):
            continue
        elsewhere = [other for other in Kind if word in words(other)]
        if elsewhere or word in CLASSIC_HINTS:
            told = CLASSIC_HINTS.get(word) or f"It belongs in a .{elsewhere[0]} file."
            return f"Line {file_line}: {word} is not an instruction of .{kind} files, so it was read as content. {told}"
    return None
