"""Finding strings in strings: position, multiSearch..., startsWith, countSubstrings, tokens, subsequences."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arrays import common_items
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, failure, integer, known_text, lowered, text

Fold = Callable[[Typed], str]


def _as_is(arg: Typed) -> str:
    return arg.sql


def _unicode_lowered(arg: Typed) -> str:
    return f"lower({arg.sql})"


#: (suffix of the name, how texts are made comparable, whether positions count characters)
_VARIANTS: tuple[tuple[str, Fold, bool], ...] = (
    ("", _as_is, False),
    ("CaseInsensitive", lowered, False),
    ("UTF8", _as_is, True),
    ("CaseInsensitiveUTF8", _unicode_lowered, True),
)


# --- position ---------------------------------------------------------------------------------------------------------


def place_of(haystack: str, needle: str, *, unicode: bool) -> str:
    """Where the needle starts, from 1; 0 when nowhere. In bytes, or in characters with `unicode`."""
    if unicode:
        return f"instr({haystack}, {needle})"
    before = f"strlen(left({haystack}, instr({haystack}, {needle}) - 1))"
    return f"(CASE WHEN contains({haystack}, {needle}) THEN {before} + 1 ELSE 0 END)"


def _position(suffix: str, fold: Fold, unicode: bool) -> None:
    names = (f"position{suffix}", *(("instr",) if not suffix else ()))

    @scalar(*names, args=(2, 3), insensitive=not suffix, strict=False)
    def build(call: Call) -> Typed:
        if isinstance(call.args[0].type, t.FixedString) and not call.args[0].constant:
            message = f"Function '{call.name}' doesn't support FixedString haystack argument"
            raise failure(call, message, 44, "ILLEGAL_COLUMN")
        haystack, needle = fold(text(call, 0, enum=True)), fold(text(call, 1, fixed=False))
        if len(call.args) == 2:
            return _count(call, place_of(haystack, needle, unicode=unicode))
        return _count(call, _place_from(call, haystack, needle, unicode=unicode))


def _place_from(call: Call, haystack: str, needle: str, *, unicode: bool) -> str:
    """The first place at or after a start; a start of 0 is the beginning, one beyond the end finds nothing."""
    start = f"greatest({integer(call, 2)}, 1)"
    rest = f"substring({haystack}, {start})"
    found = f"WHEN contains({rest}, {needle}) THEN length(left({rest}, instr({rest}, {needle}) - 1)) + {start}"
    if unicode:
        return f"(CASE WHEN {start} > length({haystack}) + 1 THEN 0 {found} ELSE 0 END)"
    size = f"strlen({haystack})"
    other = f"WHEN {size} <> length({haystack}) THEN {call.context.udf('tb_find_bytes')}"
    other = f"{other}(encode({haystack}), encode({needle}), {start})"
    return f"(CASE WHEN {start} > {size} + 1 THEN 0 {other} {found} ELSE 0 END)"


def _count(call: Call, sql: str) -> Typed:
    return call.typed(f"CAST({sql} AS UBIGINT)", t.UINT64)


for _variant in _VARIANTS:
    _position(*_variant)


@scalar("locate", args=(2, 3), insensitive=True, strict=False)
def locate(call: Call) -> Typed:
    call.args = (call.args[1], call.args[0], *call.args[2:])
    haystack, needle = text(call, 0, enum=True).sql, text(call, 1, fixed=False).sql
    if len(call.args) == 2:
        return _count(call, place_of(haystack, needle, unicode=False))
    return _count(call, _place_from(call, haystack, needle, unicode=False))


# --- beginnings and ends ----------------------------------------------------------------------------------------------


def _edge(name: str, function: str, fold: Fold) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        if all(isinstance(arg.type, t.Array) for arg in call.args):
            return _edge_of_array(call, start=function == "starts_with")
        return call.condition(f"{function}({fold(text(call))}, {fold(text(call, 1))})")


def _edge_of_array(call: Call, *, start: bool) -> Typed:
    _, (one, other) = common_items(call, 0, 1)
    part = f"({one})[: len({other})]" if start else f"({one})[len({one}) - len({other}) + 1 :]"
    return call.condition(f"(len({one}) >= len({other}) AND {part} IS NOT DISTINCT FROM {other})")


for _function, _name in (("starts_with", "startsWith"), ("suffix", "endsWith")):
    for _suffix, _fold, _ in _VARIANTS:
        _edge(f"{_name}{_suffix}", _function, _fold)


# --- several needles --------------------------------------------------------------------------------------------------


def _found(haystack: str, needle: str) -> str:
    """Whether a needle is found; an empty one is, but not in nothing."""
    return f"({haystack} <> '')" if needle == "''" else f"contains({haystack}, {needle})"


def _place(haystack: str, needle: str, *, unicode: bool) -> str:
    if needle == "''":
        return f"(CASE WHEN {haystack} = '' THEN 0 ELSE 1 END)"
    return place_of(haystack, needle, unicode=unicode)


def _needles(call: Call, fold: Fold) -> list[str]:
    value = call.constant_value(1, "list of needles")
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        call.wrong_type()
    return [fold(constant(item)) for item in value]


def _searched(call: Call, fold: Fold, haystack: str) -> str | None:
    """Whether each needle is found, as a list, where only the run knows the needles; else None."""
    needles = call.args[1]
    if isinstance(needles.value, list):
        return None
    if t.plain(needles.type) != t.Array(t.STRING):
        call.wrong_type()
    needle = fold(Typed("needle", t.STRING))
    found = f"CASE WHEN needle = '' THEN {haystack} <> '' ELSE contains({haystack}, {needle}) END"
    return f"list_transform({needles.sql}, lambda needle: {found})"


def _multi_search(suffix: str, fold: Fold, unicode: bool) -> None:
    @scalar(f"multiSearchAny{suffix}", args=2)
    def any_(call: Call) -> Typed:
        haystack = fold(text(call, fixed=False))
        listed = _searched(call, fold, haystack)
        if listed is not None:
            return call.condition(f"(CASE WHEN {haystack} IS NOT NULL THEN list_contains({listed}, true) END)")
        found = [_found(haystack, needle) for needle in _needles(call, fold)]
        return call.condition(f"({' OR '.join(found)})")

    @scalar(f"multiSearchFirstIndex{suffix}", args=2)
    def first_index(call: Call) -> Typed:
        haystack = fold(text(call, fixed=False))
        listed = _searched(call, fold, haystack)
        if listed is not None:
            first = f"coalesce(list_position({listed}, true), 0)"
            return _count(call, f"CASE WHEN {haystack} IS NOT NULL THEN {first} END")
        cases = " ".join(
            f"WHEN {_found(haystack, needle)} THEN {number}" for number, needle in enumerate(_needles(call, fold), 1)
        )
        return _count(call, f"CASE {cases} WHEN {haystack} IS NOT NULL THEN 0 END")

    @scalar(f"multiSearchFirstPosition{suffix}", args=2)
    def first_position(call: Call) -> Typed:
        haystack = fold(text(call, fixed=False))
        places = [f"nullif({_place(haystack, needle, unicode=unicode)}, 0)" for needle in _needles(call, fold)]
        least = places[0] if len(places) == 1 else f"least({', '.join(places)})"
        return _count(call, f"CASE WHEN {haystack} IS NOT NULL THEN coalesce({least}, 0) END")

    @scalar(f"multiSearchAllPositions{suffix}", args=2)
    def all_positions(call: Call) -> Typed:
        haystack = fold(text(call, fixed=False))
        places = [_place(haystack, needle, unicode=unicode) for needle in _needles(call, fold)]
        return call.typed(f"CAST([{', '.join(places)}] AS UBIGINT[])", t.Array(t.UINT64))


for _variant in _VARIANTS:
    _multi_search(*_variant)


# --- counting ---------------------------------------------------------------------------------------------------------


def integer_argument(call: Call, position: int) -> Typed:
    """An argument that must be a whole number."""
    integer(call, position)
    return call.args[position]


def _count_substrings(suffix: str, fold: Fold) -> None:
    @scalar(f"countSubstrings{suffix}", args=(2, 3), insensitive=not suffix)
    def build(call: Call) -> Typed:
        """How often the needle is found without overlaps, from a place on (from 1); an empty one never is."""
        searched = text(call, fixed=False, enum=True)
        if len(call.args) == 3:
            cut = "substringUTF8" if suffix.endswith("UTF8") else "substring"
            start = call.compiler.call("greatest", integer_argument(call, 2), constant(1), node=call.node)
            searched = call.compiler.call(cut, searched, start, node=call.node)
        haystack, needle = fold(searched), fold(text(call, 1, fixed=False))
        sql = f"(strlen({haystack}) - strlen(replace({haystack}, {needle}, ''))) // strlen({needle})"
        if not known_text(call.args[1]):
            sql = f"CASE WHEN {needle} = '' THEN 0 ELSE {sql} END"
        return _count(call, f"({sql})")


for _suffix, _fold, _ in _VARIANTS:
    if _suffix != "UTF8":
        _count_substrings(_suffix, _fold)


# --- tokens and subsequences ------------------------------------------------------------------------------------------


def _token(name: str, fold: Fold, *, or_null: bool = False) -> None:
    @scalar(name, args=2, insensitive="CaseInsensitive" in name, strict=False)
    def build(call: Call) -> Typed:
        """Whether the needle stands between characters of ASCII that are neither letters nor digits."""
        haystack = fold(text(call, fixed=False, enum=True))
        needle = constant_text(call, 1, "needle")
        if not all(char.isalnum() or not char.isascii() for char in needle):
            if or_null:
                return call.typed("CAST(NULL AS UTINYINT)", t.Nullable(t.UINT8))
            raise failure(call, "Needle must not contain whitespace or separator characters")
        if not needle:
            none = call.condition("false")
            return none.as_type(t.Nullable(t.UINT8)) if or_null else none
        folded = fold(constant(needle))
        found = f"list_contains(regexp_extract_all({haystack}, '[0-9a-zA-Z\\x{{80}}-\\x{{10FFFF}}]+'), {folded})"
        found = f"(contains({haystack}, {folded}) AND {found})"
        result = call.condition(found)
        return result.as_type(t.Nullable(t.UINT8)) if or_null else result


_token("hasToken", _as_is)
_token("hasTokenOrNull", _as_is, or_null=True)
_token("hasTokenCaseInsensitive", lowered)
_token("hasTokenCaseInsensitiveOrNull", lowered, or_null=True)


def _subsequence(suffix: str, fold: Fold) -> None:
    @scalar(f"hasSubsequence{suffix}", args=2, insensitive=True)
    def build(call: Call) -> Typed:
        """Whether the characters of the needle come in their order, perhaps with others between."""
        haystack, needle = fold(text(call, fixed=False)), fold(text(call, 1, fixed=False))
        quoted = f"regexp_replace({needle}, '(?s)(.)', '\\\\Q\\1\\\\E.*', 'g')"
        known = known_text(call.args[1])
        if known is not None:
            letters = fold(constant(known))
            quoted = f"regexp_replace({letters}, '(?s)(.)', '\\\\Q\\1\\\\E.*', 'g')"
        return call.condition(f"regexp_matches({haystack}, '(?s)' || {quoted})")


for _suffix, _fold, _ in _VARIANTS:
    _subsequence(_suffix, _fold)
