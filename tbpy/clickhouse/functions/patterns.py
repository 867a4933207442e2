"""Regular expressions: match, extract, replace, split, count."""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.regexps import Shape, broken, dotall, python_pattern, shape
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, failure, known_text, text
from tbpy.clickhouse.quoting import duckdb_string

_SPECIAL = frozenset("^$.[|()?*+{\\")
#: Patterns of places only, of which there is one at a time.
_EDGE = re.compile(r"(\(\?[a-z]+\))?([\^$]|\\[bAz])")


def _pattern(call: Call, position: int = 1) -> tuple[str, Shape]:
    """A constant pattern as a DuckDB literal, with its shape."""
    pattern = constant_text(call, position, "pattern")
    wrong = broken(pattern)
    if wrong is not None and call.name.startswith("replaceRegexp"):
        raise failures.bad_arguments(f"The pattern argument is not a valid re2 pattern: {wrong}", call.node)
    if wrong is not None:
        text = f"OptimizedRegularExpression: cannot compile re2: {pattern}, error: {wrong}"
        raise failures.failure(text, 427, "CANNOT_COMPILE_REGEXP", call.node)
    return duckdb_string(dotall(pattern)), shape(pattern)


def _never_empty(call: Call, found: Shape) -> None:
    if found.empty:
        call.unsupported("a pattern that can match nothing")


def _in_python(call: Call, position: int = 1) -> str:
    """A pattern that can match nothing, for Python's `re`: RE2's own loops treat empty matches in other ways."""
    translated = python_pattern(str(call.args[position].value))
    if translated is None:
        call.unsupported("a pattern that can match nothing")
    return duckdb_string(translated)


def _whole_groups(sql: str, pattern: str) -> str:
    """Matches of a group; one that took no part in a match is an empty text."""
    return f"list_transform({sql}, lambda m: coalesce(m, ''))" if re.search(r"[?*|{]", pattern) else sql


# --- match ------------------------------------------------------------------------------------------------------------


def matches(haystack: str, pattern: Typed, flags: str = "") -> str:
    """A DuckDB BOOLEAN: whether the pattern matches somewhere."""
    known = known_text(pattern)
    sql = duckdb_string(f"(?s{flags}){known}") if known is not None else f"('(?s{flags})' || {pattern.sql})"
    return f"regexp_matches({haystack}, {sql})"


@scalar("match", "REGEXP_MATCHES", args=2, insensitive=("REGEXP_MATCHES",))
def match(call: Call) -> Typed:
    return call.condition(matches(text(call, enum=True).sql, text(call, 1, fixed=False)))


@scalar("matchCaseInsensitive", args=2)
def match_case_insensitive(call: Call) -> Typed:
    return call.condition(matches(text(call, enum=True).sql, text(call, 1, fixed=False), "i"))


def _not_match(name: str, flags: str) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        return call.condition(f"(NOT {matches(text(call, enum=True).sql, text(call, 1, fixed=False), flags)})")


_not_match("notMatch", "")
_not_match("notMatchCaseInsensitive", "i")


def _patterns(call: Call) -> list[str]:
    values = call.constant_value(1, "list of patterns")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values) or not values:
        call.wrong_type()
    return values


def _match_each(call: Call) -> list[str]:
    haystack = text(call, fixed=False).sql
    return [f"regexp_matches({haystack}, {duckdb_string(dotall(value))})" for value in _patterns(call)]


@scalar("multiMatchAny", args=2)
def multi_match_any(call: Call) -> Typed:
    patterns = call.args[1]
    if isinstance(patterns.value, list) or t.plain(patterns.type) != t.Array(t.STRING):
        return call.condition(f"({' OR '.join(_match_each(call))})")
    haystack = text(call, fixed=False).sql
    matched = f"list_transform({patterns.sql}, lambda pattern: regexp_matches({haystack}, pattern, 's'))"
    return call.condition(f"(CASE WHEN {haystack} IS NOT NULL THEN list_contains({matched}, true) END)")


def _only_one(call: Call, found: list[str], one: str, none: str) -> str:
    """Which of several matching patterns Hyperscan reports is not ours to know: one may match."""
    count = " + ".join(f"CAST({condition} AS INTEGER)" for condition in found)
    cases = " ".join(f"WHEN {condition} THEN {one.format(number)}" for number, condition in enumerate(found, 1))
    if len(found) == 1:
        return f"(CASE {cases} ELSE {none} END)"
    message = duckdb_string(f"Function {call.name} with several patterns that match is not supported by tbpy yet")
    return f"(CASE WHEN {count} > 1 THEN error({message}) {cases} ELSE {none} END)"


