"""The bytes of a value read as another type: reinterpretAsUInt32 and its relatives.

Bytes are little-endian; what is missing counts as zero, what is too much is left out.
"""

from __future__ import annotations

import struct

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.numbers import known_float, known_integer, wrap_value, wrapped_sql
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import as_number
from tbpy.clickhouse.functions.bits import unsigned
from tbpy.clickhouse.functions.registry import Call, scalar


def _row(name: str, target: t.Type) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        return _reinterpreted(call, target)


for _bits in (8, 16, 32, 64, 128):
    for _signed in (True, False):
        _row(f"reinterpretAs{t.Int(_bits, _signed)}", t.Int(_bits, _signed))
for _target in (t.FLOAT32, t.FLOAT64, t.DATE, t.DATETIME, t.STRING):
    _row(f"reinterpretAs{_target}", _target)


@scalar("reinterpret", args=2)
def reinterpret(call: Call) -> Typed:
    target = t.parse_type(str(call.constant_value(1, "type")))
    if not isinstance(target, t.Int | t.Float | t.Date | t.DateTime | t.String):
        call.unsupported(f"type {target}")
    return _reinterpreted(call, target)


def _reinterpreted(call: Call, target: t.Type) -> Typed:
    known = _known_bytes(call.args[0])
    if known is not None:
        return _from_known(call, known, target)
    bits = _bits_of(call)
    match target:
        case t.Int(size) if size <= 64:
            return call.typed(wrapped_sql(bits, t.INT128, target), target)
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
