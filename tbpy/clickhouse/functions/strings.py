"""Strings whole: case, length, trimming, padding, the order of their parts."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import by_bytes, bytes_of, hex_slice, is_binary, text_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import (
    failure,
    integer,
    integer_value,
    known_text,
    lowered,
    result,
    text,
    uppered,
)
from tbpy.clickhouse.quoting import duckdb_string

_LONGEST = 1_000_000

# --- case and length --------------------------------------------------------------------------------------------------


@scalar("lower", "lcase", insensitive=True)
def lower(call: Call) -> Typed:
    return _same_kind(call, lowered(text(call)))


@scalar("upper", "ucase", insensitive=True)
def upper(call: Call) -> Typed:
    return _same_kind(call, uppered(text(call)))


def _same_kind(call: Call, sql: str) -> Typed:
    """A result that stays a FixedString where the argument is one."""
    return call.typed(sql, call.args[0].type)


def _unicode_case(name: str, function: str) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        if isinstance(call.args[0].type, t.FixedString):
            raise failure(call, "Functions lowerUTF8 and upperUTF8 cannot work with FixedString argument")
        arg = text(call)
        slow = f"{call.context.udf(f'tb_{function}_utf8')}({arg.sql})"
        return result(call, by_bytes(arg, f"{function}({arg.sql})", slow))


_unicode_case("lowerUTF8", "lower")
_unicode_case("upperUTF8", "upper")


@scalar("initcap", insensitive=True)
def initcap(call: Call) -> Typed:
    arg = text(call)
    return _same_kind(call, f"{call.context.udf('tb_initcap')}({arg.sql})")


@scalar("initcapUTF8")
def initcap_utf8(call: Call) -> Typed:
    return result(call, f"{call.context.udf('tb_initcap_utf8')}({text(call, fixed=False).sql})")


@scalar("lengthUTF8", "CHAR_LENGTH", "CHARACTER_LENGTH", insensitive=("CHAR_LENGTH", "CHARACTER_LENGTH"))
def length_utf8(call: Call) -> Typed:
    return call.typed(f"CAST(length({text(call).sql}) AS UBIGINT)", t.UINT64)


@scalar("reverseUTF8")
def reverse_utf8(call: Call) -> Typed:
    arg = text(call, fixed=False)
    return result(call, f"array_to_string(list_reverse(string_split({arg.sql}, '')), '')")


@scalar("ascii", insensitive=True)
def ascii_(call: Call) -> Typed:
    blob = bytes_of(text(call))
    digits = f"left(hex({blob}), 2)"
    return call.typed(
        f"(CASE WHEN octet_length({blob}) = 0 THEN 0 ELSE CAST('0x' || {digits} AS INTEGER) END)", t.INT32
    )


@scalar("toValidUTF8")
def to_valid_utf8(call: Call) -> Typed:
    arg = text(call, fixed=False)
    if is_binary(arg):
        return call.typed(f"{call.context.udf('tb_to_valid_utf8')}({bytes_of(arg)})", t.STRING)
    return result(call, arg.sql, known_text(arg))


@scalar("isValidUTF8", strict=False)
def is_valid_utf8(call: Call) -> Typed:
    arg = text(call)
    if is_binary(arg):
        return call.condition(f"(try({arg.sql}) IS NOT NULL)")
    return call.condition("true")


@scalar("toStringCutToZero")
def to_string_cut_to_zero(call: Call) -> Typed:
    return call.typed(f"split_part({text(call).sql}, chr(0), 1)", t.STRING)


# --- trimming and padding ---------------------------------------------------------------------------------------------


def _trim(function: str, *names: str) -> None:
    @scalar(*names, args=(1, 2))
    def build(call: Call) -> Typed:
        arg = text(call)
        characters = " "
        if len(call.args) == 2:
            value = known_text(text(call, 1))
            if value is None:
                raise failure(
                    call, f"Second argument of function {call.name} must be a constant string", 44, "ILLEGAL_COLUMN"
                )
            characters = value
        if not characters:
            return call.typed(arg.sql, t.STRING)
        if not characters.isascii():
            udf = call.context.udf(f"tb_{function}_bytes")
            return call.typed(text_of(f"{udf}({bytes_of(arg)}, {bytes_of(call.args[1])})"), t.STRING)
        trimmed = f"{function}({arg.sql}, {duckdb_string(characters)})"
        if len(characters) == 1:  # looking first is much cheaper
            ends = [test for side, test in (("r", "starts_with"), ("l", "suffix")) if not function.startswith(side)]
            found = " OR ".join(f"{test}({arg.sql}, {duckdb_string(characters)})" for test in ends)
            trimmed = f"(CASE WHEN {found} THEN {trimmed} ELSE {arg.sql} END)"
        return call.typed(trimmed, t.STRING)


_trim("trim", "trimBoth", "trim")
_trim("ltrim", "trimLeft", "ltrim")
_trim("rtrim", "trimRight", "rtrim")


def _pad(function: str, *names: str, unicode: bool = False) -> None:
    @scalar(*names, args=(2, 3), insensitive=tuple(name for name in names if name in ("lpad", "rpad")))
    def build(call: Call) -> Typed:
        arg, size = text(call), integer(call, 1)
        if (integer_value(call, 1) or 0) < 0:
            message = f"New padded length ({size}) is negative"
            raise failure(call, message, 353, "INDEX_OF_POSITIONAL_ARGUMENT_IS_OUT_OF_RANGE")
        size = _at_most(call, 1, size, "New padded length ({}) is too big, maximum is: {}")
        padding = known_text(text(call, 2)) if len(call.args) == 3 else " "
        if padding is None:
            call.unsupported("padding that is not a constant")
        padding = padding or " "
        fast = f"{function}({arg.sql}, CAST({size} AS INTEGER), {duckdb_string(padding)})"
        if unicode:
            return call.typed(fast, t.STRING)
        if not padding.isascii():
            call.unsupported("padding that is not ASCII")
        width = f"CAST({size} - strlen({arg.sql}) + length({arg.sql}) AS INTEGER)"
        wider = f"{function}({arg.sql}, {width}, {duckdb_string(padding)})"
        cut = hex_slice(bytes_of(arg), "1", f"2 * {size}")
        slow = f"CASE WHEN strlen({arg.sql}) <= {size} THEN {wider} ELSE {cut} END"
        return call.typed(by_bytes(arg, fast, f"({slow})"), t.STRING)


_pad("lpad", "leftPad", "lpad")
_pad("rpad", "rightPad", "rpad")
_pad("lpad", "leftPadUTF8", unicode=True)
_pad("rpad", "rightPadUTF8", unicode=True)


@scalar("repeat", insensitive=True, args=2)
def repeat(call: Call) -> Typed:
    arg = text(call, fixed=False)
    return call.typed(f"repeat({arg.sql}, {_times(call, 1)})", t.STRING)


@scalar("space", insensitive=True)
def space(call: Call) -> Typed:
    return call.typed(f"repeat(' ', {_times(call, 0)})", t.STRING)


def _times(call: Call, position: int) -> str:
    return _at_most(call, position, _at_least_zero(call, position), "Too many times to repeat ({}), maximum is: {}")


def _at_most(call: Call, position: int, sql: str, message: str) -> str:
    """A length that may not be above ClickHouse's limit: nothing could stop a query that makes longer strings."""
    value = integer_value(call, position)
    if value is not None:
        if value > _LONGEST:
            raise failure(call, message.format(value, _LONGEST), 131, "TOO_LARGE_STRING_SIZE")
        return sql
    before, after = (duckdb_string(part) for part in message.format("|", _LONGEST).split("|"))
    told = f"'TOO_LARGE_STRING_SIZE: ' || {before} || {sql} || {after}"
    return f"(CASE WHEN {sql} > {_LONGEST} THEN CAST(error({told}) AS BIGINT) ELSE {sql} END)"


