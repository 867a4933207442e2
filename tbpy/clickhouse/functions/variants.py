"""Variant values: which of its types a value has, and the value as one of them."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.variants import is_told, kind_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.json_values import child, convert
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import default_sql


def _variant(call: Call) -> t.Variant:
    type_ = call.args[0].type
    if not isinstance(type_, t.Variant):
        call.wrong_type()
    if not is_told(type_):
        call.unsupported(f"type {type_}")
    return type_


@scalar("variantType", nulls="keep", low_cardinality=False)
def variant_type(call: Call) -> Typed:
    type_ = _variant(call)
    arms = " ".join(f"WHEN json_type({call.sql(0)}) IN ({kind_of(item)}) THEN '{item}'" for item in type_.items)
    members = (("None", -1), *((str(item), place) for place, item in enumerate(type_.items)))
    return call.typed(f"(CASE {arms} ELSE 'None' END)", t.Enum(8, members))


@scalar("variantElement", args=2, nulls="keep", low_cardinality=False)
def variant_element(call: Call) -> Typed:
    type_, wanted = _variant(call), t.parse_type(str(call.constant_value(1, "type name")))
    if wanted not in type_.items:
        call.unsupported(f"{wanted}, which is no part of {type_}")
    value = convert(call, child(call.sql(0)), wanted)
    sql = f"(CASE WHEN json_type({call.sql(0)}) IN ({kind_of(wanted)}) THEN {value} END)"
    if isinstance(wanted, t.Array):
        return call.typed(f"coalesce({sql}, {default_sql(wanted)})", wanted)
    return call.typed(sql, t.nullable(wanted))


def has_element(type_: t.Type, name: str) -> bool:
    return isinstance(type_, t.Variant) and name in map(str, type_.items)
