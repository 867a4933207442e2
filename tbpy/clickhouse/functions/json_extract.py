"""JSONExtract and its kin: values at a path of keys and positions, with defaults for what is missing or malformed."""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.failures import QueryError
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.json_values import (
    Element,
    as_bool,
    as_float,
    as_integer,
    as_text,
    child,
    convert,
    elements,
    filled,
    is_plain,
    json_path,
    pointer,
    pointer_of,
    printed,
)
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type


def element(call: Call, start: int = 1, end: int | None = None) -> Element:
    """The element at the path that the arguments from `start` on give. TRY makes malformed documents NULL."""
    document = _document(call)
    steps = call.args[start:end]
    if all(_plain_step(step) for step in steps) and not call.name.endswith(_ANY_CASE):
        path = duckdb_string("$" + "".join(json_path(str(step.value)) for step in steps))
        return Element(
            f"CAST(TRY(json_extract({document}, {path})) AS VARCHAR)", f"TRY(json_extract_string({document}, {path}))"
        )
    place = f"TRY(json_extract({document}, '$'))"
    for step in steps:
        place = _step(call, place, step)
    return child(place)


def _document(call: Call) -> str:
    if not isinstance(t.plain(call.args[0].type), t.String | t.FixedString | t.Json):
        call.wrong_type()
    return call.sql(0)


def _plain_step(step: Typed) -> bool:
    return isinstance(step.value, str) and is_plain(step.value)


def _step(call: Call, place: str, step: Typed) -> str:
    """One step: a key of an object, or a position from 1 (or from the end) in an array or object."""
    if isinstance(t.plain(step.type), t.String):
        if call.name.endswith(_ANY_CASE):
            sql = pointer_of(_key_in_any_case(call, place, step.sql))
        else:
            sql = duckdb_string(pointer(step.value)) if isinstance(step.value, str) else pointer_of(step.sql)
        return f"(CASE WHEN starts_with({place}, '{{') THEN json_extract({place}, {sql}) END)"
    if not t.is_integer(step.type):
        call.wrong_type()
    at = f"TRY_CAST({step.sql} AS BIGINT)" if t.plain(step.type) == t.UINT64 else step.sql
    key = pointer_of(f"json_keys({place})[{at}]")
    items = f"{elements(place)}[{at}]"
    return f"(CASE WHEN starts_with({place}, '{{') THEN json_extract({place}, {key}) ELSE {items} END)"


_ANY_CASE = "CaseInsensitive"


def _in_any_case(name: str) -> tuple[str, str]:
    """A function of that name, and its twin that reads keys in any case."""
    return name, name + _ANY_CASE


def _key_in_any_case(call: Call, place: str, key: str) -> str:
    """The first key of an object that differs from `key` by the case of ASCII letters alone."""
    name = call.context.fresh("k")
    return f"list_filter(json_keys({place}), lambda {name}: {_lower_ascii(name)} = {_lower_ascii(key)})[1]"


def _lower_ascii(sql: str) -> str:
    return f"translate({sql}, '{ascii_uppercase}', '{ascii_lowercase}')"


# --- one type each ----------------------------------------------------------------------------------------------------


@scalar(*_in_any_case("JSONExtractString"), args=(1, None), strict=False, low_cardinality=False)
def extract_string(call: Call) -> Typed:
    return call.typed(f"coalesce({as_text(call.context, element(call))}, '')", t.STRING)


@scalar(*_in_any_case("JSONExtractInt"), args=(1, None), strict=False, low_cardinality=False)
def extract_int(call: Call) -> Typed:
    return call.typed(f"coalesce({as_integer(element(call), t.INT64)}, 0)", t.INT64)


@scalar(*_in_any_case("JSONExtractUInt"), args=(1, None), strict=False, low_cardinality=False)
def extract_uint(call: Call) -> Typed:
    return call.typed(f"coalesce({as_integer(element(call), t.UINT64)}, CAST(0 AS UBIGINT))", t.UINT64)


@scalar(*_in_any_case("JSONExtractFloat"), args=(1, None), strict=False, low_cardinality=False)
def extract_float(call: Call) -> Typed:
    return call.typed(f"coalesce({as_float(element(call), t.FLOAT64)}, 0e0)", t.FLOAT64)


@scalar(*_in_any_case("JSONExtractBool"), args=(1, None), strict=False, low_cardinality=False)
def extract_bool(call: Call) -> Typed:
    return call.condition(f"coalesce({as_bool(element(call))}, false)")


@scalar(*_in_any_case("JSONExtractRaw"), args=(1, None), strict=False, low_cardinality=False)
def extract_raw(call: Call) -> Typed:
    return call.typed(f"coalesce({printed(call.context, element(call).raw)}, '')", t.STRING)


