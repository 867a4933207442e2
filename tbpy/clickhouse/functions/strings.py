"""Strings whole: case, length, trimming, padding, joining, replacing."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import by_bytes, bytes_of, hex_slice, is_binary, text_of
from tbpy.clickhouse.compiler.literals import constant
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
    texts_known,
    uppered,
)
from tbpy.clickhouse.quoting import duckdb_string

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
    return call.typed(f"repeat({arg.sql}, {_at_least_zero(call, 1)})", t.STRING)


@scalar("space", insensitive=True)
def space(call: Call) -> Typed:
    return call.typed(f"repeat(' ', {_at_least_zero(call, 0)})", t.STRING)


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


# --- joining ----------------------------------------------------------------------------------------------------------


def as_text(call: Call, arg: Typed) -> Typed:
    """A value of any type as concat() writes it: as toString does, but a FixedString keeps its zero bytes."""
    inner = t.plain(arg.type)
    if isinstance(inner, t.String | t.FixedString):
        return arg
    return call.compiler.call("toString", arg, node=call.node)


@scalar("concat", "concatAssumeInjective", args=(0, None), insensitive=("concat",))
def concat(call: Call) -> Typed:
    for kind, function in ((t.Array, "arrayConcat"), (t.Map, "mapConcat"), (t.Tuple, "tupleConcat")):
        if call.args and all(isinstance(arg.type, kind) for arg in call.args):
            return call.compiler.call(function, *call.args, node=call.node)
    parts = [as_text(call, arg) for arg in call.args]
    known = [known_text(part) for part in parts]
    if all(value is not None for value in known):
        return constant("".join(value or "" for value in known), t.STRING)
    if len(parts) == 1:
        return call.typed(parts[0].sql, t.STRING)
    if any(is_binary(part) for part in parts):
        return call.typed(text_of(f"({' || '.join(bytes_of(part) for part in parts)})"), t.STRING)
    return call.typed(f"({' || '.join(part.sql for part in parts)})", t.STRING)


@scalar(
    "concatWithSeparator", "concat_ws", "concatWithSeparatorAssumeInjective", args=(1, None), insensitive=("concat_ws",)
)
def concat_with_separator(call: Call) -> Typed:
    separator = text(call)
    parts = [as_text(call, arg).sql for arg in call.args[1:]]
    if not parts:
        return constant("", t.STRING)
    return call.typed(f"({f' || {separator.sql} || '.join(parts)})", t.STRING)


@scalar("format", args=(2, None))
def format_(call: Call) -> Typed:
    template = known_text(text(call, fixed=False))
    if template is None:
        call.unsupported("a template that is not a constant")
    parts = [
        duckdb_string(piece) if isinstance(piece, str) else as_text(call, call.args[1 + piece]).sql
        for piece in _template_pieces(call, template)
    ]
    return call.typed(f"({' || '.join(parts)})" if parts else "''", t.STRING)


def _template_pieces(call: Call, template: str) -> list[str | int]:
    """Literal texts and argument numbers of a `{}` or `{0}` template."""
    pieces: list[str | int] = []
    literal, index, automatic = "", 0, 0
    manual: bool | None = None
    while index < len(template):
        char = template[index]
        if char in "{}" and template[index + 1 : index + 2] == char:
            literal, index = literal + char, index + 2
        elif char == "}":
            raise failure(call, "Closed curly brace without open one")
        elif char == "{":
            end = template.find("}", index)
            if end < 0:
                raise failure(call, "Last open curly brace is not closed")
            inside = template[index + 1 : end]
            if inside and not inside.isdecimal():
                raise failure(call, "Not a number in curly braces")
            if manual is not None and manual != bool(inside):
                raise failure(call, "Cannot switch from automatic field numbering to manual field specification")
            manual = bool(inside)
            number = int(inside) if inside else automatic
            automatic += 1
            if number >= len(call.args) - 1:
                raise failure(call, f"Too big number for arguments, must be at most {len(call.args) - 2}")
            pieces += [literal, number] if literal else [number]
            literal, index = "", end + 1
        else:
            literal, index = literal + char, index + 1
    return [*pieces, literal] if literal else pieces


# --- replacing --------------------------------------------------------------------------------------------------------


@scalar("replaceAll", "replace", args=3, insensitive=("replace",))
def replace_all(call: Call) -> Typed:
    haystack, needle, replacement = (text(call, i, fixed=False) for i in range(3))
    known = texts_known(call)
    if known is not None:
        value = known[0].replace(known[1], known[2]) if known[1] else known[0]
        return constant(value, t.STRING)
    sql = f"replace({haystack.sql}, {needle.sql}, {replacement.sql})"
    if not known_text(needle):
        sql = f"(CASE WHEN {needle.sql} = '' THEN {haystack.sql} ELSE {sql} END)"
    return call.typed(sql, t.STRING)


@scalar("replaceOne", args=3, strict=False)
def replace_one(call: Call) -> Typed:
    haystack, needle, replacement = (text(call, i, fixed=False).sql for i in range(3))
    place = f"instr({haystack}, {needle})"
    rest = f"substring({haystack}, {place} + length({needle}))"
    found = f"left({haystack}, {place} - 1) || {replacement} || {rest}"
    sql = f"(CASE WHEN {needle} <> '' AND contains({haystack}, {needle}) THEN {found} ELSE {haystack} END)"
    return call.typed(sql, t.STRING)


def _translate(name: str, *, unicode: bool) -> None:
    @scalar(name, args=3)
    def build(call: Call) -> Typed:
        arg = text(call, fixed=not unicode)
        source, target = known_text(text(call, 1)), known_text(text(call, 2))
        if source is None or target is None:
            call.unsupported("characters that are not constants")
        if not unicode and not (source.isascii() and target.isascii()):
            raise failure(call, f"Second and third arguments of function {name} must be ASCII strings")
        if len(target) > len(source):
            raise failure(call, f"Second and third arguments of function {name} must be the same length")
        pairs: dict[str, str] = {}
        for position, char in enumerate(source):
            pairs[char] = target[position : position + 1]
        ordered = sorted(pairs, key=lambda char: not pairs[char])  # DuckDB drops the characters that have no partner
        letters = duckdb_string("".join(ordered)), duckdb_string("".join(pairs[char] for char in ordered))
        sql = f"translate({arg.sql}, {letters[0]}, {letters[1]})" if pairs else arg.sql
        return call.typed(sql, arg.type if len(source) == len(target) else t.STRING)


_translate("translate", unicode=False)
_translate("translateUTF8", unicode=True)


def _overlay(name: str, *, unicode: bool) -> None:
    @scalar(name, args=(3, 4), insensitive=not unicode)
    def build(call: Call) -> Typed:
        """The text with `length` characters (the replacement's own, without it) from `offset` exchanged."""
        arg, replacement = text(call), text(call, 1)
        udf = call.context.udf("tb_overlay_utf8" if unicode else "tb_overlay")
        length = integer(call, 3) if len(call.args) == 4 else f"length({replacement.sql})"
        if not unicode and len(call.args) == 3:
            length = f"strlen({replacement.sql})"
        if unicode:
            return call.typed(f"{udf}({arg.sql}, {replacement.sql}, {integer(call, 2)}, {length})", t.STRING)
        sql = f"{udf}({bytes_of(arg)}, {bytes_of(replacement)}, {integer(call, 2)}, {length})"
        return call.typed(text_of(sql), t.STRING)


_overlay("overlay", unicode=False)
_overlay("overlayUTF8", unicode=True)


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


@scalar("visibleWidth", nulls="keep", low_cardinality=False)
def visible_width(call: Call) -> Typed:
    """How many columns of a terminal the text of a value takes; NULL takes four."""
    arg = call.args[0]
    if isinstance(t.plain(arg.type), t.Nothing):
        return constant(4, t.UINT64)
    shown = as_text(call, arg.as_type(t.not_nullable(arg.type)))
    width = f"{call.context.udf('tb_visible_width')}({shown.sql})"
    return call.typed(f"coalesce({width}, 4)" if t.is_nullable(arg.type) else width, t.UINT64)
