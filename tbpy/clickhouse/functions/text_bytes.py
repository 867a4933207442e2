"""Texts as bytes: comparing parts of them, other character sets, ASCII, and the words of a page."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, text
from tbpy.clickhouse.quoting import duckdb_string


@scalar("compareSubstrings", args=5)
def compare_substrings(call: Call) -> Typed:
    """-1, 0 or 1: how so many bytes of two texts, each from an offset on, are ordered."""
    numbers = [call.constant_value(position, "number of bytes") for position in (2, 3, 4)]
    kinds = [t.plain(arg.type) for arg in call.args[2:]]
    if not all(isinstance(kind, t.Int) and not kind.signed for kind in kinds):
        call.wrong_type()
    first, second, count = (2 * int(number) for number in numbers)
    parts = [
        f"substring(hex({bytes_of(text(call, position))}), {start + 1}, {count})"
        for position, start in ((0, first), (1, second))
    ]
    sql = f"(CASE WHEN {parts[0]} < {parts[1]} THEN -1 WHEN {parts[0]} > {parts[1]} THEN 1 ELSE 0 END)"
    return call.typed(f"CAST({_unless_missing(call, sql)} AS TINYINT)", t.INT8)


def _unless_missing(call: Call, sql: str) -> str:
    optional = [arg.sql for arg in call.original[:2] if t.is_nullable(arg.type)]
    missing = " OR ".join(f"{value} IS NULL" for value in optional)
    return f"(CASE WHEN {missing} THEN NULL ELSE {sql} END)" if optional else sql


@scalar("isValidASCII", "isASCII")
def is_valid_ascii(call: Call) -> Typed:
    arg = text(call)
    return call.condition(f"regexp_full_match({arg.sql}, '[\\x00-\\x7F]*')")


@scalar("convertCharset", args=3)
def convert_charset(call: Call) -> Typed:
    from tbpy.clickhouse.udf.charsets import is_charset

    names = [constant_text(call, position, "character set") for position in (1, 2)]
    for name in names:
        if not is_charset(name):
            call.unsupported(f"the character set '{name}'")
    listed = ", ".join(map(duckdb_string, names))
    converted = f"{call.context.udf('tb_convert_charset')}({bytes_of(text(call, fixed=False))}, {listed})"
    return call.typed(text_of(converted), t.STRING)


@scalar("extractTextFromHTML")
def extract_text_from_html(call: Call) -> Typed:
    return call.typed(f"{call.context.udf('tb_extract_html_text')}({text(call, fixed=False).sql})", t.STRING)
