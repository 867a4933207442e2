"""Numbers of 256 bits, kept as text: whole ones, and decimals of up to 76 digits with all digits of their scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import add, and_, mul, or_, sub, xor

from tbpy.clickhouse.udf import Udf

_RANGE = 1 << 256
_MOST = 1 << 255
#: ClickHouse turns larger floats into wide numbers by rules of its own.
_LARGEST_FLOAT = float(1 << 63)


def wrapped(value: int, bits: int, signed: bool) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def digits_of(text: str) -> tuple[int, int]:
    """The digits of a number as a whole number, and how many of them stand after the point."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction), len(fraction)


def text_of(digits: int, scale: int) -> str:
    if not scale:
        return str(digits)
    text = str(abs(digits)).rjust(scale + 1, "0")
    return f"{'-' if digits < 0 else ''}{text[:-scale]}.{text[-scale:]}"


def cut(dividend: int, divisor: int) -> int:
    """The quotient cut off towards zero."""
    quotient = abs(dividend) // abs(divisor)
    return -quotient if (dividend < 0) != (divisor < 0) else quotient


def scaled(digits: int, scale: int, wanted: int) -> int:
    """The same number with so many digits after the point; what is beyond them is cut off."""
    return digits * 10 ** (wanted - scale) if wanted >= scale else cut(digits, 10 ** (scale - wanted))


def integer(text: str, bits: int, signed: bool) -> str:
    """A number as a whole one of a width: its fraction cut off, and what does not fit wraps around."""
    return str(wrapped(scaled(*digits_of(text), 0), bits, signed))


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": add, "-": sub, "*": mul, "&": and_, "|": or_, "xor": xor, "//": cut,
    "%": lambda left, right: left - right * cut(left, right),
}  # fmt: skip


def calculated(operator: str, left: str | None, right: str | None, bits: int, signed: bool) -> str | None:
    """None where the divisor is zero."""
    if left is None or right is None:
        return None
    one, other = int(left), int(right)
    if operator in ("//", "%") and not other:
        return None
    return str(wrapped(_OPERATORS[operator](one, other), bits, signed))


def decimal(text: str, scale: int) -> str:
    digits = scaled(*digits_of(text), scale)
    if not -_MOST <= digits < _MOST:
        raise ValueError("DECIMAL_OVERFLOW: Decimal math overflow")
    return text_of(digits, scale)


def decimal_read(text: str | None, precision: int, scale: int) -> str | None:
    """A text as a decimal; None where it is no number or has too many digits."""
    if text is None:
        return None
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    if not value.is_finite() or (value and value.adjusted() >= precision - scale):
        return None
    return text_of(scaled(*digits_of(f"{value:f}"), scale), scale)


def decimals(operator: str, left: str | None, right: str | None, scale: int) -> str | None:
    """Of decimals; the result wraps around as 256 bits do. None where the divisor is zero."""
    if left is None or right is None:
        return None
    (one, first), (other, second) = digits_of(left), digits_of(right)
    if operator in ("/", "%"):
        if not other:
            return None
        if operator == "/":
            digits = cut(one * 10 ** (scale + second), other * 10**first)
        else:
            digits = _OPERATORS["%"](scaled(one, first, scale), scaled(other, second, scale))
    elif operator == "*":
        digits = one * other
    else:
        digits = _OPERATORS[operator](scaled(one, first, scale), scaled(other, second, scale))
    return text_of(wrapped(digits, 256, True), scale)


_MOST_DIGITS = 10**76


def _within(digits: int, scale: int) -> str:
    if abs(digits) >= _MOST_DIGITS:
        raise ValueError("DECIMAL_OVERFLOW: Numeric overflow: result bigger that Decimal256")
    return text_of(digits, scale)


def product(left: str, right: str, scale: int) -> str:
    """Of decimals, cut off at a scale. Raises ValueError where it has more than 76 digits."""
    (one, first), (other, second) = digits_of(left), digits_of(right)
    return _within(scaled(one * other, first + second, scale), scale)


