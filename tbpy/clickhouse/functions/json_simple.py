"""simpleJSON* and visitParam*: they look for `"name":` as text, with no white space, and read what follows."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string

_STRING = duckdb_string(r'^"((?:[^"\\]|\\.)*)"')


def _needle(call: Call) -> str:
    kinds = [t.plain(arg.type) for arg in call.args]
    if not isinstance(kinds[0], t.String | t.FixedString | t.Enum) or not t.is_text(kinds[1]):
        call.wrong_type()
    if call.is_known(1):
        return duckdb_string(f'"{call.args[1].value}":')
    return f"('\"' || {call.sql(1)} || '\":')"


def _rest(call: Call) -> str:
    """The text after the first `"name":`; empty where there is none."""
    text, needle = call.sql(0), _needle(call)
    after = f"substr({text}, strpos({text}, {needle}) + length({needle}))"
    return f"CASE WHEN contains({text}, {needle}) THEN {after} ELSE '' END"


def _names(ending: str) -> tuple[str, ...]:
    return (f"simpleJSON{ending}", f"visitParam{ending.replace('JSON', '')}")


@scalar("simpleJSONHas", "visitParamHas", args=2, strict=False)
def has(call: Call) -> Typed:
    return call.condition(f"contains({call.sql(0)}, {_needle(call)})")


@scalar(*_names("ExtractString"), args=2, strict=False)
def extract_string(call: Call) -> Typed:
    quoted = f"regexp_extract({_rest(call)}, {_STRING})"
    text = f"CASE WHEN {quoted} = '' THEN '' ELSE TRY(json_extract_string({quoted}, '$')) END"
    return call.typed(f"coalesce({text}, '')", t.STRING)


def _number(ending: str, type_: t.Type, pattern: str, duckdb: str, zero: str) -> None:
    @scalar(*_names(ending), args=2, strict=False)
    def build(call: Call) -> Typed:
        digits = f"regexp_extract({_rest(call)}, {duckdb_string(pattern)}, 1)"
        return call.typed(f"coalesce(TRY_CAST({digits} AS {duckdb}), {zero})", type_)


_number("ExtractInt", t.INT64, r'^"?([+-]?\d+)', "BIGINT", "0")
_number("ExtractUInt", t.UINT64, r'^"?\+?(\d+)', "UBIGINT", "CAST(0 AS UBIGINT)")
_number("ExtractFloat", t.FLOAT64, r'^"?([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)', "DOUBLE", "0e0")


@scalar(*_names("ExtractBool"), args=2, strict=False)
def extract_bool(call: Call) -> Typed:
    return call.condition(f"starts_with({_rest(call)}, 'true')")


@scalar(*_names("ExtractRaw"), args=2, strict=False)
def extract_raw(call: Call) -> Typed:
    function = call.context.udf("tb_json_raw_value")
    return call.typed(f"{function}({_rest(call)})", t.STRING)
