"""formatDateTime and its kin: patterns are constants, taken apart when the query compiles."""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import local, require_time, zone_argument, zone_of
from tbpy.clickhouse.quoting import duckdb_string

#: ClickHouse's letter → what strftime of DuckDB says for it
_STRFTIME = {
    "a": "%a", "b": "%b", "c": "%m", "d": "%d", "D": "%m/%d/%y", "e": "%-d", "F": "%Y-%m-%d", "G": "%G", "h": "%I",
    "H": "%H", "i": "%M", "I": "%I", "j": "%j", "k": "%H", "l": "%I", "m": "%m", "M": "%B", "n": "\n", "p": "%p",
    "r": "%I:%M %p", "R": "%H:%M", "s": "%S", "S": "%S", "t": "\t", "T": "%H:%M:%S", "u": "%u", "V": "%V", "w": "%w",
    "W": "%A", "y": "%y", "Y": "%Y", "%": "%%",
}  # fmt: skip

#: Letters that strftime lacks, as SQL over the wall clock
_SQL = {
    "C": "lpad(CAST(year({0}) // 100 AS VARCHAR), 2, '0')",
    "g": "lpad(CAST(isoyear({0}) % 100 AS VARCHAR), 2, '0')",
    "Q": "CAST(quarter({0}) AS VARCHAR)",
    "f": "lpad(CAST(microsecond({0}) % 1000000 AS VARCHAR), 6, '0')",
}


@scalar("formatDateTime", "DATE_FORMAT", args=(2, 3), insensitive=("DATE_FORMAT",))
def format_date_time(call: Call) -> Typed:
    require_time(call)
    pattern = call.constant_value(1, "format")
    if not isinstance(pattern, str):
        call.wrong_type()
    zone = zone_argument(call, 2) or zone_of(call.args[0].type)
    clock = f"CAST({local(call.args[0], zone)} AS TIMESTAMP)" if _is_date(call) else local(call.args[0], zone)
    return call.typed(_joined(_pieces(call, pattern, clock), clock), t.STRING)


def _is_date(call: Call) -> bool:
    return isinstance(t.plain(call.args[0].type), t.Date | t.Date32)


def _pieces(call: Call, pattern: str, clock: str) -> list[tuple[str, str]]:
    """The pattern as ("strftime", text) and ("sql", expression) pieces in order."""
    pieces: list[tuple[str, str]] = []
    for literal, letter in re.findall(r"([^%]+)|%(.)", pattern, re.S):
        if literal:
            pieces.append(("strftime", literal))
        elif letter in _STRFTIME:
            pieces.append(("strftime", _STRFTIME[letter]))
        elif letter in _SQL:
            pieces.append(("sql", _SQL[letter].format(clock)))
        elif letter == "z":
            pieces.append(("sql", _offset(call, clock)))
        else:
            text = f"Incorrect syntax '{pattern}', symbol is not supported '{letter}' for function {call.name}"
            raise bad_arguments(text, call.node)
    if pattern.endswith("%") and not pattern.endswith("%%"):
        raise bad_arguments(f"Incorrect syntax '{pattern}', symbol is not complete for function {call.name}", call.node)
    return pieces


def _joined(pieces: list[tuple[str, str]], clock: str) -> str:
    parts: list[str] = []
    text = ""
    for kind, piece in [*pieces, ("sql", "")]:
        if kind == "strftime":
            text += piece
            continue
        if text:
            parts.append(_strftime(text, clock))
        text = ""
        parts += [piece] if piece else []
    return "''" if not parts else parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def _strftime(text: str, clock: str) -> str:
    if "%" not in text:
        return duckdb_string(text)
    return f"strftime({clock}, {duckdb_string(text)})"


def _offset(call: Call, clock: str) -> str:
    if _is_date(call):
        call.wrong_type()
    minutes = f"CAST((epoch({clock}) - epoch({call.sql(0)})) / 60 AS INTEGER)"
    sign = f"CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END"
    digits = f"lpad(CAST(abs({minutes}) // 60 * 100 + abs({minutes}) % 60 AS VARCHAR), 4, '0')"
    return f"({sign} || {digits})"
