"""Known texts as values of other types, by ClickHouse's rules of reading; what is not known is read by DuckDB SQL."""

from __future__ import annotations

import math
import re
from decimal import ROUND_DOWN, Decimal

from tbpy.clickhouse import types as t

INTEGER = re.compile(r"[+-]?[0-9]+\Z")
UNSIGNED = re.compile(r"\+?[0-9]+\Z")
FLOAT = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|inf|infinity|nan)\Z", re.IGNORECASE
)
TRUE_WORDS = ("true", "t", "yes", "y", "on", "enable", "enabled", "1")
FALSE_WORDS = ("false", "f", "no", "n", "off", "disable", "disabled", "0")
UUID_TEXT = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z|[0-9a-fA-F]{32}\Z"
)

#: The same as DuckDB patterns, for regexp_full_match.
INTEGER_SQL = "'[+-]?[0-9]+'"
UNSIGNED_SQL = "'[+]?[0-9]+'"
FLOAT_SQL = "'[+-]?([0-9]+[.]?[0-9]*([eE][+-]?[0-9]+)?|[.][0-9]+([eE][+-]?[0-9]+)?|(?i:inf|infinity|nan))'"
DECIMAL_SQL = "'[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)'"
UUID_SQL = "'[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}'"


def read_integer(text: str, type_: t.Int) -> int | None:
    """The number, perhaps out of the type's range; None when the text is no number of that kind."""
    return int(text) if (INTEGER if type_.signed else UNSIGNED).match(text) else None


def read_float(text: str) -> float | None:
    return float(text) if FLOAT.match(text) else None


def read_bool(text: str) -> bool | None:
    word = text.lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def read_decimal(text: str, type_: t.Decimal) -> Decimal | None:
    """The number with the digits beyond the scale cut off; None when it is none or does not fit."""
    value = read_float(text)
    if value is None or math.isnan(value) or "inf" in text.lower():
        return None
    return fit_decimal(Decimal(text), type_)


def fit_decimal(value: Decimal, type_: t.Decimal) -> Decimal | None:
    if value.copy_abs() >= Decimal(10) ** (type_.precision - type_.scale):
        return None
    return scaled(value, type_.scale)


def scaled(value: Decimal, scale: int) -> Decimal:
    """Cut off to so many digits after the point."""
    from decimal import localcontext

    with localcontext() as context:
        context.prec = 100
        return value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_DOWN)
