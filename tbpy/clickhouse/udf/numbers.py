"""Functions of numbers that DuckDB's SQL does not have."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext

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


def decimal_string(number: str, digits: int, exact: bool) -> str:
    """The digits of a whole number or decimal (`exact`), or those of the double that a text is the shortest form of."""
    value = Decimal(number) if exact else Decimal(float(number))
    if not value.is_finite():
        return str(float(value))
    with localcontext(prec=400):
        return f"{value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def conv(number: str, source: int, target: int) -> str:
    """The digits that a text begins with, as an unsigned 64-bit number, in another base."""
    text = number.strip(" ").upper()
    if not text:
        raise ValueError("BAD_ARGUMENTS: Number for conversion is empty")
    value = 0
    for character in text.lstrip("+-"):
        digit = _DIGITS.find(character)
        if not 0 <= digit < source:
            break
        value = value * source + digit
    value = min(value, (1 << 64) - 1)
    return _in_base((-value if text.startswith("-") else value) % (1 << 64), target)


def _in_base(value: int, base: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = _DIGITS[digit] + digits
    return digits or "0"


#: Bases by which the test of Miller and Rabin is certain below 2^64
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


def is_prime(number: int) -> bool:
    if number < 2 or any(number % prime == 0 for prime in _WITNESSES):
        return number in _WITNESSES
    odd, twos = number - 1, 0
    while not odd & 1:
        odd, twos = odd >> 1, twos + 1
    return all(_passes(number, base, odd, twos) for base in _WITNESSES)


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


FUNCTIONS = {
    "tb_is_prime": Udf(is_prime, ("UBIGINT",), "BOOLEAN"),
    "tb_erf": Udf(math.erf, ("DOUBLE",), "DOUBLE"),
    "tb_erfc": Udf(math.erfc, ("DOUBLE",), "DOUBLE"),
    "tb_conv": Udf(conv, ("VARCHAR", "INTEGER", "INTEGER"), "VARCHAR"),
    "tb_decimal_string": Udf(decimal_string, ("VARCHAR", "INTEGER", "BOOLEAN"), "VARCHAR"),
    "tb_readable_time": Udf(readable_time, ("DOUBLE", "VARCHAR", "VARCHAR"), "VARCHAR"),
}
