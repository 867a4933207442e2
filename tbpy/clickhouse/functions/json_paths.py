"""Paths into JSON and Dynamic values: `j.a.b`, the value as a type `j.a.:Int64`, the object at a path `j.^a`.

A Dynamic value is stored as JSON text; its type is the one that ClickHouse finds for such text.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import TAG
from tbpy.clickhouse.functions.json_values import child, convert, elements, filled, pointer, pointer_of
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type
from tbpy.errors import QueryError

_KINDS = {t.INT64: "'UBIGINT', 'BIGINT'", t.FLOAT64: "'DOUBLE'", t.BOOL: "'BOOLEAN'"}
#: Texts that are stored for dates and times, whose type is not String.
TIME_LIKE = "'[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{9})?)?'"
_STEP = re.compile(r"((?:[^.`]|`(?:[^`\\]|\\.)*`)*)(?:\.|\Z)")


def split_path(name: str) -> tuple[str, ...]:
    """The steps of a path in one text, as in `a.b.:`Int64``."""
    return tuple(_STEP.findall(name)[:-1])


def path_below(call: Call, source: Typed, steps: tuple[str, ...]) -> Typed:
    """What a path leads to from a JSON or Dynamic value, or from each of an array of them."""
    inner = t.plain(source.type)
    if not steps:
        return source
    if not t.is_document(inner) or (isinstance(inner, t.Array) and steps[0] == "size0"):
        return _below_typed(call, source, steps)
    if isinstance(inner, t.Array):
        return _of_each(call, source, inner.item, steps)
    first, *rest = steps
    if first.startswith(":`"):
        return path_below(call, _as_type(call, source, t.parse_type(first[2:-1])), tuple(rest))
    keys = _keys(steps)
    following = steps[len(keys) :]
    if first.startswith("^`"):
        if not isinstance(inner, t.Json):
            call.unsupported("an object below a path of a path")
        path = ".".join([first[2:-1], *_keys(tuple(rest))])
        return path_below(call, _object(call, source, inner, path), tuple(rest)[len(_keys(tuple(rest))) :])
    if isinstance(inner, t.Json):
        return _below_json(call, source, inner, ".".join(keys).split("."), following)
    return path_below(call, _below_dynamic(call, source, keys[0]), tuple(rest))


def _keys(steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps up to the first that is no key."""
    end = next((place for place, step in enumerate(steps) if step.startswith((":`", "^`"))), len(steps))
    return steps[:end]


def _of_each(call: Call, source: Typed, item: t.Type, steps: tuple[str, ...]) -> Typed:
    name = call.context.fresh("e")
    found = only_value(path_below(call, Typed(name, item), steps))
    sql = f"list_transform({source.sql}, lambda {name}: {found.sql})"
    return call.typed(sql, t.Array(found.type))


def _below_typed(call: Call, source: Typed, steps: tuple[str, ...]) -> Typed:
    """The rest of a path below a typed one: elements of tuples, keys of maps."""
    for step in steps:
        if step.startswith(":`"):
            if t.parse_type(step[2:-1]) != source.type:
                call.unsupported(f"{source.type} as {step[2:-1]}")
            continue
        source = call.compiler.step(source, step, call.node)
    return source


def _below_json(call: Call, source: Typed, type_: t.Json, keys: list[str], following: tuple[str, ...]) -> Typed:
    types = dict(type_.paths)
    for end in range(len(keys), 0, -1):
        path = ".".join(keys[:end])
        if path in types and (end == len(keys) or _has_parts(types[path])):
            value = filled(call, child(_extracted(source, keys[:end])), types[path])
            return path_below(call, call.typed(f"({value})", types[path]), (*keys[end:], *following))
    return path_below(call, call.typed(_extracted(source, keys), type_.value), following)


def _has_parts(type_: t.Type) -> bool:
    return isinstance(t.plain(type_), t.Tuple | t.Map | t.Array | t.Json | t.Dynamic | t.Variant)


def _extracted(source: Typed, keys: list[str]) -> str:
    return f"json_extract({source.sql}, {duckdb_string(''.join(map(pointer, keys)))})"


def _object(call: Call, source: Typed, type_: t.Json, path: str) -> Typed:
    inside = _extracted(source, path.split("."))
    sql = f"(CASE WHEN json_type({inside}) = 'OBJECT' THEN {inside} ELSE CAST('{{}}' AS JSON) END)"
    return call.typed(sql, type_.below(path))


