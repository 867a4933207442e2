"""The names of ClickHouse's functions, to tell one that tbpy lacks from one that does not exist."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_COMBINATORS = re.compile(
    r"(If|Array|Distinct|ForEach|Map|Tuple|OrNull|OrDefault|State|MergeState|Merge|SimpleState|ArgMin|ArgMax|Resample)$"
)


def listed_names() -> tuple[str, ...]:
    """The names as ClickHouse spells them; some stand there in two spellings."""
    text = (files("tbpy.clickhouse") / "function_names.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def function_names() -> frozenset[str]:
    return frozenset(spelling for name in listed_names() for spelling in (name, name.lower()))


def is_clickhouse_function(name: str) -> bool:
    """Whether ClickHouse has the function, perhaps as an aggregate with combinators."""
    names = function_names()
    while name not in names and name.lower() not in names:
        stem = _COMBINATORS.sub("", name)
        if stem == name:
            return False
        name = stem
    return True