def quotient(left: str, right: str, scale: int) -> str:
    """Of decimals, cut off at a scale. Raises ValueError for a divisor of zero."""
    (one, first), (other, second) = digits_of(left), digits_of(right)
    if not other:
        raise ValueError("ILLEGAL_DIVISION: Division by zero")
    return _within(cut(one * 10 ** (scale + second), other * 10**first), scale)


def of_float(value: float, scale: int, signed: bool) -> str:
    number = value * 10.0**scale
    if not -_LARGEST_FLOAT < number < _LARGEST_FLOAT:
        raise ValueError("Conversion of so large a float to a number of 256 bits is not supported by tbpy yet")
    return text_of(wrapped(int(number), 256, signed), scale)


def total(values: Sequence[str] | None, signed: bool) -> str | None:
    """The sum of numbers of one scale; None of none."""
    if not values:
        return None
    pairs = [digits_of(value) for value in values]
    return text_of(wrapped(sum(digits for digits, _ in pairs), 256, signed), pairs[0][1])


def _away(rest: int, step: int, quotient: int, negative: bool) -> bool:
    return rest * 2 >= step


_UP: dict[str, Callable[[int, int, int, bool], bool]] = {
    "round": _away,
    "even": lambda rest, step, quotient, negative: rest * 2 > step or (rest * 2 == step and quotient % 2 == 1),
    "floor": lambda rest, step, quotient, negative: negative and rest > 0,
    "ceil": lambda rest, step, quotient, negative: not negative and rest > 0,
    "trunc": lambda rest, step, quotient, negative: False,
}


def rounded(text: str, places: int, mode: str) -> str:
    """To so many digits after the point (before it when negative), in the scale of the number."""
    digits, scale = digits_of(text)
    step, negative = 10 ** (scale - places), digits < 0
    quotient, rest = divmod(abs(digits), step)
    result = (quotient + _UP[mode](rest, step, quotient, negative)) * step
    return text_of(-result if negative else result, scale)


def shifted(text: str, places: int, signed: bool) -> str:
    """By so many bits to the left, to the right when negative."""
    value = int(text)
    return str(wrapped(value << places if places >= 0 else value >> -places, 256, signed))


def bit_count(text: str, bits: int) -> int:
    return (int(text) & ((1 << bits) - 1)).bit_count()


_V, _I, _B = "VARCHAR", "INTEGER", "BOOLEAN"


def hex_digits(text: str, bits: int, as_stored: bool) -> str:
    """Hex digits without leading zero bytes; `as_stored`, of decimals, all bytes in the order of memory."""
    number = digits_of(text)[0] & ((1 << bits) - 1)
    if as_stored:
        return number.to_bytes(bits // 8, "little").hex().upper()
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8)).hex().upper()


FUNCTIONS = {
    "tb_wide_hex": Udf(hex_digits, ("VARCHAR", "INTEGER", "BOOLEAN"), "VARCHAR"),
    "tb_wide_integer": Udf(integer, (_V, _I, _B), _V),
    "tb_wide_calculated": Udf(calculated, (_V, _V, _V, _I, _B), _V, null_handling="special"),
    "tb_wide_decimal": Udf(decimal, (_V, _I), _V),
    "tb_wide_decimal_read": Udf(decimal_read, (_V, _I, _I), _V, null_handling="special"),
    "tb_wide_decimals": Udf(decimals, (_V, _V, _V, _I), _V, null_handling="special"),
    "tb_wide_product": Udf(product, (_V, _V, _I), _V),
    "tb_wide_quotient": Udf(quotient, (_V, _V, _I), _V),
    "tb_wide_of_float": Udf(of_float, ("DOUBLE", _I, _B), _V),
    "tb_wide_total": Udf(total, ("VARCHAR[]", _B), _V, null_handling="special"),
    "tb_wide_rounded": Udf(rounded, (_V, _I, _V), _V),
    "tb_wide_bit_count": Udf(bit_count, (_V, _I), _I),
    "tb_wide_shifted": Udf(shifted, (_V, _I, _B), _V),
}
