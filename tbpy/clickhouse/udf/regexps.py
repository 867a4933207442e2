"""Regular expressions that can match nothing: ClickHouse's loops over matches, on Python's `re`."""

from __future__ import annotations

import re
from functools import lru_cache

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
    "tb_regexp_extract_all": Udf(extract_all, ("VARCHAR", "VARCHAR", "INTEGER"), "VARCHAR[]"),
    "tb_regexp_split": Udf(split, ("VARCHAR", "VARCHAR"), "VARCHAR[]"),
}
