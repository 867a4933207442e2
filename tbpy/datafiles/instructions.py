"""Reading the argument of one instruction, for the instructions that several kinds of datafile share."""

from __future__ import annotations

from tbpy.datafiles.lexer import (
    Statement,
    block_text,
    is_ignored,
    raw_value,
    span_of,
    statement_span,
    stripped,
    unquoted,
)
from tbpy.datafiles.model import PlacedText, Setting, SqlText, Tags, Token
from tbpy.datafiles.source import Source
from tbpy.datafiles.vocabulary import CLASSIC_HINTS, Form
from tbpy.errors import Diagnostic, Severity


def refuse_outdated(source: Source, statement: Statement) -> None:
    """Raises for INCLUDE and for instructions that were given up."""
    name, span = statement.word.name, statement_span(source, statement)
    if statement.word.form is Form.INCLUDE:
        raise source.error("include", "INCLUDE is not supported yet", span, hint=CLASSIC_HINTS["INCLUDE"])
    if statement.word.form is Form.DEPRECATED:
        raise source.error("deprecated", f"{name} has been deprecated", span, hint=CLASSIC_HINTS.get(name))


def ignored_warning(source: Source, statement: Statement) -> Diagnostic:
    message = f"{statement.word.name} has been deprecated and will be ignored."
    span = statement_span(source, statement)
    return source.diagnostic("deprecated", message, span, hint="Remove the line.", severity=Severity.WARNING)


def read_value(source: Source, statement: Statement) -> PlacedText:
    """A value without its outer quotes; an instruction without any argument is a mistake."""
    raw = raw_value(source, statement)
    if not raw.text:
        name = statement.word.name
        span = statement_span(source, statement)
        raise source.error("missing-value", f"{name} needs a value", span, hint=f"Write: {name} value")
    return unquoted(raw)


def read_setting(source: Source, statement: Statement) -> Setting:
    return Setting(statement.word.attribute, read_value(source, statement))


def read_description(source: Source, statement: Statement) -> str:
    """A description keeps its quotes, and may be empty."""
    return raw_value(source, statement).text


def read_tags(source: Source, statement: Statement) -> Tags:
    items = [item.strip() for item in read_value(source, statement).text.split(",")]
    operational = [item for item in items if "=" in item]
    return Tags(tuple(item for item in items if item and "=" not in item), "&".join(operational) or None)


def read_token(source: Source, statement: Statement) -> Token:
    arguments, span = statement.arguments, statement_span(source, statement)
    if len(arguments) < 2:
        message = 'TOKEN takes two params: token name and permission e.g TOKEN "read api token" READ'
        raise source.error("token", message, span)
    if len(arguments) > 2 and not source.classic:
        message = (
            f"Invalid number of arguments for TOKEN command: {len(arguments)}. "
            "Expected 2 arguments: token name and permission"
        )
        raise source.error("token", message, span, hint="Put a name with blanks in quotes.")
    name, permission = arguments[:2]
    place = span_of(source, statement.index, permission.start, permission.end)
    allowed = permission.text.upper()
    if allowed not in ("READ", "APPEND") and not source.classic:
        message = f"Invalid permission: {allowed}. Only READ and APPEND are supported"
        raise source.error("token", message, place)
    return Token(_unquote(name.text), allowed, place)


def refuse_pipe_permission(source: Source, token: Token) -> None:
    if token.permission != "READ":
        message = f"Invalid permission {token.permission} for token {token.name}. Only READ is allowed for pipes"
        raise source.error(
            "token", message, token.span, hint="Rows are appended to data sources: give the token there."
        )


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0] else text


def read_sql(source: Source, statement: Statement) -> SqlText:
    """The SQL of a block: dedented, or only stripped outside when it starts with `%`."""
    span = statement_span(source, statement)
    if statement.content is None:
        hint = f"Use > to start a multiline SQL block: {statement.word.name} >"
        raise source.error("sql-block", "SQL must be multiline", span, hint=hint)
    if not statement.content:
        message = f"Missing sql query for pipe creation after the {statement.word.name} label"
        raise source.error("missing-sql", message, span, hint="Write the query on the lines below, indented.")
    raw = block_text(source, statement)
    if raw.text.lstrip().startswith("%"):
        placed = stripped(raw)
    else:
        placed = block_text(source, statement, cut=_margin(source, statement))
        placed = placed.slice(0, len(placed.text.rstrip()))
    return SqlText(placed.text, placed.lines)


def _margin(source: Source, statement: Statement) -> int:
    """How many blanks all lines of a block start with; tabs and blanks are not the same."""
    lines = [source.lines[index] for index in statement.content or () if not is_ignored(source.lines[index])]
    margins = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    shared = min(margins, key=len)
    while not all(margin.startswith(shared) for margin in margins):
        shared = shared[:-1]
    return len(shared)
