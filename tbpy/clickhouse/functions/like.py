"""LIKE and its kin. A plain pattern becomes `=`, starts_with, suffix or contains, so that filters stay fast."""

from __future__ import annotations

from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, failure, known_text, text
from tbpy.clickhouse.quoting import duckdb_string

_MANY, _ONE = object(), object()
_BACKSLASH = "\\"


def _read(call: Call, pattern: str, escape: str) -> list[object]:
    """The pattern as texts, `_MANY` for % and `_ONE` for _. The sign that escapes %, _ and itself is one elsewhere."""
    parts: list[object] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == escape:
            follower = pattern[index : index + 1]
            if not follower:
                message = f"Invalid escape sequence at the end of LIKE pattern '{pattern}'"
                raise failure(call, message, 25, "CANNOT_PARSE_ESCAPE_SEQUENCE")
            if follower in ("%", "_", escape):
                char, index = follower, index + 1
        elif char in "%_":
            parts.append(_MANY if char == "%" else _ONE)
            continue
        if parts and isinstance(parts[-1], str):
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _condition(call: Call, *, fold: bool) -> str:
    arg = text(call, 0, enum=True)
    pattern = text(call, 1, enum=True)
    known = known_text(pattern)
    escape = _escape(call)
    if known is None:
        if escape != _BACKSLASH:
            call.unsupported("an ESCAPE and a pattern that is not constant")
        return _variable(arg.sql, pattern.sql, fold=fold)
    parts = _read(call, known, escape)
    plain = None if fold else _plain(arg.sql, parts)
    if plain is not None:
        return plain
    escaped = "".join(_escaped(part) for part in parts)
    return f"({arg.sql} {'ILIKE' if fold else 'LIKE'} {duckdb_string(escaped)} ESCAPE '\\')"


def _escape(call: Call) -> str:
    if len(call.args) < 3:
        return _BACKSLASH
    sign = constant_text(call, 2, "escape")
    if len(sign) != 1:
        raise bad_arguments(f"ESCAPE of function {call.name} must be one character", call.node)
    return sign


def _plain(sql: str, parts: list[object]) -> str | None:
    """The condition without LIKE, where it can be said so."""
    texts = [part for part in parts if isinstance(part, str)]
    if not parts:
        return f"({sql} = '')"
    if len(texts) > 1 or _ONE in parts:
        return None
    body = [
        part for position, part in enumerate(parts) if part is not _MANY or parts[position - 1 : position] != [_MANY]
    ]
    if not texts:
        return f"starts_with({sql}, '')"
    word = duckdb_string(texts[0])
    match [part is _MANY for part in body]:
        case [False]:
            return f"({sql} = {word})"
        case [False, True]:
            return f"starts_with({sql}, {word})"
        case [True, False]:
            return f"suffix({sql}, {word})"
    return f"contains({sql}, {word})"


def _escaped(part: object) -> str:
    if isinstance(part, str):
        return "".join(f"\\{char}" if char in "%_\\" else char for char in part)
    return "%" if part is _MANY else "_"


def _variable(sql: str, pattern: str, *, fold: bool) -> str:
    """A pattern that is not known yet. DuckDB drops a backslash before other characters: such patterns are refused."""
    message = "'LIKE with a backslash before an ordinary character is not supported by tbpy yet'"
    checked = (
        f"(CASE WHEN contains({pattern}, '\\') AND NOT regexp_full_match({pattern}, '(?s)([^\\\\]|\\\\[%_\\\\])*') "
        f"THEN error({message}) ELSE {pattern} END)"
    )
    return f"({sql} {'ILIKE' if fold else 'LIKE'} {checked} ESCAPE '\\')"


@scalar("like", args=(2, 3))
def like(call: Call) -> Typed:
    return call.condition(_condition(call, fold=False))


@scalar("notLike", args=(2, 3))
def not_like(call: Call) -> Typed:
    return call.condition(f"(NOT {_condition(call, fold=False)})")


@scalar("ilike", args=(2, 3))
def ilike(call: Call) -> Typed:
    return call.condition(_condition(call, fold=True))


@scalar("notILike", args=(2, 3))
def not_ilike(call: Call) -> Typed:
    return call.condition(f"(NOT {_condition(call, fold=True)})")
