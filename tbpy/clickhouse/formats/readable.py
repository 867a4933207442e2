"""The remark that ClickHouse puts behind a large number: `-- 12.35 million`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tbpy.clickhouse.formats.scalars import float64_text

_THRESHOLD = 1_000_000
_EXACT_DIGITS = 18
_SMALL_UNITS = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion")
_LARGE_UNITS = ("septillion", "octillion", "nonillion", "decillion", "undecillion", "duodecillion", "tredecillion")
_HUGE_UNITS = ("quattuordecillion", "quindecillion", "sexdecillion", "septendecillion", "octodecillion")
_UNITS = (*_SMALL_UNITS, *_LARGE_UNITS, *_HUGE_UNITS, "novemdecillion", "vigintillion")


def large_number_tip(value: Any) -> str:
    """` -- 12.35 million` for a number beyond a million on either side of zero, else nothing.

    Integers and decimals of more than 18 digits have no remark: ClickHouse reads the number back from its text.
    """
    if not isinstance(value, int | float | Decimal):
        return ""
    if not isinstance(value, float) and len(str(value).strip("-").replace(".", "")) > _EXACT_DIGITS:
        return ""
    number = float(value)
    if not (_THRESHOLD < abs(number) < float("inf")):
        return ""
    return f" -- {readable_quantity(number)}"


def readable_quantity(number: float) -> str:
    power = 0
    while abs(number) >= 1000 and power < len(_UNITS) - 1:
        number /= 1000
        power += 1
    digits = f"{number:.2f}" if abs(number) < 1e60 else float64_text(number)
    return f"{digits} {_UNITS[power]}"
