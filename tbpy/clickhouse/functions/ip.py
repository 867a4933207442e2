"""IP addresses. IPv4 is a 32-bit number, IPv6 a 128-bit one; as FixedString(16) an IPv6 address is its bytes."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import failure, known_text, text
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type

_BYTE = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_LOOSE_BYTE = r"(25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_STRICT = duckdb_string(rf"{_BYTE}(\.{_BYTE}){{3}}")
_LOOSE = duckdb_string(rf"{_LOOSE_BYTE}(\.{_LOOSE_BYTE}){{3}}")
_MAPPED = 0xFFFF << 32


def ipv4_number(sql: str) -> str:
    """The UINTEGER of a text that is an IPv4 address."""
    parts = [f"CAST(split_part({sql}, '.', {place}) AS UINTEGER)" for place in (1, 2, 3, 4)]
    scaled = [f"{part} * {1 << shift}" for part, shift in zip(parts, (24, 16, 8), strict=False)]
    return f"CAST({' + '.join([*scaled, parts[3]])} AS UINTEGER)"


def ipv4_text(sql: str) -> str:
    return "(" + " || '.' || ".join(f"(({sql} >> {shift}) & 255)" for shift in (24, 16, 8, 0)) + ")"


def _ipv6_of_text(call: Call, sql: str) -> str:
    return f"{call.context.udf('tb_ipv6_number')}({sql})"


def _any_address(call: Call, sql: str, pattern: str) -> str:
    """The UHUGEINT of an IPv6 address, or of an IPv4 one of that pattern as IPv6 has it; NULL of what is neither."""
    mapped = f"{_MAPPED} + CAST({ipv4_number(sql)} AS UHUGEINT)"
    return f"(CASE WHEN regexp_full_match({sql}, {pattern}) THEN {mapped} ELSE {_ipv6_of_text(call, sql)} END)"


def _ipv6_bytes(sql: str) -> str:
    return f"unhex(lpad(hex({sql}), 32, '0'))"


def _ipv6_of_bytes(blob: str) -> str:
    return f"CAST('0x' || hex({blob}) AS UHUGEINT)"


def _unless_null(call: Call, sql: str, kind: str, text_: str) -> str:
    """`sql`, or a failure where it is NULL though the argument is not."""
    message = f"{duckdb_string(f'CANNOT_PARSE_{kind.upper()}: {text_} {kind} ')} || {call.sql(0)}"
    return f"coalesce({sql}, CASE WHEN {call.sql(0)} IS NOT NULL THEN error({message}) END)"


# --- texts to numbers -------------------------------------------------------------------------------------------------


def _unpadded(value: Typed) -> str:
    return f"rtrim({value.sql}, chr(0))" if isinstance(value.type, t.FixedString) else value.sql


def _parsed_ipv4(call: Call, pattern: str) -> str:
    sql = _unpadded(text(call, fixed=pattern == _LOOSE))
    return f"(CASE WHEN regexp_full_match({sql}, {pattern}) THEN {ipv4_number(sql)} END)"


@scalar("IPv4StringToNum", "INET_ATON", insensitive=("INET_ATON",))
def ipv4_string_to_num(call: Call) -> Typed:
    return call.typed(_unless_null(call, _parsed_ipv4(call, _STRICT), "IPv4", "Invalid value of"), t.UINT32)


@scalar("IPv4StringToNumOrDefault", strict=False)
def ipv4_string_to_num_or_default(call: Call) -> Typed:
    return call.typed(f"coalesce({_parsed_ipv4(call, _STRICT)}, CAST(0 AS UINTEGER))", t.UINT32)


@scalar("IPv4StringToNumOrNull")
def ipv4_string_to_num_or_null(call: Call) -> Typed:
    return call.typed(_parsed_ipv4(call, _STRICT), t.Nullable(t.UINT32))


@scalar("IPv6StringToNum", "INET6_ATON", insensitive=("INET6_ATON",))
def ipv6_string_to_num(call: Call) -> Typed:
    number = _unless_null(call, _any_address(call, text(call, fixed=False).sql, _STRICT), "IPv6", "Invalid value of")
    return call.typed(text_of(_ipv6_bytes(number)), t.FixedString(16))


@scalar("IPv6StringToNumOrDefault", strict=False)
def ipv6_string_to_num_or_default(call: Call) -> Typed:
    number = f"coalesce({_any_address(call, text(call, fixed=False).sql, _STRICT)}, 0)"
    return call.typed(text_of(_ipv6_bytes(number)), t.FixedString(16))


@scalar("IPv6StringToNumOrNull")
def ipv6_string_to_num_or_null(call: Call) -> Typed:
    number = _any_address(call, _unpadded(text(call)), _STRICT)
    return call.typed(text_of(_ipv6_bytes(number)), t.Nullable(t.FixedString(16)))


# --- conversions ------------------------------------------------------------------------------------------------------


def _to_ipv4(call: Call) -> str:
    """NULL where the text is no address."""
    match call.args[0].type:
        case t.IPv4():
            return call.sql(0)
        case t.IPv6():
            inside = f"({call.sql(0)} >> 32) = 65535"
            failed = "error('CANNOT_CONVERT_TYPE: An IPv6 address is not in IPv4 mapping block')"
            number = f"CAST({call.sql(0)} & 4294967295 AS UINTEGER)"
            return f"(CASE WHEN {inside} THEN {number} WHEN {call.sql(0)} IS NOT NULL THEN {failed} END)"
        case t.String() | t.FixedString():
            return _parsed_ipv4(call, _LOOSE)
        case t.Int(bits, False) if bits <= 64:
            return f"CAST({call.sql(0)} % 4294967296 AS UINTEGER)"
        case t.Int():
            call.unsupported(f"an argument of type {call.args[0].type}")
    call.wrong_type()


def _to_ipv6(call: Call) -> str:
    match call.args[0].type:
        case t.IPv6():
            return call.sql(0)
        case t.IPv4():
            return f"({_MAPPED} + CAST({call.sql(0)} AS UHUGEINT))"
        case t.FixedString(16):
            return _ipv6_of_bytes(bytes_of(call.args[0]))
        case t.String() | t.FixedString():
            return _any_address(call, _unpadded(call.args[0]), _LOOSE)
        case t.Int(128, False):
            return call.sql(0)
    call.unsupported(f"an argument of type {call.args[0].type}")


def _conversions(name: str, gives: t.Type) -> None:
    def number(call: Call) -> str:
        return _to_ipv4(call) if gives == t.IPV4 else _to_ipv6(call)

    @scalar(f"to{name}")
    def strict(call: Call) -> Typed:
        sql = number(call)
        if isinstance(call.args[0].type, t.String | t.FixedString) and call.args[0].type != t.FixedString(16):
            sql = _unless_null(call, sql, name, "Cannot parse")
        return call.typed(sql, gives)

    @scalar(f"to{name}OrNull")
    def or_null(call: Call) -> Typed:
        text(call, fixed=False)
        return call.typed(number(call), t.Nullable(gives))

    @scalar(f"to{name}OrZero", strict=False)
    def or_zero(call: Call) -> Typed:
        text(call, fixed=False)
        return call.typed(f"coalesce({number(call)}, 0)", gives)

    @scalar(f"to{name}OrDefault", args=(1, 2), nulls="keep")
    def or_default(call: Call) -> Typed:
        default = call.args[1].sql if len(call.args) == 2 else f"CAST(0 AS {duckdb_type(gives)})"
        if isinstance(t.plain(call.args[0].type), t.Nothing):
            return call.typed(default, gives)
        if len(call.args) == 2 and call.args[1].type != gives:
            raise failure(call, f"Default value type should be same as cast type. Expected {gives}")
        call.args = (call.args[0].as_type(t.plain(call.args[0].type)), *call.args[1:])
        return call.typed(f"coalesce({number(call)}, {default})", gives)


_conversions("IPv4", t.IPV4)
_conversions("IPv6", t.IPV6)


@scalar("IPv4ToIPv6")
def ipv4_to_ipv6(call: Call) -> Typed:
    number = f"({_MAPPED} + CAST({_number32(call, 0)} AS UHUGEINT))"
    if isinstance(call.args[0].type, t.IPv4):
        return call.typed(number, t.IPV6)
    return call.typed(text_of(_ipv6_bytes(number)), t.FixedString(16))


# --- numbers to texts -------------------------------------------------------------------------------------------------


def _number32(call: Call, position: int) -> str:
    """An IPv4 argument, or an unsigned integer of up to 32 bits, as UINTEGER."""
    type_ = call.args[position].type
    if isinstance(type_, t.IPv4):
        return call.sql(position)
    if isinstance(type_, t.Int) and not type_.signed and type_.bits <= 32:
        return f"CAST({call.sql(position)} AS UINTEGER)"
    call.wrong_type()


def _number128(call: Call, position: int) -> str:
    """An IPv6 argument, or its 16 bytes, as UHUGEINT."""
    arg = call.args[position]
    if isinstance(arg.type, t.IPv6):
        return arg.sql
    if arg.type == t.FixedString(16):
        return _ipv6_of_bytes(bytes_of(arg))
    call.wrong_type()


@scalar("IPv4NumToString", "INET_NTOA", insensitive=("INET_NTOA",))
def ipv4_num_to_string(call: Call) -> Typed:
    return call.typed(ipv4_text(_number32(call, 0)), t.STRING)


@scalar("IPv4NumToStringClassC")
def ipv4_num_to_string_class_c(call: Call) -> Typed:
    return call.typed(f"regexp_replace({ipv4_text(_number32(call, 0))}, '[0-9]+$', 'xxx')", t.STRING)


@scalar("IPv6NumToString", "INET6_NTOA", insensitive=("INET6_NTOA",))
def ipv6_num_to_string(call: Call) -> Typed:
    return call.typed(f"{call.context.udf('tb_ipv6_text')}({_number128(call, 0)})", t.STRING)


@scalar("cutIPv6", args=3)
def cut_ipv6(call: Call) -> Typed:
    """The address with so many low bytes zeroed: one number for IPv6, one for mapped IPv4 addresses."""
    counts = [call.constant_value(place, "number of bytes") for place in (1, 2)]
    if not all(isinstance(count, int) and 0 <= count <= 16 for count in counts):
        raise failure(call, "Illegal number of bytes to cut")
    number = _number128(call, 0)
    masks = [(1 << 128) - (1 << 8 * count) for count in counts]
    kept = [f"({number} & CAST('{mask}' AS UHUGEINT))" for mask in masks]
    sql = f"CASE WHEN ({number} >> 32) = 65535 THEN {kept[1]} ELSE {kept[0]} END"
    return call.typed(f"{call.context.udf('tb_ipv6_text')}({sql})", t.STRING)


# --- tests and ranges -------------------------------------------------------------------------------------------------


@scalar("isIPv4String")
def is_ipv4_string(call: Call) -> Typed:
    return call.condition(f"regexp_full_match({text(call, fixed=False).sql}, {_STRICT})")


@scalar("isIPv6String", strict=False)
def is_ipv6_string(call: Call) -> Typed:
    return call.condition(f"({_ipv6_of_text(call, text(call, fixed=False).sql)} IS NOT NULL)")


@scalar("isIPAddressInRange", args=2, nulls="keep", strict=False)
def is_ip_address_in_range(call: Call) -> Typed:
    """NULL is in no range; a range that may be NULL is an error."""
    address = call.args[0]
    optional = t.is_nullable(address.type)
    if t.is_nullable(call.args[1].type) or isinstance(t.plain(address.type), t.Nothing):
        call.wrong_type()
    address = address.as_type(t.plain(address.type))
    if isinstance(address.type, t.IPv4 | t.IPv6):
        address = Caster(call.compiler, call.node).plain(address, t.STRING)
    elif not isinstance(address.type, t.String):
        call.wrong_type()
    if known_text(call.args[1]) is not None and "/" not in str(call.args[1].value):
        raise failure(call, f"The text does not contain '/': {call.args[1].value}", 6, "CANNOT_PARSE_TEXT")
    inside = f"{call.context.udf('tb_ip_in_range')}({address.sql}, {text(call, 1, fixed=False).sql})"
    return call.condition(f"coalesce({inside}, false)" if optional else inside)


def _range(name: str, gives: t.Type, bits: int) -> None:
    kind = "UINTEGER" if bits == 32 else "UHUGEINT"

    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        """The first and the last address of the network with that many fixed bits."""
        number = _number32(call, 0) if bits == 32 else _number128(call, 0)
        if not t.is_integer(call.args[1].type):
            call.wrong_type()
        udf = call.context.udf(f"tb_network{bits}")
        bounds = [f"{udf}({number}, CAST({call.sql(1)} AS UTINYINT), {last})" for last in ("false", "true")]
        return call.typed(f"{{'1': CAST({bounds[0]} AS {kind}), '2': {bounds[1]}}}", t.Tuple((gives, gives)))


_range("IPv4CIDRToRange", t.IPV4, 32)
_range("IPv6CIDRToRange", t.IPV6, 128)