@scalar("multiMatchAnyIndex", args=2, strict=False)
def multi_match_any_index(call: Call) -> Typed:
    sql = _only_one(call, _match_each(call), "{0}", "0")
    return call.typed(f"CAST({sql} AS UBIGINT)", t.UINT64)


@scalar("multiMatchAllIndices", args=2)
def multi_match_all_indices(call: Call) -> Typed:
    sql = _only_one(call, _match_each(call), "[{0}]", "[]")
    return call.typed(f"CAST({sql} AS UBIGINT[])", t.Array(t.UINT64))


# --- extract ----------------------------------------------------------------------------------------------------------


@scalar("extract", args=2)
def extract(call: Call) -> Typed:
    haystack = text(call, fixed=False).sql
    pattern, found = _pattern(call)
    return call.typed(f"regexp_extract({haystack}, {pattern}, {min(found.groups, 1)})", t.STRING)


@scalar("extractAll", args=2)
def extract_all(call: Call) -> Typed:
    haystack = text(call, fixed=False).sql
    pattern, found = _pattern(call)
    group = min(found.groups, 1)
    if found.empty:
        udf = call.context.udf("tb_regexp_extract_all")
        return call.typed(f"{udf}({haystack}, {_in_python(call)}, {group})", t.Array(t.STRING))
    sql = _whole_groups(f"regexp_extract_all({haystack}, {pattern}, {group})", pattern if group else "")
    return call.typed(sql, t.Array(t.STRING))


@scalar(
    "regexpExtract", "REGEXP_EXTRACT", "REGEXP_SUBSTR", args=(2, 3), insensitive=("REGEXP_EXTRACT", "REGEXP_SUBSTR")
)
def regexp_extract(call: Call) -> Typed:
    haystack = text(call, fixed=False).sql
    pattern, found = _pattern(call)
    group = call.constant_value(2, "group") if len(call.args) == 3 else min(found.groups, 1)
    if not isinstance(group, int):
        call.wrong_type()
    if not 0 <= group <= found.groups:
        message = f"Index value {group} is out-of-range, should be in [0, {found.groups + 1})"
        raise failure(call, message, 353, "INDEX_OF_POSITIONAL_ARGUMENT_IS_OUT_OF_RANGE")
    return call.typed(f"regexp_extract({haystack}, {pattern}, {group})", t.STRING)


def _grouped(call: Call) -> tuple[str, str, int]:
    haystack = text(call).sql
    pattern, found = _pattern(call)
    if not found.groups:
        raise failure(call, f"There are no groups in regexp: {call.args[1].value}")
    return haystack, pattern, found.groups


@scalar("extractGroups", args=2)
def extract_groups(call: Call) -> Typed:
    haystack, pattern, count = _grouped(call)
    groups = ", ".join(f"regexp_extract({haystack}, {pattern}, {number})" for number in range(1, count + 1))
    sql = f"(CASE WHEN regexp_matches({haystack}, {pattern}) THEN [{groups}] ELSE CAST([] AS VARCHAR[]) END)"
    return call.typed(sql, t.Array(t.STRING)) if count else call.wrong_type()


@scalar("extractAllGroupsVertical", "extractAllGroups", args=2)
def extract_all_groups_vertical(call: Call) -> Typed:
    """One array for each match."""
    haystack, pattern, count = _grouped(call)
    _never_empty(call, shape(str(call.args[1].value)))
    lists = [
        _whole_groups(f"regexp_extract_all({haystack}, {pattern}, {number})", pattern) for number in range(1, count + 1)
    ]
    name = call.context.fresh("i")
    row = ", ".join(f"{groups}[{name}]" for groups in lists)
    sql = f"list_transform(range(1, len({lists[0]}) + 1), lambda {name}: [{row}])"
    return call.typed(sql, t.Array(t.Array(t.STRING)))


@scalar("extractAllGroupsHorizontal", args=2)
def extract_all_groups_horizontal(call: Call) -> Typed:
    """One array for each group."""
    haystack, pattern, count = _grouped(call)
    _never_empty(call, shape(str(call.args[1].value)))
    lists = ", ".join(
        _whole_groups(f"regexp_extract_all({haystack}, {pattern}, {number})", pattern) for number in range(1, count + 1)
    )
    return call.typed(f"[{lists}]", t.Array(t.Array(t.STRING)))


