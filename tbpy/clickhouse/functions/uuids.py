"""UUIDs beyond conversion: fresh ones, and their 16 bytes."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.random import varying
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import failure, text

_BYTES = t.FixedString(16)


def _fresh(name: str, function: str) -> None:
    @scalar(name, args=(0, 1), nulls="keep")
    def build(call: Call) -> Typed:
        return varying(call, f"{function}()", t.UUID_)


_fresh("generateUUIDv4", "uuid")
_fresh("generateUUIDv7", "uuidv7")


def _swapped(call: Call, position: int) -> bool:
    """Whether the first three fields are little-endian, as Microsoft writes them."""
    if len(call.args) <= position:
        return False
    variant = call.constant_value(position, "variant")
    if variant not in (1, 2):
        raise failure(call, "UUID variant must be 1 (Big-endian) or 2 (Microsoft)")
    return bool(variant == 2)


def _ordered(digits: str, swapped: bool) -> str:
    """32 digits with the bytes of the first three fields turned around where they are swapped."""
    if not swapped:
        return digits
    order = (7, 5, 3, 1, 11, 9, 15, 13)
    return (
        "(" + " || ".join([*(f"substring({digits}, {place}, 2)" for place in order), f"substring({digits}, 17)"]) + ")"
    )


@scalar("UUIDStringToNum", args=(1, 2))
def uuid_string_to_num(call: Call) -> Typed:
    digits = f"replace(CAST(CAST({text(call).sql} AS UUID) AS VARCHAR), '-', '')"
    return call.typed(text_of(f"unhex({_ordered(digits, _swapped(call, 1))})"), _BYTES)


@scalar("UUIDToNum", args=(1, 2))
def uuid_to_num(call: Call) -> Typed:
    if not isinstance(call.args[0].type, t.UUID):
        call.wrong_type()
    digits = f"replace(CAST({call.sql(0)} AS VARCHAR), '-', '')"
    return call.typed(text_of(f"unhex({_ordered(digits, _swapped(call, 1))})"), _BYTES)


@scalar("UUIDNumToString", args=(1, 2))
def uuid_num_to_string(call: Call) -> Typed:
    if call.args[0].type != _BYTES:
        call.wrong_type()
    digits = _ordered(f"lower(hex({bytes_of(call.args[0])}))", _swapped(call, 1))
    return call.typed(f"CAST(CAST({digits} AS UUID) AS VARCHAR)", t.STRING)


@scalar("UUIDv7ToDateTime", args=(1, 2))
def uuid_v7_to_date_time(call: Call) -> Typed:
    if not isinstance(call.args[0].type, t.UUID):
        call.wrong_type()
    zone = call.constant_value(1, "time zone") if len(call.args) == 2 else None
    digits = f"replace(left(CAST({call.sql(0)} AS VARCHAR), 13), '-', '')"
    return call.typed(f"make_timestamp_ms(CAST('0x' || {digits} AS BIGINT))", t.DateTime64(3, zone))
