"""Functions of numbers that DuckDB's SQL does not have."""

from __future__ import annotations

import math

from tbpy.clickhouse.formats.scalars import float64_text
from tbpy.clickhouse.udf import Udf

#: Seconds of each unit, largest first; a year has 365 days and a month 30.5.
_UNITS = (
    ("years", 31536000.0),
    ("months", 2635200.0),
    ("days", 86400.0),
    ("hours", 3600.0),
    ("minutes", 60.0),
    ("seconds", 1.0),
    ("milliseconds", 1e-3),
    ("microseconds", 1e-6),
    ("nanoseconds", 1e-9),
)
UNIT_NAMES = tuple(name for name, _ in _UNITS)


def readable_time(seconds: float, largest: str, smallest: str) -> str:
    """`1 hour, 2 minutes and 3 seconds`, in units from `largest` to `smallest`; the rest below is cut off."""
    if not math.isfinite(seconds):
        return "nan" if math.isnan(seconds) else ("-" if seconds < 0 else "") + "inf"
    first, last = UNIT_NAMES.index(largest), UNIT_NAMES.index(smallest)
    sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
    if rest + 1 == rest:  # seconds are no longer counted apart: only the largest unit is told
        return f"{sign}{float64_text(math.floor(rest / _UNITS[first][1]) * 1.0)} {largest}"
    # Whole nanoseconds, so that 1.1 seconds are 100 milliseconds and not 99.
    whole = int(rest)
    ticks = whole * 10**9 + round((rest - whole) * 1e9)
    parts = []
    for name, size in _UNITS[first : last + 1]:
        count, ticks = divmod(ticks, round(size * 1e9))
        if count:
            parts.append(f"{count} {name if count != 1 else name[:-1]}")
    if not parts:
        return f"0 {smallest}"
    text = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return sign + text


FUNCTIONS = {
    "tb_erf": Udf(math.erf, ("DOUBLE",), "DOUBLE"),
    "tb_erfc": Udf(math.erfc, ("DOUBLE",), "DOUBLE"),
    "tb_readable_time": Udf(readable_time, ("DOUBLE", "VARCHAR", "VARCHAR"), "VARCHAR"),
}