def _count(name: str, flags: str = "") -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        haystack = text(call).sql
        pattern = duckdb_string(f"(?s{flags}){constant_text(call, 1, 'pattern')}")
        found = f"regexp_extract_all({haystack}, {pattern})"
        if shape(str(call.args[1].value)).empty:
            found = f"list_filter({found}, lambda m: m <> '')"
        return call.typed(f"CAST(len({found}) AS UBIGINT)", t.UINT64)


_count("countMatches")
_count("countMatchesCaseInsensitive", "i")


# --- replace ----------------------------------------------------------------------------------------------------------


def _replacement(call: Call, groups: int) -> str:
    """ClickHouse's replacement in RE2's spelling: `\\1` is a group, `\\\\` a backslash, before others it is dropped."""
    value = constant_text(call, 2, "replacement")
    parts, index = [], 0
    while index < len(value):
        char = value[index]
        index += 1
        if char != "\\":
            parts.append(char)
            continue
        follower = value[index : index + 1]
        index += 1
        if follower.isdecimal() and follower.isascii():
            if int(follower) > groups:
                text_ = f"Substitution '\\{follower}' in replacement argument is invalid"
                raise failure(call, f"{text_}, regexp has only {groups} capturing groups")
            parts.append(f"\\{follower}")
        else:
            parts.append("\\\\" if follower in ("\\", "") else follower)
    return "".join(parts)


def _literally(call: Call, function: str) -> Typed | None:
    """In a column, ClickHouse replaces a pattern without special characters as plain text, backslashes and all."""
    pattern = str(call.args[1].value)
    if call.args[0].constant or not pattern or set(pattern) & _SPECIAL:
        return None
    return call.compiler.call(function, *call.args, node=call.node)


def _by_row(call: Call, every: str) -> Typed | None:
    """Where pattern or replacement may differ from row to row; None where both are known."""
    if call.is_known(1) and call.is_known(2):
        return None
    arguments = ", ".join(text(call, position, fixed=position == 0).sql for position in range(3))
    return call.typed(f"{call.context.udf('tb_regexp_replace_row')}({arguments}, {every})", t.STRING)


@scalar("replaceRegexpOne", args=3)
def replace_regexp_one(call: Call) -> Typed:
    by_row = _by_row(call, "false")
    if by_row is not None:
        return by_row
    haystack = text(call, fixed=not call.args[0].constant).sql
    pattern, found = _pattern(call)
    if not call.args[1].value:
        return call.typed(haystack, t.STRING)
    replacement = duckdb_string(_replacement(call, found.groups))
    literal = _literally(call, "replaceOne")
    if literal is not None:
        return literal
    return call.typed(f"regexp_replace({haystack}, {pattern}, {replacement})", t.STRING)


@scalar("replaceRegexpAll", "REGEXP_REPLACE", args=3, insensitive=("REGEXP_REPLACE",))
def replace_regexp_all(call: Call) -> Typed:
    by_row = _by_row(call, "true")
    if by_row is not None:
        return by_row
    haystack = text(call, fixed=not call.args[0].constant).sql
    pattern, found = _pattern(call)
    if not call.args[1].value:
        return call.typed(haystack, t.STRING)
    replacement = _replacement(call, found.groups)
    literal = _literally(call, "replaceAll")
    if literal is not None:
        return literal
    if found.empty and replacement and not _EDGE.fullmatch(str(call.args[1].value)):
        # RE2 does not take an empty match right after another match, ClickHouse does.
        udf = call.context.udf("tb_regexp_replace_all")
        sql = f"{udf}({haystack}, {_in_python(call)}, {duckdb_string(replacement)})"
        return call.typed(sql, t.STRING)
    return call.typed(f"regexp_replace({haystack}, {pattern}, {duckdb_string(replacement)}, 'g')", t.STRING)


@scalar("regexpQuoteMeta")
def regexp_quote_meta(call: Call) -> Typed:
    arg = text(call, fixed=False).sql
    sql = f"regexp_replace({arg}, '[\\\\|()^$.\\[\\]?*+{{:-]', '\\\\\\0', 'g')"
    return call.typed(f"replace({sql}, chr(0), '\\' || chr(0))", t.STRING)
