"""Regular expressions that can match nothing: ClickHouse's loops over matches, on Python's `re`."""

from __future__ import annotations

import re
from functools import lru_cache

from tbpy.clickhouse.functions.regexps import python_pattern
from tbpy.clickhouse.udf import Udf

_GROUP = re.compile(r"\\([0-9\\])")


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL | re.ASCII)


def replace_all(text: str, pattern: str, replacement: str) -> str:
    """`replacement` is in RE2's spelling: `\\1` is a group, `\\\\` a backslash. An empty match may follow another.

    After an empty match ClickHouse steps over a byte: raises ValueError where that would cut a character.
    """
    expression, parts, position = _compiled(pattern), [], 0
    while match := expression.search(text, position):
        parts += [text[position : match.start()], _expanded(match, replacement)]
        position = match.end()
        if not match[0]:
            step = text[position : position + 1]
            if not step.isascii():
                raise ValueError(
                    "A pattern that matches nothing before text that is not ASCII is not supported by tbpy yet"
                )
            parts.append(step)
            position += 1
            if not step:
                break
    return "".join((*parts, text[position:]))


def replace_row(text: str, pattern: str, replacement: str, every: bool) -> str:
    """The same with a pattern and a replacement as ClickHouse spells them, of every match or of the first.

    Raises ValueError for what Python's `re` may understand otherwise, and for groups that the pattern does not have.
    """
    if not pattern:
        return text
    translated = python_pattern(pattern)
    if translated is None:
        raise ValueError(f"The pattern {pattern} in a column is not supported by tbpy yet")
    groups = _compiled(translated).groups
    missing = next((group for group in _GROUP.findall(replacement) if group.isdecimal() and int(group) > groups), None)
    if missing is not None:
        substitution = f"Substitution '\\{missing}' in replacement argument is invalid"
        raise ValueError(f"BAD_ARGUMENTS: {substitution}, regexp has only {groups} capturing groups")
    if every:
        return replace_all(text, translated, replacement)
    match = _compiled(translated).search(text)
    return text if match is None else text[: match.start()] + _expanded(match, replacement) + text[match.end() :]


def _expanded(match: re.Match[str], replacement: str) -> str:
    return _GROUP.sub(lambda part: "\\" if part[1] == "\\" else match[int(part[1])] or "", replacement)


def extract_all(text: str, pattern: str, group: int) -> list[str]:
    """Matches up to the first empty one."""
    found = []
    for match in _compiled(pattern).finditer(text):
        if not match[0]:
            break
        found.append(match[group] or "")
    return found


def split(text: str, pattern: str) -> list[str]:
    """What stands between matches, up to the first empty one."""
    parts, start = [], 0
    for match in _compiled(pattern).finditer(text):
        if not match[0]:
            break
        parts.append(text[start : match.start()])
        start = match.end()
    return [*parts, text[start:]]


FUNCTIONS: dict[str, Udf] = {
    "tb_regexp_replace_all": Udf(replace_all, ("VARCHAR", "VARCHAR", "VARCHAR"), "VARCHAR"),
    "tb_regexp_replace_row": Udf(replace_row, ("VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"), "VARCHAR"),
    "tb_regexp_extract_all": Udf(extract_all, ("VARCHAR", "VARCHAR", "INTEGER"), "VARCHAR[]"),
    "tb_regexp_split": Udf(split, ("VARCHAR", "VARCHAR"), "VARCHAR[]"),
}