@scalar(*_in_any_case("JSONExtract"), args=(2, None), nulls="keep", low_cardinality=False)
def extract(call: Call) -> Typed:
    """The last argument names the type; NULL arguments give NULL, as with ClickHouse's default for NULLs."""
    type_ = _wanted(call)
    if any(isinstance(t.plain(arg.type), t.Nothing) for arg in call.args):
        return call.typed("NULL", t.Nullable(t.NOTHING))
    value = filled(call, element(call, 1, -1), type_)
    return call.typed(f"({value})", t.nullable(type_) if t.is_nullable(call.args[0].type) else type_)


def _wanted(call: Call) -> t.Type:
    text = call.constant_value(len(call.args) - 1, "type")
    if not isinstance(text, str):
        call.wrong_type()
    return t.parse_type(text)


# --- structure --------------------------------------------------------------------------------------------------------


@scalar("JSONHas", args=(1, None), strict=False, low_cardinality=False)
def has(call: Call) -> Typed:
    if len(call.args) == 1:
        return call.condition(f"json_valid({_document(call)})")
    return call.condition(f"({element(call).raw} IS NOT NULL)")


@scalar("isValidJSON", strict=False, low_cardinality=False)
def is_valid(call: Call) -> Typed:
    document = _document(call)
    # DuckDB lets a comma stand before a closing bracket.
    comma = f"regexp_matches({document}, ',\\s*[\\]}}]')"
    strict = f"{call.context.udf('tb_json_valid')}({document})"
    return call.condition(f"(CASE WHEN {comma} THEN {strict} ELSE json_valid({document}) END)")


@scalar("JSONLength", args=(1, None), strict=False, low_cardinality=False)
def length(call: Call) -> Typed:
    raw = element(call).raw
    count = (
        f"CASE left({raw}, 1) WHEN '[' THEN json_array_length({raw}) WHEN '{{' THEN len(json_keys({raw})) ELSE 0 END"
    )
    return call.typed(f"CAST(coalesce({count}, 0) AS UBIGINT)", t.UINT64)


@scalar("JSONArrayLength", "JSON_ARRAY_LENGTH", insensitive=("JSON_ARRAY_LENGTH",), strict=False, low_cardinality=False)
def array_length(call: Call) -> Typed:
    raw = element(call).raw
    count = f"CASE WHEN starts_with({raw}, '[') THEN CAST(json_array_length({raw}) AS UBIGINT) END"
    return call.typed(f"({count})", t.Nullable(t.UINT64))


_KINDS = (
    ("Null", 0), ("String", 34), ("Array", 91), ("Bool", 98), ("Double", 100), ("Int64", 105), ("UInt64", 117),
    ("Object", 123),
)  # fmt: skip


@scalar("JSONType", args=(1, None), strict=False, low_cardinality=False)
def kind(call: Call) -> Typed:
    raw = element(call).raw
    number = (
        f"CASE WHEN regexp_full_match({raw}, '-?\\d+') THEN "
        f"CASE WHEN TRY_CAST({raw} AS BIGINT) IS NULL THEN 'UInt64' ELSE 'Int64' END ELSE 'Double' END"
    )
    sql = (
        f"CASE WHEN {raw} IS NULL THEN 'Null' ELSE CASE left({raw}, 1) WHEN '\"' THEN 'String' WHEN '[' THEN 'Array' "
        f"WHEN '{{' THEN 'Object' WHEN 't' THEN 'Bool' WHEN 'f' THEN 'Bool' WHEN 'n' THEN 'Null' ELSE {number} END END"
    )
    return call.typed(f"({sql})", t.Enum(8, _KINDS))


@scalar("JSONKey", args=(2, None), strict=False, low_cardinality=False)
def key(call: Call) -> Typed:
    raw = element(call, 1, -1).raw
    if not t.is_integer(call.args[-1].type):
        call.wrong_type()
    name = f"CASE WHEN starts_with({raw}, '{{') THEN json_keys({raw})[{call.args[-1].sql}] END"
    return call.typed(f"coalesce({name}, '')", t.STRING)


def _list(call: Call, raw: str, opening: str, sql: str, type_: t.Type) -> Typed:
    """A list made of a container; empty where the element is no such container."""
    made = f"CASE WHEN starts_with({raw}, '{opening}') THEN CAST({sql} AS {duckdb_type(type_)}) END"
    return call.typed(f"coalesce({made}, {default_sql(type_)})", type_)


@scalar(*_in_any_case("JSONExtractKeys"), args=(1, None), strict=False, low_cardinality=False)
def extract_keys(call: Call) -> Typed:
    raw = element(call).raw
    return _list(call, raw, "{", f"json_keys({raw})", t.Array(t.STRING))


