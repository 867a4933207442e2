"""The bytes of a value read as another type: reinterpretAsUInt32 and its relatives.

Bytes are little-endian; what is missing counts as zero, what is too much is left out.
"""

from __future__ import annotations

import struct

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.numbers import known_float, known_integer, wrap_value, wrapped_sql
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import as_number
from tbpy.clickhouse.functions.bits import unsigned
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import duckdb_type


def _row(name: str, target: t.Type) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        return _reinterpreted(call, target)


for _bits in (8, 16, 32, 64, 128, 256):
    for _signed in (True, False):
        _row(f"reinterpretAs{t.Int(_bits, _signed)}", t.Int(_bits, _signed))
for _target in (t.FLOAT32, t.FLOAT64, t.DATE, t.DATETIME, t.STRING, t.UUID_):
    _row(f"reinterpretAs{_target}", _target)


@scalar("reinterpretAsFixedString")
def reinterpret_as_fixed_string(call: Call) -> Typed:
    kind = as_number(t.plain(call.args[0].type))
    if not isinstance(kind, t.Int | t.Float):
        call.wrong_type()
    return call.typed(text_of(_bytes(call, kind)), t.FixedString(kind.bits // 8))


@scalar("reinterpret", args=2)
def reinterpret(call: Call) -> Typed:
    target = t.parse_type(str(call.constant_value(1, "type")))
    if not isinstance(target, t.Int | t.Float | t.Date | t.DateTime | t.String | t.UUID):
        call.unsupported(f"type {target}")
    return _reinterpreted(call, target)


def _reinterpreted(call: Call, target: t.Type) -> Typed:
    known = _known_bytes(call.args[0])
    if known is not None and not isinstance(target, t.UUID):
        return _from_known(call, known, target)
    kind = as_number(t.plain(call.args[0].type))
    if isinstance(kind, t.String | t.FixedString):
        return _from_text(call, target)
    if isinstance(target, t.String) and isinstance(kind, t.Int | t.Float):
        return call.typed(text_of(f"{call.context.udf('tb_stripped_bytes')}({_bytes(call, kind)})"), t.STRING)
    bits = _bits_of(call)
    match target:
        case t.Int(size) if size <= 64:
            return call.typed(wrapped_sql(bits, t.INT128, target), target)
        case t.Int(128):
            return call.typed(f"CAST({bits} AS {duckdb_type(target)})", target)
        case t.Float(64):
            whole = wrapped_sql(bits, t.INT128, t.INT64)
            return call.typed(f"CAST(CAST({whole} AS BIT) AS DOUBLE)", target)
        case t.Float(32):
            whole = wrapped_sql(bits, t.INT128, t.INT32)
            return call.typed(f"CAST(CAST({whole} AS BIT) AS FLOAT)", target)
        case t.Date():
            return call.typed(f"(DATE '1970-01-01' + CAST(({bits} & 65535) AS INTEGER))", target)
        case t.DateTime():
            return call.typed(f"make_timestamp(CAST(({bits} & 4294967295) AS BIGINT) * 1000000)", target)
    return call.unsupported(f"a {call.args[0].type} that is not constant")


def _from_text(call: Call, target: t.Type) -> Typed:
    blob = bytes_of(call.args[0])
    match target:
        case t.Int(bits, signed):
            digits = _number(call, blob, bits // 8, signed)
            return call.typed(digits if bits == 256 else f"CAST({digits} AS {duckdb_type(target)})", target)
        case t.Float(bits):
            whole = f"CAST({_number(call, blob, bits // 8, True)} AS {duckdb_type(t.Int(bits, True))})"
            return call.typed(f"CAST(CAST({whole} AS BIT) AS {duckdb_type(target)})", target)
        case t.Date():
            return call.typed(f"(DATE '1970-01-01' + CAST({_number(call, blob, 2, False)} AS INTEGER))", target)
        case t.DateTime():
            seconds = f"CAST({_number(call, blob, 4, False)} AS BIGINT)"
            return call.typed(f"make_timestamp({seconds} * 1000000)", target)
        case t.UUID():
            return call.typed(f"CAST({call.context.udf('tb_uuid_of_bytes')}({blob}) AS UUID)", target)
    return call.args[0].as_type(t.STRING)


def _number(call: Call, blob: str, size: int, signed: bool) -> str:
    return f"{call.context.udf('tb_number_of_bytes')}({blob}, {size}, {str(signed).lower()})"


def _bytes(call: Call, kind: t.Int | t.Float) -> str:
    """A number's bytes in memory, a BLOB."""
    value = call.args[0]
    if isinstance(kind, t.Float):
        return f"{call.context.udf(f'tb_float{kind.bits}_bytes')}({value.exact()})"
    if kind.bits > 64:
        call.unsupported(f"type {kind}")
    return f"{call.context.udf('tb_integer_bytes')}({unsigned(value, kind)}, {kind.bits // 8})"


def _bits_of(call: Call) -> str:
    """The bytes of a number as a number without sign, a HUGEINT."""
    [value] = call.args[:1]
    match as_number(t.plain(value.type)):
        case t.Int(bits) as kind if bits <= 64:
            return unsigned(value, kind)
        case t.Float(64):
            return f"(CAST(CAST(CAST({value.sql} AS BIT) AS BIGINT) AS HUGEINT) & {(1 << 64) - 1})"
        case t.Float(32):
            return f"(CAST(CAST(CAST({value.sql} AS BIT) AS INTEGER) AS HUGEINT) & {(1 << 32) - 1})"
        case t.Date() | t.DateTime():
            number = call.compiler.call("toUInt32", value, node=call.node)
            return f"CAST({number.sql} AS HUGEINT)"
    return call.unsupported(f"a {value.type} that is not constant")


def _known_bytes(value: Typed) -> bytes | None:
    if not value.known:
        return None
    kind = as_number(t.plain(value.type))
    if isinstance(value.value, str) and isinstance(kind, t.String):
        return value.value.encode()
    if isinstance(value.value, bool | int) and isinstance(kind, t.Int):
        return (int(value.value) & ((1 << kind.bits) - 1)).to_bytes(kind.bits // 8, "little")
    if isinstance(value.value, float) and isinstance(kind, t.Float):
        return struct.pack("<d" if kind.bits == 64 else "<f", value.value)
    return None


def _from_known(call: Call, data: bytes, target: t.Type) -> Typed:
    match target:
        case t.Int(bits):
            return known_integer(wrap_value(int.from_bytes(data[: bits // 8], "little"), target), target)
        case t.Float(bits):
            size = bits // 8
            return known_float(struct.unpack("<d" if bits == 64 else "<f", data[:size].ljust(size, b"\0"))[0], target)
        case t.Date():
            return call.typed(f"(DATE '1970-01-01' + {int.from_bytes(data[:2], 'little')})", target)
        case t.DateTime():
            return call.typed(f"make_timestamp({int.from_bytes(data[:4], 'little') * 1000000})", target)
    text = data.rstrip(b"\0")
    return constant(text.decode()) if text.isascii() else call.unsupported("bytes that are no text")