def _at_least_zero(call: Call, position: int) -> str:
    value, sql = integer_value(call, position), integer(call, position)
    type_ = t.plain(call.args[position].type)
    if value is not None:
        return str(max(value, 0))
    return sql if isinstance(type_, t.Int) and not type_.signed else f"greatest({sql}, 0)"


@scalar("appendTrailingCharIfAbsent", args=2)
def append_trailing_char(call: Call) -> Typed:
    arg, suffix = text(call, fixed=False), text(call, 1, fixed=False)
    known = known_text(suffix)
    if known is None or len(known.encode()) != 1:
        raise failure(call, f"Second argument of function {call.name} must be a one-character string")
    ready = f"{arg.sql} = '' OR suffix({arg.sql}, {suffix.sql})"
    sql = f"(CASE WHEN {ready} THEN {arg.sql} ELSE {arg.sql} || {suffix.sql} END)"
    return call.typed(sql, t.STRING)


# --- lines and parts --------------------------------------------------------------------------------------------------


@scalar("firstLine")
def first_line(call: Call) -> Typed:
    return call.typed(f"regexp_extract({text(call, fixed=False).sql}, '^[^\\r\\n]*')", t.STRING)


@scalar("reverseBySeparator", args=(1, 2))
def reverse_by_separator(call: Call) -> Typed:
    """The parts between separators, a dot without the second argument, in reverse order."""
    arg, separator = text(call, fixed=False).sql, "'.'"
    if len(call.args) == 2:
        if not known_text(text(call, 1, fixed=False)):
            call.unsupported("a separator that is empty or not a constant")
        separator = call.sql(1)
    return call.typed(f"array_to_string(list_reverse(string_split({arg}, {separator})), {separator})", t.STRING)