@scalar(*_in_any_case("JSONExtractArrayRaw"), args=(1, None), strict=False, low_cardinality=False)
def extract_array_raw(call: Call) -> Typed:
    raw, name = element(call).raw, call.context.fresh("e")
    text = printed(call.context, f"CAST({name} AS VARCHAR)")
    items = f"list_transform({elements(raw)}, lambda {name}: {text})"
    return _list(call, raw, "[", items, t.Array(t.STRING))


def _entries(call: Call, raw: str, value: str, name: str, type_: t.Type) -> Typed:
    pairs = f"list_transform(json_keys({raw}), lambda {name}: {{'1': {name}, '2': {value}}})"
    return _list(call, raw, "{", pairs, t.Array(t.Tuple((t.STRING, type_))))


@scalar(*_in_any_case("JSONExtractKeysAndValuesRaw"), args=(1, None), strict=False, low_cardinality=False)
def extract_entries_raw(call: Call) -> Typed:
    raw, name = element(call).raw, call.context.fresh("k")
    value = printed(call.context, f"CAST(json_extract({raw}, {pointer_of(name)}) AS VARCHAR)")
    return _entries(call, raw, value, name, t.STRING)


@scalar(*_in_any_case("JSONExtractKeysAndValues"), args=(2, None), strict=False, low_cardinality=False)
def extract_entries(call: Call) -> Typed:
    type_ = _wanted(call)
    raw, name = element(call, 1, -1).raw, call.context.fresh("k")
    place = child(f"json_extract({raw}, {pointer_of(name)})")
    result = _entries(call, raw, filled(call, place, type_), name, type_)
    if t.is_nullable(type_):
        return result
    # An entry whose value is no `type_` is left out.
    fits = f"list_transform(json_keys({raw}), lambda {name}: ({convert(call, place, type_)}) IS NOT NULL)"
    return call.typed(f"list_where({result.sql}, coalesce({fits}, []))", result.type)


# --- SQL/JSON ---------------------------------------------------------------------------------------------------------


_SIMPLE_PATH = re.compile(r"""\$(\.[A-Za-z_]\w*|\."[^"]*"|\["[^"]*"\]|\[\d+\])*\Z""")


def _path_matches(call: Call) -> str:
    """The JSON values at a constant path `$.a.b[0]`, as a list."""
    path = call.constant_value(1, "path")
    if not isinstance(path, str) or not path.startswith("$"):
        raise QueryError(f"Unable to parse JSONPath {path!r}", code=36, name="BAD_ARGUMENTS")
    if path.endswith(".") or path.count("[") != path.count("]"):
        raise QueryError("Unable to parse JSONPath", code=36, name="BAD_ARGUMENTS")
    if not _SIMPLE_PATH.match(path):
        call.unsupported(f"the path {path}")
    plain = re.sub(r'\["([^"]*)"\]', r'."\1"', path)  # DuckDB's paths have no quoted keys in brackets
    return f"TRY(json_extract({_document(call)}, {duckdb_string(plain)}))"


@scalar("JSON_VALUE", args=2, strict=False, low_cardinality=False)
def json_value(call: Call) -> Typed:
    found = child(_path_matches(call))
    scalar_ = f"CASE WHEN left({found.raw}, 1) NOT IN ('[', '{{') THEN {found.text} END"
    text = f"CASE WHEN {found.raw} = 'null' THEN 'null' ELSE {scalar_} END"
    return call.typed(f"coalesce({text}, '')", t.STRING)


@scalar("JSON_QUERY", args=2, strict=False, low_cardinality=False)
def json_query(call: Call) -> Typed:
    raw = f"CAST({_path_matches(call)} AS VARCHAR)"
    return call.typed(f"coalesce('[' || {raw} || ']', '')", t.STRING)


@scalar("JSON_EXISTS", args=2, strict=False, low_cardinality=False)
def json_exists(call: Call) -> Typed:
    path = call.constant_value(1, "path")
    if isinstance(path, str) and path.endswith("[*]"):
        inner = f"TRY(json_extract({_document(call)}, {duckdb_string(path)}))"
        return call.condition(f"coalesce(len({inner}) > 0, false)")
    return call.condition(f"({_path_matches(call)} IS NOT NULL)")


@scalar("JSONMergePatch", "jsonMergePatch", args=(1, None), strict=False, low_cardinality=False)
def json_merge_patch(call: Call) -> Typed:
    """One document alone is read and written, too."""
    first, *others = [arg.sql for arg in call.args]
    merged = first
    for other in others or ["'{}'"]:
        merged = f"{call.context.udf('tb_json_merge_patch')}({merged}, {other})"
    return call.typed(f"CAST({merged} AS VARCHAR)", t.STRING)
