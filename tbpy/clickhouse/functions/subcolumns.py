"""getSubcolumn: what a dot behind a column leads to, as in `t.a`, `map.keys`, `text.size`, `x.null`."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.json_paths import subcolumn
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.variants import has_element


@scalar("getSubcolumn", args=2, nulls="keep", low_cardinality=False, keeps_parts=True)
def get_subcolumn(call: Call) -> Typed:
    source, name = call.args[0], str(call.constant_value(1, "name"))
    inner = t.plain(source.type)
    if has_element(inner, name):
        return call.compiler.call("variantElement", source, call.args[1], node=call.node)
    if t.is_document(inner):
        return subcolumn(call, source, name)
    if isinstance(inner, t.Tuple):
        head, _, rest = name.partition(".")
        found = call.compiler.step(source, head, call.node)
        return call.compiler.call("getSubcolumn", found, constant(rest), node=call.node) if rest else found
    if name == "null" and isinstance(source.type, t.Nullable):
        return call.condition(f"({source.sql} IS NULL)")
    part = _part(call, source, inner, name)
    if part is None:
        call.unsupported(f"'{name}' of {source.type}")
    return part


def _part(call: Call, source: Typed, inner: t.Type, name: str) -> Typed | None:
    match inner:
        case t.String() if name == "size":
            return call.typed(f"CAST(strlen({source.sql}) AS UBIGINT)", _optional(source, t.UINT64))
        case t.Map(key, value) if name in ("keys", "values"):
            return call.typed(f"map_{name}({source.sql})", t.Array(key if name == "keys" else value))
        case t.Map() if name == "size0":
            return call.typed(f"CAST(cardinality({source.sql}) AS UBIGINT)", t.UINT64)
        case t.Array() if name == "size0":
            return call.typed(f"CAST(len({source.sql}) AS UBIGINT)", t.UINT64)
        case t.Array(item) if name == "null" or (name.startswith("size") and name[4:].isdigit()):
            return _of_each(call, source, item, name if name == "null" else f"size{int(name[4:]) - 1}")
    return None


def _optional(source: Typed, type_: t.Type) -> t.Type:
    return t.nullable(type_) if t.is_nullable(source.type) else type_


def _of_each(call: Call, source: Typed, item: t.Type, name: str) -> Typed | None:
    """The subcolumn of each element of an array; sizes count how deep they are."""
    element = Typed(call.context.fresh("e"), item)
    if name == "null" and isinstance(item, t.Nullable):
        found: Typed | None = Typed(f"CAST({element.sql} IS NULL AS UTINYINT)", t.UINT8)
    else:
        found = _part(call, element, t.plain(item), name)
    if found is None:
        return None
    return call.typed(f"list_transform({source.sql}, lambda {element.sql}: {found.sql})", t.Array(found.type))
