"""Parts of a string by position: substring, left, right, substringIndex. `...UTF8` counts characters, others bytes."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import by_bytes, bytes_of, hex_slice
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import cut_to_integers, failure, integer, integer_value, known_text, text


@scalar("substring", "substr", "mid", "byteSlice", args=(2, 3), insensitive=True)
def substring(call: Call) -> Typed:
    """`offset` 0 gives nothing, a negative one counts from the end; a negative length leaves that many off the end."""
    cut_to_integers(call, 1, 2)
    arg = text(call, enum=True)
    fast = _characters(call, arg.sql, f"strlen({arg.sql})")
    return call.typed(by_bytes(arg, fast, _bytes(call, arg)), t.STRING)


@scalar("substringUTF8", "substrUTF8", args=(2, 3))
def substring_utf8(call: Call) -> Typed:
    cut_to_integers(call, 1, 2)
    arg = text(call, enum=True)
    return call.typed(_characters(call, arg.sql, f"length({arg.sql})"), t.STRING)


def _characters(call: Call, sql: str, size: str) -> str:
    offset, length = integer(call, 1), _length(call, size)
    part = f"substring({sql}, {offset}{'' if length is None else f', {length}'})"
    value = integer_value(call, 1)
    if value is None:
        return f"(CASE WHEN {offset} = 0 THEN left({sql}, 0) ELSE {part} END)"
    return part if value else f"left({sql}, 0)"


def _bytes(call: Call, arg: Typed) -> str:
    blob, offset, length = bytes_of(arg), integer(call, 1), _length(call, f"octet_length({bytes_of(arg)})")
    value = integer_value(call, 1)
    if value == 0:
        return f"left({arg.sql}, 0)"
    if value is not None:
        start = str(2 * value - 1 if value > 0 else 2 * value)
    else:
        start = f"(CASE WHEN {offset} > 0 THEN 2 * {offset} - 1 ELSE 2 * {offset} END)"
    digits = length if length is None else f"2 * ({length})"
    part = hex_slice(blob, start, digits)
    return part if value is not None else f"(CASE WHEN {offset} = 0 THEN left({arg.sql}, 0) ELSE {part} END)"


def _length(call: Call, size: str) -> str | None:
    """The length to take, never negative; None is up to the end."""
    if len(call.args) < 3:
        return None
    sql, value = integer(call, 2), integer_value(call, 2)
    type_ = t.plain(call.args[2].type)
    if (value is not None and value >= 0) or (value is None and isinstance(type_, t.Int) and not type_.signed):
        return sql
    offset = integer(call, 1)
    before = f"(CASE WHEN {offset} > 0 THEN {offset} - 1 ELSE greatest({size} + {offset}, 0) END)"
    shorter = f"greatest({size} + {sql} - {before}, 0)"
    return shorter if value is not None else f"(CASE WHEN {sql} < 0 THEN {shorter} ELSE {sql} END)"


def _end(name: str, *, unicode: bool = False) -> None:
    side = name.removesuffix("UTF8")

    @scalar(name, args=2, insensitive=not unicode)
    def build(call: Call) -> Typed:
        cut_to_integers(call, 1)
        arg, size = text(call), integer(call, 1)
        fast = f"{side}({arg.sql}, {size})"
        if unicode:
            return call.typed(fast, t.STRING)
        blob = bytes_of(arg)
        slow = f"decode(unhex({side}(hex({blob}), 2 * {size})))"
        return call.typed(by_bytes(arg, fast, slow), t.STRING)


for _name in ("left", "right"):
    _end(_name)
    _end(f"{_name}UTF8", unicode=True)


@scalar("substringIndex", "SUBSTRING_INDEX", "substringIndexUTF8", args=3, insensitive=("SUBSTRING_INDEX",))
def substring_index(call: Call) -> Typed:
    """What stands before the n-th separator, or for negative n after the n-th one from the end."""
    arg, separator, count = text(call, fixed=False).sql, text(call, 1, fixed=False), integer(call, 2)
    known = known_text(separator)
    if known is None or len(known) != 1:
        raise failure(call, f"Separator of function {call.name} must be one character")
    parts = f"string_split({arg}, {separator.sql})"
    value = integer_value(call, 2)
    if value is None:
        bounds = f"CASE WHEN {count} > 0 THEN 1 ELSE {count} END, CASE WHEN {count} > 0 THEN {count} ELSE -1 END"
        sql = (
            f"(CASE WHEN {count} = 0 THEN '' ELSE array_to_string(list_slice({parts}, {bounds}), {separator.sql}) END)"
        )
    elif value == 0:
        sql = f"left({arg}, 0)"
    elif value > 0:
        sql = f"array_to_string(list_slice({parts}, 1, {value}), {separator.sql})"
    else:
        sql = f"array_to_string(list_slice({parts}, {value}, -1), {separator.sql})"
    return call.typed(sql, t.STRING)