def _below_dynamic(call: Call, source: Typed, name: str) -> Typed:
    """Below a Dynamic column stand the types of its values; below the value of a JSON path, its keys."""
    try:
        type_ = t.parse_type(name)
    except QueryError:
        return call.typed(_extracted(source, name.split(".")), source.type)
    return _as_type(call, source, type_)


def only_value(value: Typed) -> Typed:
    """The end of a path: an object is no value, only its parts are."""
    if not isinstance(t.plain(value.type), t.Dynamic):
        return value
    sql = f"(CASE WHEN json_type({value.sql}) NOT IN ('OBJECT', 'NULL') THEN {value.sql} END)"
    return replace(value, sql=sql, condition=None)


def _as_type(call: Call, source: Typed, type_: t.Type) -> Typed:
    """A step `:Type`, or the name of a type below a Dynamic value."""
    inner = t.plain(source.type)
    if isinstance(inner, t.Dynamic):
        return typed_element(call, source, _with_limits(type_, inner))
    call.unsupported(f"{source.type} as {type_}")


def _with_limits(type_: t.Type, source: t.Dynamic) -> t.Type:
    """`Array(JSON)` is short for what ClickHouse calls the arrays of objects of such a value."""
    if isinstance(type_, t.Array):
        return t.Array(_with_limits(type_.item, source))
    return source.element if type_ == t.Json() else type_


def typed_element(call: Call, source: Typed, type_: t.Type) -> Typed:
    """The value where it is of that very type; NULL, or an empty array, elsewhere."""
    kind = t.plain(source.type)
    if isinstance(kind, t.Dynamic) and not kind.plain:
        return _tagged_element(call, source, type_)
    sql, element = source.sql, child(source.sql)
    match type_:
        case t.Int(64, True):
            value = f"TRY_CAST({element.text} AS BIGINT)"
        case t.Float(64) | t.Bool():
            value = f"CAST({element.text} AS {duckdb_type(type_)})"
        case t.String():
            texts = f"json_type({sql}) = 'VARCHAR' AND (NOT regexp_full_match({element.text}, {TIME_LIKE})"
            condition = f"{texts} OR {type_name(call, source)} = 'String')"
            return call.typed(f"(CASE WHEN {condition} THEN {element.text} END)", t.Nullable(type_))
        case t.Array(item) if isinstance(item, t.Json):
            value = elements(element.raw)
            made = f"(CASE WHEN {type_name(call, source)} = '{type_}' THEN {value} ELSE [] END)"
            return call.typed(f"CAST({made} AS JSON[])", type_)
        case _:
            condition = f"{type_name(call, source)} = {duckdb_string(str(type_))}"
            made = f"(CASE WHEN {condition} THEN {convert(call, element, type_)} END)"
            if isinstance(type_, t.Array):
                return call.typed(f"coalesce({made}, {default_sql(type_)})", type_)
            return call.typed(made, t.nullable(type_))
    made = f"(CASE WHEN json_type({sql}) IN ({_KINDS[type_]}) THEN {value} END)"
    return call.typed(made, t.Nullable(type_))


def _tagged_element(call: Call, source: Typed, type_: t.Type) -> Typed:
    """The same where the name of the type may stand beside the value."""
    bare = typed_element(call, replace(source, type=t.Dynamic(plain=True)), type_)
    tagged = convert(call, child(_extracted(source, [f"{TAG}{type_}"])), type_)
    return replace(bare, sql=f"coalesce({tagged}, {bare.sql})")


def untagged(source: Typed) -> str:
    """A Dynamic value as JSON without the name of its type."""
    kind = t.plain(source.type)
    if isinstance(kind, t.Dynamic) and kind.plain:
        return source.sql
    inside = f"json_extract({source.sql}, {pointer_of(f'json_keys({source.sql})[1]')})"
    tag = duckdb_string(f'{{"{TAG}')
    return f"(CASE WHEN starts_with(CAST({source.sql} AS VARCHAR), {tag}) THEN {inside} ELSE {source.sql} END)"


def type_name(call: Call, source: Typed) -> str:
    """DuckDB SQL of the name of the type that a Dynamic value has."""
    inner = t.plain(source.type)
    name = f"{call.context.udf('tb_json_type')}(CAST({source.sql} AS VARCHAR))"
    usual, own = t.Dynamic().element, inner.element if isinstance(inner, t.Dynamic) else t.Dynamic().element
    return name if own == usual else f"replace({name}, '{usual}', '{own}')"


def subcolumn(call: Call, source: Typed, name: str) -> Typed:
    """`getSubcolumn` of a JSON or Dynamic value."""
    return only_value(path_below(call, source, split_path(name)))
