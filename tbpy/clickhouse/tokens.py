"""The lexer of ClickHouse SQL: one compiled expression cuts the text into parallel lists.

A token is an index into the lists of `Tokens`. `keys[i]` answers most questions of the parser with one comparison: the
upper-cased word of a bare word, the sign of an operator, and a mark for the rest (STRING, NUMBER, QUOTED, END). Source
of the rules: ClickHouse's public documentation of its syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tbpy.errors import QueryError, SqlPlace

STRING, NUMBER, QUOTED, END = "'", "0", '"', ""

_SPACE = r"(?P<space>(?:[\s\u200b\ufeff]+|--[^\n]*|\#[\ !][^\n]*|//[^\n]*)+)"
_TOKEN = re.compile(
    rf"""
    {_SPACE}
  | (?P<comment>/\*)
  | (?P<word>[A-Za-z_][A-Za-z0-9_$]*+(?!'))
  | (?P<number>
        (?<=[.])\d++(?![\w$])
      | 0[xX][0-9A-Fa-f](?:_?[0-9A-Fa-f])*+(?:\.(?:[0-9A-Fa-f](?:_?[0-9A-Fa-f])*+)?)?(?:[pP][+-]?\d++)?(?![\w$])
      | 0[bB][01](?:_?[01])*+(?![\w$])
      | \d(?:_?\d)*+(?:\.(?:\d(?:_?\d)*+)?)?(?:[eE][+-]?\d++)?(?![\w$])
      | (?<![\w)\]}}`"'])\.\d(?:_?\d)*+(?:[eE][+-]?\d++)?(?![\w$])
    )
  | (?P<string>[xXbB]?'(?:[^'\\]|\\.|'')*+')
  | (?P<quoted>`(?:[^`\\]|\\.|``)*+` | "(?:[^"\\]|\\.|"")*+")
  | (?P<operator>->|::|<=>|<=|>=|<>|!=|==|!~\*|!~|~\*|~|\|\||[-+*/%<>=()\[\]{{}},;.?:^@|])
  | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<late_word>[A-Za-z0-9_$]++)
  | (?P<minus>−)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_MARKS = {"string": STRING, "heredoc": STRING, "number": NUMBER, "quoted": QUOTED}


@dataclass(slots=True)
class Tokens:
    """The tokens of `text`; the last one is END, at the end of the text."""

    text: str
    keys: list[str]
    words: list[str]
    starts: list[int]
    ends: list[int]


def tokenize(text: str) -> Tokens:
    """Cut a SQL text into tokens. Raises `QueryError` 62 for what is no token, such as an open string."""
    keys: list[str] = []
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position, size = 0, len(text)
    match_at = _TOKEN.match
    while position < size:
        match = match_at(text, position)
        if match is None:
            raise _no_token(text, position)
        kind = match.lastgroup
        end = match.end()
        if kind == "space":
            position = end
            continue
        if kind == "comment":
            position = _comment_end(text, position)
            continue
        word = match.group()
        if kind == "word" or kind == "late_word":
            key = word.upper()
        elif kind == "operator":
            key = word
        elif kind == "minus":
            key = "-"
        elif kind == "number" and word[0] == "." and keys and _ends_operand(keys[-1]):
            key = word = "."  # `x .1` is an element of a tuple, as ClickHouse reads it
            end = position + 1
        else:
            key = _MARKS[kind or ""]
        keys.append(key)
        words.append(word)
        starts.append(position)
        ends.append(end)
        position = end
    keys.append(END)
    words.append("")
    starts.append(size)
    ends.append(size)
    return Tokens(text, keys, words, starts, ends)


def _ends_operand(key: str) -> bool:
    return key in (")", "]", QUOTED, NUMBER) or key[:1].isalpha() or key[:1] == "_"


def _comment_end(text: str, start: int) -> int:
    """The offset behind a comment that opens at `start`; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise _lexical_error(text, start, len(text), "Multiline comment is not closed")


def _no_token(text: str, position: int) -> QueryError:
    reasons = {"'": "Single quoted string is not closed", '"': "Double quoted string is not closed"}
    reasons["`"] = "Back quoted string is not closed"
    reason = reasons.get(text[position])
    if reason is None:
        return _lexical_error(text, position, position + 1, "Unrecognized token")
    return _lexical_error(text, position, len(text), reason)


def _lexical_error(text: str, start: int, end: int, reason: str) -> QueryError:
    error = syntax_error(text, start, end, "")
    message = f"{reason}: {error.message.removesuffix('. ')}"
    return QueryError(message, code=62, name="SYNTAX_ERROR", place=error.place)


def syntax_error(text: str, start: int, end: int, reason: str) -> QueryError:
    """ClickHouse's syntax error: where it failed, the text from there on, and why."""
    token = text[start:end] if start < len(text) else "end of query"
    message = (
        f"Syntax error: failed at position {start + 1} ({token}){line_place(text, start)}: {text[start : start + 160]}"
    )
    return QueryError(f"{message}. {reason}", code=62, name="SYNTAX_ERROR", place=SqlPlace(start, max(end, start)))


def line_place(text: str, start: int) -> str:
    """` (line 3, col 5)` in a text of several lines."""
    if "\n" not in text:
        return ""
    return f" (line {text.count(chr(10), 0, start) + 1}, col {start - text.rfind(chr(10), 0, start)})"
