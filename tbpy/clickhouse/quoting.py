"""Quoting of names and strings, in ClickHouse's spelling and in DuckDB's."""

from __future__ import annotations

import re

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\0": "\\0"}
_ESCAPED = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")


def quote_string(text: str) -> str:
    """A ClickHouse string literal."""
    return "'" + _ESCAPED.sub(lambda match: _ESCAPES[match.group()], text) + "'"


#: Words that ClickHouse quotes where they are names.
_QUOTED_WORDS = frozenset(["all", "distinct", "false", "from", "inf", "nan", "select", "table", "true", "values"])


def quote_identifier(name: str) -> str:
    """A ClickHouse name in backticks."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def quote_identifier_if_needed(name: str) -> str:
    plain = _PLAIN_NAME.match(name) and name.lower() not in _QUOTED_WORDS
    return name if plain else quote_identifier(name)


def duckdb_string(text: str) -> str:
    """A DuckDB string literal. NUL cannot stand in one, so it is spliced in with chr(0)."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def duckdb_name(name: str) -> str:
    """A DuckDB name in double quotes."""
    return '"' + name.replace('"', '""') + '"'
