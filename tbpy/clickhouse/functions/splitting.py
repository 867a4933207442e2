"""Strings into arrays and back: splitBy..., tokens, ngrams, arrayStringConcat."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.regexps import dotall, python_pattern, shape
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_integer, constant_text, failure, known_text, text
from tbpy.clickhouse.quoting import duckdb_string

_STRINGS = t.Array(t.STRING)

#: Runs of characters that make a token, as DuckDB patterns.
_RUNS = {
    "splitByWhitespace": "[^ \\t\\n\\r\\f\\v]+",
    "splitByNonAlpha": "[^ \\t\\n\\r\\f\\v!-/:-@\\[-`{-~]+",
    "alphaTokens": "[a-zA-Z]+",
}
_WORD = "[0-9a-zA-Z\\x{80}-\\x{10FFFF}]+"


def _first(call: Call, sql: str, position: int) -> Typed:
    """The array, or its first `max_substrings` where the call says so."""
    if len(call.args) > position:
        most = constant_integer(call, position, "number of substrings")
        if most > 0:
            sql = f"list_slice({sql}, 1, {most})"
    return call.typed(sql, _STRINGS)


@scalar("splitByChar", args=(2, 3))
def split_by_char(call: Call) -> Typed:
    separator = known_text(text(call, 0, fixed=False))
    if separator is None:
        call.unsupported("a separator that is not a constant")
    if len(separator.encode()) != 1:
        raise failure(call, "Illegal separator for function splitByChar. Must be exactly one byte")
    return _first(call, f"string_split({text(call, 1, fixed=False).sql}, {call.sql(0)})", 2)


@scalar("splitByString", args=(2, 3))
def split_by_string(call: Call) -> Typed:
    separator = known_text(text(call, 0, fixed=False))
    if separator is None:
        call.unsupported("a separator that is not a constant")
    arg = text(call, 1, fixed=False).sql
    return _first(call, f"string_split({arg}, {call.sql(0)})" if separator else _characters(call, arg), 2)


def _characters(call: Call, arg: str) -> str:
    """Every byte by itself: a text that is not ASCII has none that are texts."""
    message = duckdb_string(f"Function {call.name} cuts text that is not ASCII into single bytes")
    single = f"string_split({arg}, '')"
    return (
        f"(CASE WHEN {arg} = '' THEN CAST([] AS VARCHAR[]) WHEN strlen({arg}) = length({arg}) THEN {single} "
        f"WHEN {arg} IS NOT NULL THEN error({message}) END)"
    )


@scalar("splitByRegexp", args=(2, 3))
def split_by_regexp(call: Call) -> Typed:
    pattern = constant_text(call, 0, "pattern")
    arg = text(call, 1, fixed=False).sql
    if not pattern:
        return _first(call, _characters(call, arg), 2)
    if shape(pattern).empty:
        translated = python_pattern(pattern)
        if translated is None:
            call.unsupported("a pattern that can match nothing")
        return _first(call, f"{call.context.udf('tb_regexp_split')}({arg}, {duckdb_string(translated)})", 2)
    return _first(call, f"regexp_split_to_array({arg}, {duckdb_string(dotall(pattern))})", 2)


def _runs(*names: str, pattern: str) -> None:
    @scalar(*names, args=(1, 2))
    def build(call: Call) -> Typed:
        return _first(call, f"regexp_extract_all({text(call, fixed=False).sql}, {duckdb_string(pattern)})", 1)


_runs("splitByWhitespace", pattern=_RUNS["splitByWhitespace"])
_runs("splitByNonAlpha", pattern=_RUNS["splitByNonAlpha"])
_runs("alphaTokens", "splitByAlpha", pattern=_RUNS["alphaTokens"])


@scalar("tokens", args=(1, 3))
def tokens(call: Call) -> Typed:
    arg = text(call).sql
    tokenizer = constant_text(call, 1, "tokenizer") if len(call.args) > 1 else "splitByNonAlpha"
    if tokenizer == "splitByNonAlpha" and len(call.args) < 3:
        return call.typed(f"regexp_extract_all({arg}, {duckdb_string(_WORD)})", _STRINGS)
    if tokenizer == "array" and len(call.args) < 3:
        return call.typed(f"[{arg}]", _STRINGS)
    if tokenizer == "ngrams":
        size = constant_integer(call, 2, "size of the n-grams") if len(call.args) == 3 else 3
        return call.typed(_ngrams(arg, size), _STRINGS)
    call.unsupported(f"the tokenizer {tokenizer}")


@scalar("ngrams", args=2)
def ngrams(call: Call) -> Typed:
    size = constant_integer(call, 1, "size of the n-grams")
    if size < 1:
        raise failure(call, "Ngram size must be greater than zero", 43, "ILLEGAL_TYPE_OF_ARGUMENT")
    return call.typed(_ngrams(text(call).sql, size), _STRINGS)


def _ngrams(arg: str, size: int) -> str:
    places = f"range(1, greatest(length({arg}) - {size - 2}, 1))"
    return f"list_transform({places}, lambda ngram: substring({arg}, ngram, {size}))"


@scalar("arrayStringConcat", "array_to_string", args=(1, 2), insensitive=("array_to_string",), strict=False)
def array_string_concat(call: Call) -> Typed:
    """The elements as text with a separator between; NULL elements are left out."""
    type_ = call.args[0].type
    if not isinstance(type_, t.Array):
        call.wrong_type()
    separator = text(call, 1).sql if len(call.args) == 2 else "''"
    inner = t.plain(type_.item)
    array = call.sql(0)
    if isinstance(inner, t.Nothing):
        return call.typed("''", t.STRING)
    if not isinstance(inner, t.String):
        name = call.context.fresh("e")
        element = call.compiler.call("toString", Typed(name, type_.item), node=call.node)
        array = f"list_transform({array}, lambda {name}: {element.sql})"
    return call.typed(f"coalesce(array_to_string({array}, {separator}), '')", t.STRING)


@scalar("extractKeyValuePairs", "str_to_map", args=(1, 4), insensitive=("str_to_map",))
def extract_key_value_pairs(call: Call) -> Typed:
    """`text[, between[, ends[, quote]]]` as a map."""
    signs = [":", " ,;", '"']
    for position in range(1, len(call.args)):
        signs[position - 1] = constant_text(call, position, "delimiter")
    if len(signs[0]) != 1 or not signs[1] or len(signs[2]) != 1:
        call.unsupported("such delimiters")
    listed = ", ".join(map(duckdb_string, signs))
    udf = call.context.udf("tb_extract_key_values")
    return call.typed(f"{udf}({text(call).sql}, {listed})", t.Map(t.STRING, t.STRING))
