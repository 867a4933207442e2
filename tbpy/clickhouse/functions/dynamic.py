"""Values of JSON paths: their types, the typed paths `j.a.:Int64`, and sub-objects `j.^a`.

A Dynamic value is stored as JSON text; its type is the one that ClickHouse finds for such text.
"""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.json_values import as_text as element_text
from tbpy.clickhouse.functions.json_values import child, convert, elements, pointer
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type

#: What `j.a[]` is made of.
_ELEMENT = t.Json("max_dynamic_types=16, max_dynamic_paths=256")
_LIMITS = re.compile(r"(\s*max_dynamic_(paths|types)\s*=\s*\d+\s*,?)*")
_KINDS = {t.INT64: "'UBIGINT', 'BIGINT'", t.FLOAT64: "'DOUBLE'", t.BOOL: "'BOOLEAN'"}
_TIME_LIKE = "'[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{9})?)?'"


def path_below(call: Call, source: Typed, name: str) -> Typed:
    """One step below a JSON or Dynamic value, or below each of an array of them."""
    inner = t.plain(source.type)
    if isinstance(inner, t.Array):
        item = call.context.fresh("e")
        part = only_value(path_below(call, Typed(item, inner.item), name))
        kind = t.Dynamic("max_types=16") if isinstance(part.type, t.Dynamic) else part.type
        return call.typed(f"list_transform({source.sql}, lambda {item}: {part.sql})", t.Array(kind))
    if isinstance(inner, t.Json) and not _LIMITS.fullmatch(inner.arguments):
        call.unsupported(f"type {inner}")
    if name.startswith(":`"):
        return typed_element(call, source, t.parse_type(name[2:-1]))
    if name.startswith("^`"):
        if not isinstance(t.plain(source.type), t.Json):
            call.unsupported("an object below a path of a path")
        inside = f"json_extract({source.sql}, {duckdb_string(pointer(name[2:-1]))})"
        sql = f"(CASE WHEN json_type({inside}) = 'OBJECT' THEN {inside} ELSE CAST('{{}}' AS JSON) END)"
        return call.typed(sql, t.Json())
    return call.typed(f"json_extract({source.sql}, {duckdb_string(pointer(name))})", t.Dynamic())


def is_document(type_: t.Type) -> bool:
    """Whether paths lead below values of a plain type."""
    while isinstance(type_, t.Array):
        type_ = t.plain(type_.item)
    return isinstance(type_, t.Json | t.Dynamic)


def only_value(value: Typed) -> Typed:
    """The end of a path: an object is no value, only its parts are."""
    if not isinstance(t.plain(value.type), t.Dynamic):
        return value
    return Typed(
        f"(CASE WHEN json_type({value.sql}) NOT IN ('OBJECT', 'NULL') THEN {value.sql} END)",
        value.type,
        aggregate=value.aggregate,
        window=value.window,
    )


def typed_element(call: Call, source: Typed, type_: t.Type) -> Typed:
    """The value where it is of that very type; NULL, or an empty array, elsewhere."""
    sql, element = source.sql, child(source.sql)
    if isinstance(type_, t.Array) and type_.item == t.Json():
        type_ = t.Array(_ELEMENT)
    match type_:
        case t.Int(64, True):
            value = f"TRY_CAST({element.text} AS BIGINT)"
        case t.Float(64) | t.Bool():
            value = f"CAST({element.text} AS {duckdb_type(type_)})"
        case t.String():
            texts = f"json_type({sql}) = 'VARCHAR' AND (NOT regexp_full_match({element.text}, {_TIME_LIKE})"
            condition = f"{texts} OR {_type_name(call, sql)} = 'String')"
            return call.typed(f"(CASE WHEN {condition} THEN {element.text} END)", t.Nullable(type_))
        case t.Array(item) if isinstance(item, t.Json):
            value = elements(element.raw)
            made = f"(CASE WHEN {_type_name(call, sql)} = '{type_}' THEN {value} ELSE [] END)"
            return call.typed(f"CAST({made} AS JSON[])", type_)
        case _:
            condition = f"{_type_name(call, sql)} = {duckdb_string(str(type_))}"
            made = f"(CASE WHEN {condition} THEN {convert(call, element, type_)} END)"
            if isinstance(type_, t.Array):
                return call.typed(f"coalesce({made}, {default_sql(type_)})", type_)
            return call.typed(made, t.nullable(type_))
    made = f"(CASE WHEN json_type({sql}) IN ({_KINDS[type_]}) THEN {value} END)"
    return call.typed(made, t.Nullable(type_))


def _type_name(call: Call, sql: str) -> str:
    return f"{call.context.udf('tb_json_type')}(CAST({sql} AS VARCHAR))"


def _dynamic(call: Call) -> Typed:
    if not isinstance(t.plain(call.args[0].type), t.Dynamic):
        call.wrong_type()
    return call.args[0]


@scalar("dynamicType", nulls="keep", low_cardinality=False)
def dynamic_type(call: Call) -> Typed:
    return call.typed(_type_name(call, _dynamic(call).sql), t.LowCardinality(t.STRING), constant=False)


