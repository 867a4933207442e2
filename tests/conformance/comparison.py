"""Whether an answer is the recorded one: names, types, values, totals and the number of rows.

Floats compare with a relative tolerance, everything else exactly, the order of keys in an object too. Rows whose order
the query leaves open compare as a multiset.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Answer:
    """`meta` are (name, type) of each column, rows are lists of JSON values in that order."""

    meta: tuple[tuple[str, str], ...]
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Any] | None = None

    @classmethod
    def of_json(cls, found: dict[str, Any]) -> Answer:
        """The content of FORMAT JSON."""
        totals = found.get("totals")
        meta = tuple((column["name"], column["type"]) for column in found["meta"])
        rows = [list(row.values()) for row in found["data"]]
        return cls(meta, rows, None if totals is None else list(totals.values()))


def difference(want: Answer, got: Answer, *, ordered: bool) -> str | None:
    """The first difference in words, None when there is none."""
    return (
        _meta_difference(want, got)
        or _rows_difference(want, got, ordered)
        or _row_difference("totals", want, want.totals, got.totals)
    )


def _meta_difference(want: Answer, got: Answer) -> str | None:
    if len(want.meta) != len(got.meta):
        return f"{len(want.meta)} columns, got {len(got.meta)}"
    for (name, type_), (got_name, got_type) in zip(want.meta, got.meta, strict=True):
        if name != got_name:
            return f"name {name!r}, got {got_name!r}"
        if type_ != got_type:
            return f"{name}: type {type_}, got {got_type}"
    return None


def _rows_difference(want: Answer, got: Answer, ordered: bool) -> str | None:
    if len(want.rows) != len(got.rows):
        return f"{len(want.rows)} rows, got {len(got.rows)}"
    # Equal names collapse into one key of a JSON object, so only the last of such columns can be compared.
    kept = list({name: index for index, (name, _) in enumerate(want.meta)}.values())
    if want.rows and len(want.rows[0]) < len(want.meta):
        got = Answer(tuple(got.meta[i] for i in kept), [[row[i] for i in kept] for row in got.rows], got.totals)
        want = Answer(got.meta, want.rows, want.totals)
    wanted, gotten = (want.rows, got.rows) if ordered else _paired(want.rows, got.rows)
    for number, (row, got_row) in enumerate(zip(wanted, gotten, strict=True), start=1):
        found = _row_difference(f"row {number}", want, row, got_row)
        if found is not None:
            return found
    return None


def _paired(want: Sequence[Sequence[Any]], got: Sequence[Sequence[Any]]) -> tuple[list[Any], list[Any]]:
    """Both sides in an order of their own texts; rows that floats put out of step are matched one by one."""
    wanted, gotten = sorted(want, key=_sort_key), sorted(got, key=_sort_key)
    if all(map(same, wanted, gotten)):
        return wanted, gotten
    left = list(gotten)
    pairs: list[tuple[Any, Any]] = []
    missing = []
    for row in wanted:
        match = next((index for index, other in enumerate(left) if same(row, other)), None)
        if match is None:
            missing.append(row)
        else:
            pairs.append((row, left.pop(match)))
    pairs = [*zip(missing, left, strict=True), *pairs]
    return [a for a, _ in pairs], [b for _, b in pairs]


def _sort_key(row: Any) -> str:
    if isinstance(row, float):
        return f"{row:.6g}"
    if isinstance(row, list | tuple):
        return "[" + ",".join(map(_sort_key, row)) + "]"
    return f"{row:.6g}" if isinstance(row, int) and not isinstance(row, bool) else repr(row)


def _row_difference(where: str, answer: Answer, row: Sequence[Any] | None, got: Sequence[Any] | None) -> str | None:
    if row is None or got is None:
        return None if row is got else f"{where}: {shown(row)}, got {shown(got)}"
    for (name, _), value, got_value in zip(answer.meta, row, got, strict=False):
        if not same(value, got_value):
            return f"{where}, {name}: {shown(value)}, got {shown(got_value)}"
    return None


def same(want: Any, got: Any) -> bool:
    if isinstance(want, bool) or isinstance(got, bool):
        return want is got
    if isinstance(want, float) or isinstance(got, float):
        return _close(want, got)
    if isinstance(want, list | tuple) and isinstance(got, list | tuple):
        return len(want) == len(got) and all(map(same, want, got))
    if isinstance(want, dict) and isinstance(got, dict):
        return list(want) == list(got) and all(map(same, want.values(), got.values()))
    return type(want) is type(got) and bool(want == got)


def _close(want: Any, got: Any) -> bool:
    if not isinstance(want, int | float) or not isinstance(got, int | float):
        return False
    return want == got or math.isclose(want, got, rel_tol=TOLERANCE)


def shown(value: Any, width: int = 160) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
