"""A value inside a JSON text as a value of a ClickHouse type: what does not fit becomes the type's default, or NULL."""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import STORED_OR_NULL, document_sql
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type, field_names

_INTEGER = duckdb_string(r"-?\d+")
_NUMBER = duckdb_string(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
#: Texts that may not be what ClickHouse prints: containers, and numbers with a fraction or an exponent.
_REPRINTED = duckdb_string(r"\s*[\[{].*|-?\d+[.eE].*")


#: 9999-12-31 23:59:59, the last moment that ClickHouse reads from a number of seconds.
_LAST_MOMENT = "253402300799e0"
_FIRST_MOMENT = "-62135596800e0"  # 0001-01-01


@dataclass(frozen=True, slots=True)
class Element:
    """A place in a JSON document: its JSON text (`raw`), and that with strings unquoted (`text`); NULL for nothing."""

    raw: str
    text: str


def printed(context: Context, raw: str) -> str:
    """JSON text as ClickHouse prints it: `1.0` is `1`."""
    function = context.udf("tb_json_reprint")
    return f"CASE WHEN regexp_full_match({raw}, {_REPRINTED}, 's') THEN {function}({raw}) ELSE {raw} END"


def as_text(context: Context, element: Element) -> str:
    """Strings without quotes, other values as JSON text; NULL for null and for nothing."""
    printed = f"{context.udf('tb_json_reprint')}({element.raw})"
    again = f"CASE WHEN starts_with({element.raw}, '\"') THEN {element.text} ELSE {printed} END"
    return f"CASE WHEN regexp_full_match({element.text}, {_REPRINTED}, 's') THEN {again} ELSE {element.text} END"


def as_integer(element: Element, type_: t.Int) -> str:
    """Whole numbers, numbers cut to whole, and strings that hold either; NULL for anything else or out of range."""
    target = duckdb_type(type_)
    if type_.bits == 256:
        return f"CASE WHEN regexp_full_match({element.text}, {_INTEGER}) THEN {element.text} END"
    whole = f"TRY_CAST({element.text} AS {target})"
    cut = f"TRY_CAST(trunc(TRY_CAST({element.text} AS DOUBLE)) AS {target})"
    other = f"CASE WHEN regexp_full_match({element.text}, {_NUMBER}) THEN {cut} END"
    return f"CASE WHEN regexp_full_match({element.text}, {_INTEGER}) THEN {whole} ELSE {other} END"


def as_float(element: Element, type_: t.Type) -> str:
    number = f"TRY_CAST({element.text} AS DOUBLE)"
    value = number if type_ == t.FLOAT64 else _float32(element, number)
    return f"CASE WHEN regexp_full_match({element.text}, {_NUMBER}) AND isfinite({number}) THEN {value} END"


def _float32(element: Element, number: str) -> str:
    """A number that is finite as Float64 but not as Float32 is infinite."""
    infinite = f"CAST(CASE WHEN {number} < 0 THEN '-inf' ELSE 'inf' END AS FLOAT)"
    return f"coalesce(TRY_CAST({element.text} AS FLOAT), {infinite})"


def as_bool(element: Element) -> str:
    """true, and whole numbers but 0; strings and fractions are no booleans."""
    number = f"CASE WHEN regexp_full_match({element.raw}, {_INTEGER}) THEN ltrim({element.raw}, '-0') <> '' END"
    return f"CASE {element.raw} WHEN 'true' THEN true WHEN 'false' THEN false ELSE {number} END"


def convert(call: Call, element: Element, type_: t.Type) -> str:
    """The element as a `type_`, NULL where it is none."""
    match type_:
        case t.Nullable(item) | t.LowCardinality(item):
            return convert(call, element, item)
        case t.String():
            return as_text(call.context, element)
        case t.FixedString(length):
            text = as_text(call.context, element)
            return f"CASE WHEN strlen({text}) <= {length} THEN {text} || repeat(chr(0), {length} - strlen({text})) END"
        case t.Int():
            return as_integer(element, type_)
        case t.Float():
            return as_float(element, type_)
        case t.Bool():
            return as_bool(element)
        case t.Array(item):
            return _as_array(call, element, item)
        case t.Tuple():
            return _as_tuple(call, element, type_)
        case t.Map(key, value) if isinstance(t.plain(key), t.String):
            return _as_map(call, element, value)
        case t.Enum(_, members):
            names = ", ".join(duckdb_string(name) for name, _ in members)
            numbers = " ".join(f"WHEN '{number}' THEN {duckdb_string(name)}" for name, number in members)
            return (
                f"CASE WHEN {element.text} IN ({names}) THEN {element.text} ELSE CASE {element.raw} {numbers} END END"
            )
        case (
            t.Decimal()
            | t.UUID()
            | t.IPv4()
            | t.IPv6()
            | t.Date()
            | t.Date32()
            | t.DateTime()
            | t.DateTime64()
            | t.Time()
        ):
            return _read(call, element, type_)
        case t.Json():
            return document_sql(element.raw, type_, call.context.udf(STORED_OR_NULL))
        case t.Dynamic():
            return f"CAST({call.context.udf('tb_json_value')}({element.raw}) AS JSON)"
    call.unsupported(f"type {type_}")


def _read(call: Call, element: Element, type_: t.Type) -> str:
    """A text as a conversion reads it, but a date is no time, and a time may be a number of seconds."""
    text = Caster(call.compiler, call.node, lenient=True).plain(Typed(element.text, t.STRING), type_).sql
    if isinstance(type_, t.Date | t.Date32):
        return f"CASE WHEN strlen({element.text}) <= 10 THEN {text} END"
    if isinstance(type_, t.DateTime | t.DateTime64):
        number = f"TRY_CAST({element.raw} AS DOUBLE)"
        early = "error('Times before the year 1 are not supported by tbpy yet')"
        late = f"WHEN {number} > {_LAST_MOMENT} THEN {_LAST_MOMENT}"
        held = f"CASE {late} WHEN {number} < {_FIRST_MOMENT} THEN {early} ELSE {number} END"
        moment = Caster(call.compiler, call.node).plain(Typed(f"({held})", t.FLOAT64), type_).sql
        return f"CASE WHEN regexp_full_match({element.raw}, {_NUMBER}) THEN {moment} ELSE {text} END"
    if isinstance(type_, t.Time):
        seconds = f"TRY_CAST({element.raw} AS BIGINT) * {10 ** (type_.precision or 0)}"
        return f"CASE WHEN regexp_full_match({element.raw}, {_INTEGER}) THEN {seconds} ELSE {text} END"
    return text


def filled(call: Call, element: Element, type_: t.Type) -> str:
    """The element as a `type_`, the default of the type where it is none."""
    sql = convert(call, element, type_)
    return sql if t.is_nullable(type_) else f"coalesce({sql}, {default_sql(type_)})"


def _as_array(call: Call, element: Element, item: t.Type) -> str:
    name = call.context.fresh("e")
    inner = filled(call, child(name), item)
    items = f"list_transform({elements(element.raw)}, lambda {name}: {inner})"
    return f"CASE WHEN starts_with({element.raw}, '[') THEN CAST({items} AS {duckdb_type(t.Array(item))}) END"


def elements(raw: str) -> str:
    """The elements of a JSON array as a list; the cast keeps its type where DuckDB folds the value to NULL."""
    return f"CAST(json_extract({raw}, '$[*]') AS JSON[])"


def child(raw: str) -> Element:
    """A JSON value at hand, such as an element in a lambda."""
    return Element(f"CAST({raw} AS VARCHAR)", f"json_extract_string({raw}, '$')")


def _as_tuple(call: Call, element: Element, type_: t.Tuple) -> str:
    """From an object named items by name, else by place; from an array by place."""
    fields = []
    for position, (field, item) in enumerate(zip(field_names(type_), type_.items, strict=True)):
        key = duckdb_string(pointer(type_.names[position])) if type_.names is not None else None
        key = key or pointer_of(f"json_keys({element.raw})[{position + 1}]")
        by_place, by_key = f"json_extract({element.raw}, '$[{position}]')", f"json_extract({element.raw}, {key})"
        raw = f"(CASE WHEN starts_with({element.raw}, '[') THEN {by_place} ELSE {by_key} END)"
        fields.append(f"{duckdb_string(field)}: {filled(call, child(raw), item)}")
    struct = f"CAST({{{', '.join(fields)}}} AS {duckdb_type(type_)})"
    return f"CASE WHEN left({element.raw}, 1) IN ('[', '{{') THEN {struct} END"


def _as_map(call: Call, element: Element, value: t.Type) -> str:
    key = call.context.fresh("k")
    inner = filled(call, child(f"json_extract({element.raw}, {pointer_of(key)})"), value)
    entries = f"list_transform(json_keys({element.raw}), lambda {key}: {{'k': {key}, 'v': {inner}}})"
    made = f"CAST(map_from_entries({entries}) AS {duckdb_type(t.Map(t.STRING, value))})"
    return f"CASE WHEN starts_with({element.raw}, '{{') THEN {made} END"


# --- paths ------------------------------------------------------------------------------------------------------------


def pointer(key: str) -> str:
    """A JSON pointer to a key of an object."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def pointer_of(sql: str) -> str:
    """The same for a key that SQL computes."""
    return f"('/' || replace(replace({sql}, '~', '~0'), '/', '~1'))"


def json_path(key: str) -> str:
    """A step of a JSON path to a key; keys with odd characters need a pointer instead."""
    return f'."{key}"'


def is_plain(key: str) -> bool:
    return bool(key) and not any(character in key for character in '"\\*')
