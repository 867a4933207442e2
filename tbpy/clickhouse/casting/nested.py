"""Conversions of arrays, tuples and maps, element by element, and to UUID and addresses."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names
from tbpy.errors import QueryError


def fresh_parameter(*sqls: str) -> str:
    """A lambda parameter that none of the SQL texts uses."""
    number = 0
    while any(f"e{number}" in sql for sql in sqls):
        number += 1
    return f"e{number}"


@target(t.Array)
def to_array(caster: Caster, value: Typed, target_: t.Array) -> Typed:
    match value.type:
        case t.Array(item):
            return caster.result(
                value, array_sql(caster, value.sql, item, target_.item), target_, _items(value, target_)
            )
        case t.String() if value.known:
            return _of_text(caster, value, target_)
        case t.String():
            return _array_of_text(caster, value, target_)
        case t.Map(key, item):
            pair = t.Tuple((key, item))
            entries = f"list_transform(map_entries({value.sql}), lambda e: {tuple_sql(['e.key', 'e.value'])})"
            return caster.result(value, array_sql(caster, entries, pair, target_.item), target_)
    return caster.wrong(value.type, target_)


def array_sql(caster: Caster, sql: str, item: t.Type, wanted: t.Type) -> str:
    if isinstance(t.plain(item), t.Nothing):
        return f"CAST({sql} AS {duckdb_type(t.Array(wanted))})"
    name = fresh_parameter(sql)
    element = caster.cast(Typed(name, item), wanted)
    return sql if element.sql == name else f"list_transform({sql}, lambda {name}: {element.sql})"


def _items(value: Typed, target_: t.Array) -> object:
    same = isinstance(value.type, t.Array) and type(t.plain(value.type.item)) is type(t.plain(target_.item))
    integers = isinstance(value.value, list) and all(isinstance(item, int) for item in value.value)
    wanted = t.plain(target_.item)
    if same and integers and isinstance(wanted, t.Int):
        inside = all(wanted.minimum <= item <= wanted.maximum for item in value.value)
        return value.value if inside else UNKNOWN
    return value.value if same and isinstance(wanted, t.String) else UNKNOWN


def _array_of_text(caster: Caster, value: Typed, target_: t.Array) -> Typed:
    """Numbers in brackets; quoted texts follow rules that DuckDB's own reading does not."""
    item = target_.item
    if not isinstance(item, t.Int | t.Float):
        caster.refuse(value.type, target_)
    parts = f"string_split(regexp_extract({value.sql}, '^\\s*\\[\\s*(.*?)\\s*\\]\\s*$', 1), ',')"
    element = caster.cast(Typed("trim(e)", t.STRING), item)
    listed = f"list_transform({parts}, lambda e: {element.sql})"
    empty = f"CAST([] AS {duckdb_type(target_)})"
    sql = f"(CASE WHEN regexp_full_match({value.sql}, '\\s*\\[\\s*\\]\\s*') THEN {empty} ELSE {listed} END)"
    return caster.checked(value, f"regexp_full_match({value.sql}, '\\s*\\[.*\\]\\s*')", sql, target_)


@target(t.Tuple)
def to_tuple(caster: Caster, value: Typed, target_: t.Tuple) -> Typed:
    source = value.type
    if isinstance(source, t.String) and value.known:
        return _of_text(caster, value, target_)
    if not isinstance(source, t.Tuple) or len(source.items) != len(target_.items):
        caster.wrong(source, target_)
    if duckdb_type(source) == duckdb_type(target_) and (not value.constant or not source.items):
        return value
    values = value.value if isinstance(value.value, tuple) else (UNKNOWN,) * len(source.items)
    known = [isinstance(item, str | int | float) for item in values]
    fields = [
        caster.cast(Typed(f"{value.sql}[{duckdb_string(name)}]", item, constant=value.constant), wanted).sql
        for name, item, wanted in zip(field_names(source), source.items, target_.items, strict=True)
    ]
    same = all(known) and source.items == target_.items
    return caster.result(value, tuple_sql(fields, field_names(target_)), target_, value.value if same else UNKNOWN)


@target(t.Map)
def to_map(caster: Caster, value: Typed, target_: t.Map) -> Typed:
    source = value.type
    match source:
        case t.Map(key, item):
            keys = array_sql(caster, f"map_keys({value.sql})", key, target_.key)
            values = array_sql(caster, f"map_values({value.sql})", item, target_.value)
        case t.Tuple((t.Array(key), t.Array(item))):
            first, second = (f"{value.sql}[{duckdb_string(name)}]" for name in field_names(source))
            keys = array_sql(caster, first, key, target_.key)
            values = array_sql(caster, second, item, target_.value)
        case t.Array(t.Tuple((key, item)) as pair):
            names = field_names(pair)
            first, second = (f"list_transform({value.sql}, lambda e: e[{duckdb_string(name)}])" for name in names)
            keys = array_sql(caster, first, key, target_.key)
            values = array_sql(caster, second, item, target_.value)
        case t.String():
            text = f"Unsupported types to CAST AS Map. Left type: String, right type: {target_}"
            raise QueryError(text, code=53, name="TYPE_MISMATCH", place=failures.place(caster.node))
        case _:
            return caster.wrong(source, target_)
    return caster.result(value, f"map({keys}, {values})", target_)


@target(t.UUID)
def to_uuid(caster: Caster, value: Typed, target_: t.UUID) -> Typed:
    if isinstance(value.type, t.FixedString):
        value = value.as_type(t.STRING)
    if not isinstance(value.type, t.String):
        caster.refuse(value.type, target_)
    if value.known and isinstance(value.value, str):
        if not texts.UUID_TEXT.match(value.value):
            return caster.failed(value.value, target_, 376, "CANNOT_PARSE_UUID")
        return Typed(f"CAST({duckdb_string(value.value)} AS UUID)", target_, constant=True)
    condition = f"regexp_full_match({value.sql}, {texts.UUID_SQL})"
    return caster.checked(value, condition, f"CAST({value.sql} AS UUID)", target_)


@target(t.IPv4)
def to_ipv4(caster: Caster, value: Typed, target_: t.IPv4) -> Typed:
    return _by_function(caster, value, target_, "toIPv4")


@target(t.IPv6)
def to_ipv6(caster: Caster, value: Typed, target_: t.IPv6) -> Typed:
    return _by_function(caster, value, target_, "toIPv6")


def _by_function(caster: Caster, value: Typed, target_: t.Type, name: str) -> Typed:
    if not isinstance(value.type, t.String | t.Int | t.IPv4):
        caster.refuse(value.type, target_)
    lenient = caster.lenient and isinstance(value.type, t.String)
    return caster.compiler.call(name + ("OrNull" if lenient else ""), value, node=caster.node)


def _of_text(caster: Caster, value: Typed, target_: t.Type) -> Typed:
    """A known text such as `[1, 'a']` or `(1, 'a')`: read as an expression of literals, then converted."""
    from tbpy.clickhouse.parser import parse_expression

    try:
        expression = parse_expression(str(value.value))
    except QueryError:
        return caster.failed(value.value, target_)
    if not isinstance(expression, ast.Function) or not _is_literal(expression):
        return caster.failed(value.value, target_)
    return caster.plain(caster.compiler.compile(expression), target_)


def _is_literal(node: ast.Expression) -> bool:
    """Whether an expression is made of literals only: a text must not smuggle in anything that runs."""
    if isinstance(node, ast.Function):
        return node.name in ("array", "tuple", "negate") and all(map(_is_literal, node.arguments))
    return isinstance(node, ast.Literal)
