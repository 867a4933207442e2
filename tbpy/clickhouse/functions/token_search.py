"""Tokens of a text looked for in another: hasAnyTokens, hasAllTokens, hasPhrase.

Source: ClickHouse documentation, "Functions for searching in strings"; what it does without a text index.
"""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, failure, text
from tbpy.clickhouse.quoting import duckdb_string

_CALLED = re.compile(r"(\w+)\((\d+)\)")  # a tokenizer with its number, as `ngrams(4)`


def _tokenizer(call: Call) -> tuple[Typed, ...]:
    """The arguments of `tokens` behind its text."""
    if len(call.args) < 3:
        return ()
    name = constant_text(call, 2, "tokenizer")
    called = _CALLED.fullmatch(name)
    return (constant(called[1]), constant(int(called[2]))) if called else (constant(name),)


def _tokens(call: Call, value: Typed) -> Typed:
    return call.compiler.call("tokens", value, *_tokenizer(call), node=call.node)


def _of_input(call: Call) -> str:
    """The tokens of the first argument: of a text, or of all texts of an array."""
    kind = call.args[0].type
    if not isinstance(kind, t.Array):
        return _tokens(call, text(call)).sql
    if not isinstance(t.plain(kind.item), t.String | t.FixedString):
        call.wrong_type()
    name = call.context.fresh("e")
    each = _tokens(call, Typed(f"coalesce({name}, '')", t.plain(kind.item)))
    return f"flatten(list_transform({call.sql(0)}, lambda {name}: {each.sql}))"


def _needles(call: Call) -> str:
    """The list of tokens to find: an array as it stands, a text in tokens."""
    needles, kind = call.args[1], call.args[1].type
    whole = isinstance(kind, t.Array) and isinstance(kind.item, t.String | t.Nothing)
    if not whole and not isinstance(kind, t.String):
        call.wrong_type()
    if not needles.constant:
        message = f"A value of illegal type was provided as 2nd argument 'needles' to function '{call.name}'"
        raise failure(call, message, 44, "ILLEGAL_COLUMN")
    return f"CAST({needles.sql} AS VARCHAR[])" if whole else _tokens(call, needles).sql


@scalar("hasAnyToken", "hasAnyTokens", args=(2, 3))
def has_any_tokens(call: Call) -> Typed:
    return call.condition(f"list_has_any({_of_input(call)}, {_needles(call)})")


@scalar("hasAllToken", "hasAllTokens", args=(2, 3))
def has_all_tokens(call: Call) -> Typed:
    needles = _needles(call)
    return call.condition(f"(len({needles}) > 0 AND list_has_all({_of_input(call)}, {needles}))")


@scalar("hasPhrase", "matchPhrase", args=(2, 3))
def has_phrase(call: Call) -> Typed:
    """All tokens of the phrase one after another; words hold no blanks, so that these can stand between them."""
    if len(call.args) > 2 and constant_text(call, 2, "tokenizer") != "splitByNonAlpha":
        call.unsupported("another tokenizer than splitByNonAlpha")
    phrase = constant_text(call, 1, "phrase")
    words, looked_for = _tokens(call, text(call)).sql, _tokens(call, constant(phrase)).sql

    def joined(tokens: str) -> str:
        blank = duckdb_string(" ")
        return f"({blank} || array_to_string({tokens}, {blank}) || {blank})"

    return call.condition(f"(len({looked_for}) > 0 AND contains({joined(words)}, {joined(looked_for)}))")
