"""JSON paths of a SCHEMA, and what they ask of the JSON reader.

A path is a list of steps: a key, an index (`[0]`), or every element (`[:]`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tbpy.clickhouse.quoting import duckdb_string

EACH = object()
Step = str | int | object

_STEP = re.compile(
    r"""\.\["((?:[^"\\]|\\.)*)"\]|\.\['((?:[^'\\]|\\.)*)'\]|\[["']([^"']*)["']\]|\[(\d*:|\*|\d+)\]|\.?([^.\[\]]+)"""
)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """`text` is the path as it was written."""

    text: str
    steps: tuple[Step, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys before the first step into an array: as far as the reader can follow typed structures."""
        keys: list[str] = []
        for step in self.steps:
            if not isinstance(step, str):
                break
            keys.append(step)
        return tuple(keys)

    @property
    def rest(self) -> tuple[Step, ...]:
        return self.steps[len(self.keys) :]


def parse_path(text: str) -> JsonPath:
    """`$.a.b`, `$.a[:]`, `$.a[:].b`, `$.a[0]`, `$.["a-b"]`; `$` is the whole document."""
    body = text.removeprefix("$")
    steps: list[Step] = []
    for match in _STEP.finditer(body):
        dotted, single, bracket, index, plain = match.groups()
        if index is not None:
            steps.append(int(index) if index.isdigit() else EACH)
        else:
            steps.append(next(key for key in (dotted, single, bracket, plain) if key is not None))
    return JsonPath(text, tuple(steps))


def pointer(steps: tuple[Step, ...]) -> str:
    """The path as a DuckDB string literal."""
    text = "$"
    for step in steps:
        if isinstance(step, str):
            text += '."' + step.replace('"', '\\"') + '"'
        else:
            text += "[*]" if step is EACH else f"[{step}]"
    return duckdb_string(text)


def extract(document: str, steps: tuple[Step, ...], *, text: bool) -> str:
    """SQL of the value at `steps` in the JSON `document`: a VARCHAR of JSON text, or bare text when `text` is true.

    NULL where there is no value, where it is `null`, or where an array is expected and none stands.
    """
    if EACH in steps:
        return _extract_each(document, steps)
    if text:
        return f"({document}->>{pointer(steps)})"
    return f"nullif(CAST(({document}->{pointer(steps)}) AS VARCHAR), 'null')"


def _extract_each(document: str, steps: tuple[Step, ...]) -> str:
    before = steps[: steps.index(EACH)]
    is_array = f"json_type({document}, {pointer(before)}) = 'ARRAY'"
    if steps[-1] is EACH and steps.count(EACH) == 1:
        return f"CASE WHEN {is_array} THEN CAST(({document}->{pointer(before)}) AS VARCHAR) END"
    return f"CASE WHEN {is_array} THEN CAST(to_json({document}->{pointer(steps)}) AS VARCHAR) END"
