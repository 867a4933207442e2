"""Amounts that people write with units: spans of time and sizes of data.

Source: ClickHouse documentation of parseTimeDelta and parseReadableSize, and answers of a ClickHouse.
"""

from __future__ import annotations

import math
import re

from tbpy.clickhouse.udf import Udf

_SPANS: dict[str, float] = {
    name: size
    for size, names in (
        (31536000.0, "years year yr y"),
        (2635200.0, "months month mo"),
        (604800.0, "weeks week w"),
        (86400.0, "days day d"),
        (3600.0, "hours hour hr h"),
        (60.0, "minutes minute min m"),
        (1.0, "seconds second sec s"),
        (1e-3, "milliseconds millisecond millisec ms"),
        (1e-6, "microseconds microsecond microsec μs us"),
        (1e-9, "nanoseconds nanosecond nanosec ns"),
    )
    for name in names.split()
}
_SPAN = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([a-zμ]+)\s*(?:and\s+|[;\-+,:]\s*|\.\s*$)?", re.I)


def time_delta(text: str) -> float:
    """Seconds. Raises ValueError for what is no span of time."""
    place, seconds = 0, 0.0
    if not text.strip():
        raise ValueError(
            f'BAD_ARGUMENTS: Invalid argument of function parseTimeDelta, no valid characters, str: "{text}"'
        )
    while place < len(text):
        found = _SPAN.match(text, place)
        size = _SPANS.get(found[2].lower()) if found is not None else None
        if found is None or size is None:
            raise ValueError(f'BAD_ARGUMENTS: Invalid argument of function parseTimeDelta, str: "{text}"')
        seconds += float(found[1]) * size
        place = found.end()
    return seconds


_UNITS: dict[str, int] = {
    **{unit: 1024**power for power, unit in enumerate(("b", "kib", "mib", "gib", "tib", "pib", "eib"))},
    **{unit: 1000**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb", "pb", "eb"))},
}
_SIZE = re.compile(r"(-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|-?inf|nan)\s*(.*)", re.A | re.I | re.S)


def readable_size(text: str) -> int:
    """Bytes, rounded up. Raises ValueError for what is no size."""
    found = _SIZE.fullmatch(text)
    start = "Invalid expression for function parseReadableSize -"
    if text[:1].isspace():
        raise ValueError(f'CANNOT_PARSE_INPUT_ASSERTION_FAILED: {start} Leading whitespace is not allowed ("{text}")')
    if found is None:
        raise ValueError(f'CANNOT_PARSE_NUMBER: {start} Unable to parse readable size numeric component ("{text}")')
    number = float(found[1])
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"BAD_ARGUMENTS: {start} Negative or not finite sizes are not allowed ({found[1]})")
    unit = found[2].lower()
    if unit not in _UNITS:
        raise ValueError(f'CANNOT_PARSE_TEXT: {start} Unknown readable size unit ("{unit}")')
    return min(math.ceil(number * _UNITS[unit]), (1 << 64) - 1)


def readable_size_or_none(text: str | None) -> int | None:
    try:
        return None if text is None else readable_size(text)
    except ValueError:
        return None


FUNCTIONS = {
    "tb_time_delta": Udf(time_delta, ("VARCHAR",), "DOUBLE"),
    "tb_readable_bytes": Udf(readable_size, ("VARCHAR",), "UBIGINT"),
    "tb_readable_bytes_or_none": Udf(readable_size_or_none, ("VARCHAR",), "UBIGINT", null_handling="special"),
}
