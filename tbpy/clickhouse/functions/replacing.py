"""Parts of strings exchanged for others: replace, translate, overlay."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import (
    failure,
    integer,
    known_text,
    text,
    texts_known,
)
from tbpy.clickhouse.quoting import duckdb_string


@scalar("replaceAll", "replace", args=3, insensitive=("replace",))
def replace_all(call: Call) -> Typed:
    haystack, needle, replacement = (text(call, i, fixed=not call.args[i].constant and not i) for i in range(3))
    known = texts_known(call)
    if known is not None:
        value = known[0].replace(known[1], known[2]) if known[1] else known[0]
        return constant(value, t.STRING)
    sql = f"replace({haystack.sql}, {needle.sql}, {replacement.sql})"
    if not known_text(needle):
        sql = f"(CASE WHEN {needle.sql} = '' THEN {haystack.sql} ELSE {sql} END)"
    return call.typed(sql, t.STRING)


@scalar("replaceOne", args=3, strict=False)
def replace_one(call: Call) -> Typed:
    haystack, needle, replacement = (text(call, i, fixed=not call.args[i].constant and not i).sql for i in range(3))
    place = f"instr({haystack}, {needle})"
    rest = f"substring({haystack}, {place} + length({needle}))"
    found = f"left({haystack}, {place} - 1) || {replacement} || {rest}"
    sql = f"(CASE WHEN {needle} <> '' AND contains({haystack}, {needle}) THEN {found} ELSE {haystack} END)"
    return call.typed(sql, t.STRING)


def _translate(name: str, *, unicode: bool) -> None:
    @scalar(name, args=3)
    def build(call: Call) -> Typed:
        arg = text(call, fixed=not unicode)
        source, target = known_text(text(call, 1)), known_text(text(call, 2))
        if source is None or target is None:
            call.unsupported("characters that are not constants")
        if not unicode and not (source.isascii() and target.isascii()):
            raise failure(call, f"Second and third arguments of function {name} must be ASCII strings")
        if len(target) > len(source):
            raise failure(call, f"Second and third arguments of function {name} must be the same length")
        pairs: dict[str, str] = {}
        for position, char in enumerate(source):
            pairs[char] = target[position : position + 1]
        ordered = sorted(pairs, key=lambda char: not pairs[char])  # DuckDB drops the characters that have no partner
        letters = duckdb_string("".join(ordered)), duckdb_string("".join(pairs[char] for char in ordered))
        sql = f"translate({arg.sql}, {letters[0]}, {letters[1]})" if pairs else arg.sql
        return call.typed(sql, arg.type if len(source) == len(target) else t.STRING)


_translate("translate", unicode=False)
_translate("translateUTF8", unicode=True)


def _overlay(name: str, *, unicode: bool) -> None:
    @scalar(name, args=(3, 4), insensitive=not unicode)
    def build(call: Call) -> Typed:
        """The text with `length` characters (the replacement's own, without it) from `offset` exchanged."""
        arg, replacement = text(call), text(call, 1)
        udf = call.context.udf("tb_overlay_utf8" if unicode else "tb_overlay")
        length = integer(call, 3) if len(call.args) == 4 else f"length({replacement.sql})"
        if not unicode and len(call.args) == 3:
            length = f"strlen({replacement.sql})"
        if unicode:
            return call.typed(f"{udf}({arg.sql}, {replacement.sql}, {integer(call, 2)}, {length})", t.STRING)
        sql = f"{udf}({bytes_of(arg)}, {bytes_of(replacement)}, {integer(call, 2)}, {length})"
        return call.typed(text_of(sql), t.STRING)


_overlay("overlay", unicode=False)
_overlay("overlayUTF8", unicode=True)
