"""Functions of Dynamic values, those of JSON paths, and of whole documents."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.json_paths import TIME_LIKE, type_name, typed_element
from tbpy.clickhouse.functions.json_values import as_text as element_text
from tbpy.clickhouse.functions.json_values import child
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string


def _dynamic(call: Call) -> Typed:
    if not isinstance(t.plain(call.args[0].type), t.Dynamic):
        call.wrong_type()
    return call.args[0]


@scalar("dynamicType", nulls="keep", low_cardinality=False)
def dynamic_type(call: Call) -> Typed:
    return call.typed(type_name(call, _dynamic(call)), t.LowCardinality(t.STRING), constant=False)


@scalar("dynamicElement", args=2, nulls="keep", low_cardinality=False)
def dynamic_element(call: Call) -> Typed:
    return typed_element(call, _dynamic(call), t.parse_type(str(call.constant_value(1, "type name"))))


def _of_document(call: Call, function: str) -> str:
    """A function of a stored document, its type, and whether paths with types of their own count."""
    inner = t.plain(call.args[0].type)
    if not isinstance(inner, t.Json):
        call.wrong_type()
    whole = "true" if call.name.startswith("JSONAll") else "false"
    if whole == "false" and inner.max_dynamic_paths != t.Json().max_dynamic_paths:
        call.unsupported(f"type {inner}")  # which paths are beyond the limit depends on how ClickHouse merged rows
    name = duckdb_string(str(inner))
    return f"{call.context.udf(function)}(CAST({call.sql(0)} AS VARCHAR), {name}, {whole})"


@scalar("JSONAllPaths", "JSONDynamicPaths")
def all_paths(call: Call) -> Typed:
    return call.typed(_of_document(call, "tb_json_paths"), t.Array(t.STRING))


@scalar("JSONAllPathsWithTypes", "JSONDynamicPathsWithTypes")
def all_paths_with_types(call: Call) -> Typed:
    keys, kinds = _of_document(call, "tb_json_paths"), _of_document(call, "tb_json_path_types")
    return call.typed(f"map({keys}, {kinds})", t.Map(t.STRING, t.STRING))


@scalar("JSONSharedDataPaths")
def shared_paths(call: Call) -> Typed:
    """Paths beyond the limits of a column; here there are none, since nothing is kept apart."""
    inner = t.plain(call.args[0].type)
    if not isinstance(inner, t.Json):
        call.wrong_type()
    if inner.max_dynamic_paths != t.Json().max_dynamic_paths:
        call.unsupported(f"type {inner}")
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
    is_text = f"json_type({value.sql}) = 'VARCHAR' AND NOT regexp_full_match({element.text}, {TIME_LIKE})"
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