@scalar("dynamicElement", args=2, nulls="keep", low_cardinality=False)
def dynamic_element(call: Call) -> Typed:
    return typed_element(call, _dynamic(call), t.parse_type(str(call.constant_value(1, "type name"))))


def _document(call: Call) -> str:
    """The text of a JSON value whose paths have no types given."""
    inner = t.plain(call.args[0].type)
    if not isinstance(inner, t.Json):
        call.wrong_type()
    if inner.arguments:
        call.unsupported(f"type {inner}")
    return f"CAST({call.sql(0)} AS VARCHAR)"


@scalar("JSONAllPaths", "JSONDynamicPaths")
def all_paths(call: Call) -> Typed:
    return call.typed(f"{call.context.udf('tb_json_paths')}({_document(call)})", t.Array(t.STRING))


@scalar("JSONAllPathsWithTypes", "JSONDynamicPathsWithTypes")
def all_paths_with_types(call: Call) -> Typed:
    keys = f"{call.context.udf('tb_json_paths')}({_document(call)})"
    kinds = f"{call.context.udf('tb_json_path_types')}({_document(call)})"
    return call.typed(f"map({keys}, {kinds})", t.Map(t.STRING, t.STRING))


@scalar("JSONSharedDataPaths")
def shared_paths(call: Call) -> Typed:
    _document(call)
    return call.typed("CAST([] AS VARCHAR[])", t.Array(t.STRING))


# --- functions that ClickHouse lets take Dynamic ----------------------------------------------------------------------

#: They take a text alone: their result is Nullable, and a value that is no text is an error.
TEXT_FUNCTIONS = {
    "lower", "upper", "startsWith", "endsWith", "position", "positionCaseInsensitive", "substring", "trimBoth",
    "trimLeft", "trimRight", "replaceAll", "replaceOne", "replaceRegexpAll", "replaceRegexpOne", "match", "like",
    "notLike", "ilike", "notILike", "extract", "reverse", "lengthUTF8", "lowerUTF8", "upperUTF8",
}  # fmt: skip

#: They take a Dynamic value itself, as conversions (`to...`) do.
_OWN_FUNCTIONS = {
    "plus", "minus", "multiply", "divide", "equals", "notEquals", "less", "greater", "lessOrEquals", "greaterOrEquals",
    "dynamicType", "dynamicElement", "length",
}  # fmt: skip


def argument(call: Call, value: Typed, keeps: bool) -> Typed:
    """An argument of a function; `keeps`: the function sees to NULL, and so to Dynamic, by itself."""
    if call.name in TEXT_FUNCTIONS:
        return as_text(call, value)
    if call.name == "concat":
        return _shown(call, value)
    if call.name == "toJSONString":
        call.unsupported(f"an argument of type {value.type}")
    if keeps or call.name in _OWN_FUNCTIONS or call.name.startswith("to"):
        return value
    call.unsupported(f"an argument of type {value.type}")


def _shown(call: Call, value: Typed) -> Typed:
    """A number, text or Bool as Nullable(String); an array has a form that is not known here."""
    wrong = f"error('Function {call.name} with an array below a JSON path is not supported by tbpy yet')"
    text = element_text(call.context, child(value.sql))
    sql = f"(CASE WHEN json_type({value.sql}) = 'ARRAY' THEN {wrong} ELSE {text} END)"
    return Typed(sql, t.Nullable(t.STRING), aggregate=value.aggregate, window=value.window)


def as_text(call: Call, value: Typed) -> Typed:
    """A Dynamic value that must be a text, as Nullable(String)."""
    element = child(value.sql)
    wrong = f"error('ILLEGAL_TYPE_OF_ARGUMENT: Illegal type of argument of function {call.name}: ' || {element.raw})"
    is_text = f"json_type({value.sql}) = 'VARCHAR' AND NOT regexp_full_match({element.text}, {_TIME_LIKE})"
    sql = f"(CASE WHEN {is_text} THEN {element.text} WHEN {value.sql} IS NOT NULL THEN {wrong} END)"
    return Typed(sql, t.Nullable(t.STRING), aggregate=value.aggregate, window=value.window)


def as_json(value: Typed) -> str | None:
    """A number or Dynamic value as JSON text; None for other types."""
    kind = t.plain(value.type)
    if isinstance(kind, t.Dynamic):
        return f"CAST({value.sql} AS VARCHAR)"
    if isinstance(kind, t.Int) and (kind.bits < 64 or kind == t.INT64):
        return f"CAST({value.sql} AS VARCHAR)"
    return f"CAST({value.exact()} AS VARCHAR)" if kind == t.FLOAT64 else None


def calculated(call: Call, symbol: str) -> Typed | None:
    """A sum, difference, product or quotient in which a Dynamic value takes part: Dynamic again."""
    if not any(isinstance(t.plain(arg.type), t.Dynamic) for arg in call.args):
        return None
    left, right = map(as_json, call.args)
    if left is None or right is None:
        call.unsupported(" and ".join(str(arg.type) for arg in call.args))
    function = call.context.udf("tb_json_calculated")
    return call.typed(f"CAST({function}('{symbol}', {left}, {right}) AS JSON)", t.Dynamic())
