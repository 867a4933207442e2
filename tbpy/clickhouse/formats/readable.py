"""The remark that ClickHouse puts behind a large number: `-- 12.35 million`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_THRESHOLD = 1_000_000
_UNITS = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion", "septillion")


def large_number_tip(value: Any) -> str:
    """` -- 12.35 million` for a number beyond a million on either side of zero, else nothing."""
    if not isinstance(value, int | float | Decimal):
        return ""
    number = float(value)
    if not (_THRESHOLD < abs(number) < float("inf")):
        return ""
    power = 0
    while abs(number) >= 1000 and power < len(_UNITS) - 1:
        number /= 1000
        power += 1
    return f" -- {number:.2f} {_UNITS[power]}"
