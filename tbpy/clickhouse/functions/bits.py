"""Functions on the bits of whole numbers."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import wide
from tbpy.clickhouse.casting.numbers import known_integer, wrap_value, wrapped_sql
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import addresses_as_numbers, as_number, integer_sql
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError


def _integer(call: Call, position: int) -> t.Int:
    kind = _any_integer(call, position)
    if kind.bits > 64:
        call.unsupported("numbers of more than 64 bits")
    return kind


def _any_integer(call: Call, position: int) -> t.Int:
    kind = as_number(t.plain(call.args[position].type))
    match kind:
        case t.IPv4():
            return t.UINT32
        case t.IPv6():
            return t.UINT128
        case t.Int():
            return kind
    return call.wrong_type()


def unsigned(value: Typed, kind: t.Int) -> str:
    """The bits of a number, as a number without sign in a HUGEINT: no operation on it overflows."""
    if not kind.signed:
        return f"CAST({integer_sql(value)} AS HUGEINT)"
    return f"(CAST({value.sql} AS HUGEINT) & {(1 << kind.bits) - 1})"


def _from_bits(call: Call, sql: str, type_: t.Int) -> Typed:
    return call.typed(wrapped_sql(sql, t.INT128, type_), type_)


def _binary(name: str, pattern: str, fold: Callable[[int, int], int]) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        if all(isinstance(arg.type, t.FixedString) for arg in call.args):
            return _of_texts(call, name)
        kinds = [_any_integer(call, position) for position in (0, 1)]
        if any(kind.bits > 64 for kind in kinds):
            return _wide(call, pattern, kinds)
        addresses_as_numbers(call)
        type_ = _both(call)
        left, right = call.args
        if left.known and right.known:
            return known_integer(wrap_value(fold(int(left.value), int(right.value)), type_), type_)
        if _integer(call, 0) == _integer(call, 1) and not (left.constant and right.constant):
            return call.typed(pattern.format(integer_sql(left), integer_sql(right)), type_)
        sides = [_extended(value, type_) for value in call.args]
        return _from_bits(call, pattern.format(*sides), type_)


def _of_texts(call: Call, name: str) -> Typed:
    """Byte by byte, of two FixedStrings of one length."""
    if call.types[0] != call.types[1]:
        call.wrong_type()
    left, right = (bytes_of(arg) for arg in call.args)
    return call.typed(text_of(f"{call.context.udf('tb_text_bits')}({left}, {right}, '{name}')"), call.types[0])


def _wide(call: Call, pattern: str, kinds: list[t.Int]) -> Typed:
    type_ = t.Int(max(kind.bits for kind in kinds), any(kind.signed for kind in kinds))
    symbol = pattern[3] if pattern.startswith("({}") else "xor"
    symbol = pattern.replace("{}", "").strip("() ,") if symbol != "xor" else symbol
    left, right = (
        value if isinstance(value.type, t.Int) else value.as_type(kind)
        for value, kind in zip(call.args, kinds, strict=True)
    )
    return call.typed(wide.calculated(call.context, symbol, left, right, type_), type_)


def _masked(value: Typed, type_: t.Int) -> str:
    return str(int(value.value) & ((1 << type_.bits) - 1))


def _extended(value: Typed, type_: t.Int) -> str:
    """The bits of a number in the width of the result, its sign extended, as a HUGEINT."""
    if value.known:
        return f"CAST({_masked(value, type_)} AS HUGEINT)"
    return f"(CAST({integer_sql(value)} AS HUGEINT) & {(1 << type_.bits) - 1})"


_binary("bitAnd", "({} & {})", lambda one, other: one & other)
_binary("bitOr", "({} | {})", lambda one, other: one | other)
_binary("bitXor", "xor({}, {})", lambda one, other: one ^ other)


@scalar("bitNot")
def bit_not(call: Call) -> Typed:
    [value] = call.args
    if isinstance(value.type, t.FixedString):
        blob = bytes_of(value)
        return call.typed(text_of(f"{call.context.udf('tb_text_bits')}({blob}, {blob}, 'bitNot')"), value.type)
    kind = _any_integer(call, 0)
    if isinstance(t.plain(value.type), t.IPv4 | t.IPv6):
        call.wrong_type()
    if kind.bits == 256:
        minus_one = Typed("'-1'", t.INT256)
        return call.typed(wide.calculated(call.context, "xor", value, minus_one, kind), kind)
    if value.known:
        return known_integer(wrap_value(~int(value.value), kind), kind)
    return call.typed(f"(~CAST({value.sql} AS {duckdb_type(kind)}))", kind)


def _both(call: Call) -> t.Int:
    """As wide as the wider of two numbers, signed when either is."""
    one, other = _integer(call, 0), _integer(call, 1)
    return t.Int(max(one.bits, other.bits), one.signed or other.signed)


_NEGATIVE = "The number of shift positions needs to be a non-negative value"


def _shifted_text(call: Call, direction: str) -> Typed:
    value, places = call.args
    kind, _ = t.plain(value.type), _integer(call, 1)
    fixed = "true" if isinstance(kind, t.FixedString) else "false"
    number = places.sql
    if not places.known:
        number = f"(CASE WHEN {number} < 0 THEN error('ARGUMENT_OUT_OF_BOUND: {_NEGATIVE}') ELSE {number} END)"
    shifted = f"{call.context.udf(f'tb_text_shift_{direction}')}({bytes_of(value)}, CAST({number} AS BIGINT), {fixed})"
    return call.typed(text_of(shifted), kind)


@scalar("bitSlice", args=(2, 3))
def bit_slice(call: Call) -> Typed:
    """Bits of a text from an offset on, as the bytes of a String."""
    if not t.is_text(call.args[0].type):
        call.wrong_type()
    for position in range(1, len(call.args)):
        _integer(call, position)
    offset, length = call.sql(1), call.sql(2) if len(call.args) == 3 else str(1 << 60)
    cut = f"{call.context.udf('tb_bit_slice')}({bytes_of(call.args[0])}, {offset}, {length})"
    return call.typed(text_of(cut), t.STRING)


def _shift(name: str, left: bool) -> None:
    @scalar(name, args=2, strict=False)
    def build(call: Call) -> Typed:
        value, places = call.args
        if places.known and isinstance(places.value, int) and places.value < 0:
            raise _out_of_bounds(call, _NEGATIVE)
        if t.is_text(value.type):
            return _shifted_text(call, "left" if left else "right")
        wide_kind = _any_integer(call, 0)
        if wide_kind.bits > 64:
            return _shifted_wide(call, wide_kind, left)
        kind = _both(call)
        if value.known and places.known:
            return known_integer(_shifted(int(value.value), int(places.value), kind, left), kind)
        moved = _moved(value, places, kind, left)
        gone = "0" if left or not kind.signed else f"(CASE WHEN {value.sql} < 0 THEN -1 ELSE 0 END)"
        failure = f"error('ARGUMENT_OUT_OF_BOUND: {_NEGATIVE}')"
        checks = [f"WHEN {places.sql} >= {kind.bits} THEN {gone}"]
        if _integer(call, 1).signed:
            checks.insert(0, f"WHEN {places.sql} < 0 THEN {failure}")
        body = moved if places.known and places.value < kind.bits else f"(CASE {' '.join(checks)} ELSE {moved} END)"
        return _from_bits(call, body, kind)


def _shifted_wide(call: Call, kind: t.Int, left: bool) -> Typed:
    value, places = call.args
    sign = "" if left else "-"
    number = f"CAST({places.sql} AS INTEGER)"
    text = wide.number_text(value.exact(), kind)
    moved = f"{call.context.udf('tb_wide_shifted')}({text}, {sign}{number}, {str(kind.signed).lower()})"
    if kind.bits == 256:
        return call.typed(moved, kind)
    narrowed = f"{call.context.udf('tb_wide_integer')}({moved}, {kind.bits}, {str(kind.signed).lower()})"
    return call.typed(f"CAST({narrowed} AS {duckdb_type(kind)})", kind)


def _moved(value: Typed, places: Typed, kind: t.Int, left: bool) -> str:
    """The bits moved by fewer places than there are; to the right, the sign moves in."""
    power = f"CAST(pow(2, least(greatest({places.sql}, 0), {kind.bits - 1})) AS HUGEINT)"
    if left:
        return f"({_extended(value, kind)} * {power})"
    if not kind.signed:
        return f"({_extended(value, kind)} >> CAST(least({places.sql}, {kind.bits - 1}) AS INTEGER))"
    bits = f"CAST({value.sql} AS HUGEINT)"
    return f"(({bits} - ((({bits} % {power}) + {power}) % {power})) // {power})"


def _shifted(value: int, places: int, kind: t.Int, left: bool) -> int:
    if left:
        return wrap_value(value << places, kind) if places < kind.bits else 0
    return value >> min(places, kind.bits)


def _out_of_bounds(call: Call, text: str) -> QueryError:
    return QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))


_shift("bitShiftLeft", True)
_shift("bitShiftRight", False)


def _rotate(name: str, left: bool) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        kind = _both(call)
        if not call.is_known(1):
            return _rotated_by_column(call, kind, left)
        places = call.constant_value(1, "number of places")
        if not isinstance(places, int):
            call.wrong_type()
        by = places % kind.bits if left else -places % kind.bits
        bits = _extended(call.args[0], kind)
        sql = f"(({bits} * {1 << by}) | ({bits} // {1 << (kind.bits - by)}))"
        return _from_bits(call, sql, kind)


def _rotated_by_column(call: Call, kind: t.Int, left: bool) -> Typed:
    places = f"CAST({call.sql(1)} AS BIGINT)"
    by = f"(({'' if left else '-'}{places} % {kind.bits} + {kind.bits}) % {kind.bits})"
    bits = _extended(call.args[0], kind)
    power, rest = (f"CAST(pow(2, {count}) AS HUGEINT)" for count in (by, f"{kind.bits} - {by}"))
    return _from_bits(call, f"(({bits} % {rest}) * {power} | ({bits} // {rest}))", kind)


_rotate("bitRotateLeft", True)
_rotate("bitRotateRight", False)


def _bit_mask(call: Call) -> int:
    kind = _integer(call, 0)
    mask = 0
    for position in range(1, len(call.args)):
        place = call.constant_value(position, "bit position")
        if not isinstance(place, int) or not 0 <= place < kind.bits:
            text = (
                f"The bit position argument needs to a positive value and less or equal to {kind.bits - 1} for integer"
            )
            raise QueryError(text, code=12, name="PARAMETER_OUT_OF_BOUND", place=failures.place(call.node))
        mask |= 1 << place
    return mask


def _column_mask(call: Call) -> str | None:
    """The bits that are asked for, where a row tells which; None where they are known."""
    kind = _integer(call, 0)
    if all(arg.known for arg in call.args[1:]):
        return None
    failed = (
        f"error('PARAMETER_OUT_OF_BOUND: The bit position argument needs to a positive value and less or equal to "
        f"{kind.bits - 1} for integer')"
    )
    powers = [
        f"(CASE WHEN {arg.sql} BETWEEN 0 AND {kind.bits - 1} THEN CAST(pow(2, {arg.sql}) AS HUGEINT) ELSE {failed} END)"
        for arg in call.args[1:]
    ]
    return f"({' | '.join(powers)})"


def _some_bit(call: Call) -> Typed:
    mask = _column_mask(call) or _bit_mask(call)
    return call.condition(f"(({unsigned(call.args[0], _integer(call, 0))} & {mask}) <> 0)")


@scalar("bitTest", args=2)
def bit_test(call: Call) -> Typed:
    return call.condition(
        f"(({unsigned(call.args[0], _integer(call, 0))} & {_column_mask(call) or _bit_mask(call)}) <> 0)"
    )


@scalar("bitTestAny", args=(2, None))
def bit_test_any(call: Call) -> Typed:
    return call.condition(
        f"(({unsigned(call.args[0], _integer(call, 0))} & {_column_mask(call) or _bit_mask(call)}) <> 0)"
    )


@scalar("bitTestAll", args=(2, None))
def bit_test_all(call: Call) -> Typed:
    mask = _column_mask(call) or _bit_mask(call)
    return call.condition(f"(({unsigned(call.args[0], _integer(call, 0))} & {mask}) = {mask})")


@scalar("bitCount")
def bit_count(call: Call) -> Typed:
    [value] = call.args
    if isinstance(t.plain(value.type), t.Float):
        width = "BIGINT" if t.plain(value.type) == t.FLOAT64 else "INTEGER"
        return call.typed(f"CAST(bit_count(CAST(CAST({value.exact()} AS BIT) AS {width})) AS UTINYINT)", t.UINT8)
    if isinstance(t.plain(value.type), t.String | t.FixedString):
        ones = f"{call.context.udf('tb_text_hamming')}({bytes_of(value)}, CAST('' AS BLOB))"
        gives = t.UINT64 if isinstance(t.plain(value.type), t.String) else t.UINT16
        return call.typed(f"CAST({ones} AS {duckdb_type(gives)})", gives)
    kind = _any_integer(call, 0)
    if kind.bits > 64:
        count = f"{call.context.udf('tb_wide_bit_count')}({wide.number_text(value.exact(), kind)}, {kind.bits})"
        return call.typed(f"CAST({count} AS {duckdb_type(_count_type(kind))})", _count_type(kind))
    return call.typed(f"CAST(bit_count({unsigned(value, _integer(call, 0))}) AS UTINYINT)", t.UINT8)


def _count_type(kind: t.Int) -> t.Int:
    """What holds the number of the bits of a type."""
    return t.UINT8 if kind.bits <= 128 else t.UINT16


@scalar("bitHammingDistance", args=2)
def bit_hamming_distance(call: Call) -> Typed:
    """Of numbers in 64 bits, the sign extended; of texts byte by byte."""
    if all(t.is_text(arg.type) for arg in call.args):
        return _text_distance(call)
    kinds = [_any_integer(call, position) for position in (0, 1)]
    wide_ones = [kind for kind in kinds if kind.bits > 64]
    if len(wide_ones) == 1:
        text = f"Unsupported data type combination in function '{call.name}'"
        raise failures.failure(text, 44, "ILLEGAL_COLUMN", call.node)
    if wide_ones:
        different = _wide(call, "xor({}, {})", kinds)
        count = call.compiler.call("bitCount", different, node=call.node)
        gives = _count_type(kinds[0])
        held = f"{count.sql} % 256" if gives == t.UINT8 else count.sql
        return call.typed(f"CAST({held} AS {duckdb_type(gives)})", gives)
    _both(call)
    left, right = (_extended(value, t.UINT64) for value in call.args)
    return call.typed(f"CAST(bit_count(xor(CAST({left} AS HUGEINT), CAST({right} AS HUGEINT))) AS UTINYINT)", t.UINT8)


def _text_distance(call: Call) -> Typed:
    if any(isinstance(arg.type, t.FixedString) for arg in call.args) and call.types[0] != call.types[1]:
        call.wrong_type()
    gives = t.UINT16 if isinstance(call.args[0].type, t.FixedString) else t.UINT64
    left, right = (bytes_of(arg) for arg in call.args)
    distance = f"{call.context.udf('tb_text_hamming')}({left}, {right})"
    return call.typed(f"CAST({distance} AS {duckdb_type(gives)})", gives)


def _positions(bits: str, size: int) -> str:
    """The numbers of the bits that are set, a list."""
    return f"list_filter(range({size}), lambda b: ({bits} // CAST(pow(2, b) AS HUGEINT)) % 2 = 1)"


@scalar("bitPositionsToArray")
def bit_positions_to_array(call: Call) -> Typed:
    kind = _integer(call, 0)
    found = _positions(unsigned(call.args[0], kind), kind.bits)
    return call.typed(f"CAST({found} AS UBIGINT[])", t.Array(t.UINT64))


@scalar("bitmaskToArray")
def bitmask_to_array(call: Call) -> Typed:
    """The powers of two that a number is the sum of; the highest bit of a signed one is its least number."""
    kind = _integer(call, 0)
    return call.typed(_powers(call, kind), t.Array(kind))


def _powers(call: Call, kind: t.Int) -> str:
    found = _positions(unsigned(call.args[0], kind), kind.bits)
    power = wrapped_sql("CAST(pow(2, b) AS HUGEINT)", t.INT128, kind)
    return f"list_transform({found}, lambda b: {power})"


@scalar("bitmaskToList")
def bitmask_to_list(call: Call) -> Typed:
    powers = _powers(call, _integer(call, 0))
    return call.typed(f"array_to_string(list_transform({powers}, lambda b: CAST(b AS VARCHAR)), ',')", t.STRING)


@scalar("byteSwap", insensitive=True)
def byte_swap(call: Call) -> Typed:
    kind = _integer(call, 0)
    bits, count = unsigned(call.args[0], kind), kind.bits // 8
    if count == 1:
        return call.args[0]
    parts = [f"((({bits} // {1 << (8 * place)}) & 255) * {1 << (8 * (count - 1 - place))})" for place in range(count)]
    return _from_bits(call, f"({' + '.join(parts)})", kind)
