"""Moments in single precision: over Float32 ClickHouse sums and computes in Float32, and its digits show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from ctypes import c_float

from tbpy.clickhouse.udf import Udf


class Single:
    """A number whose arithmetic rounds to single precision after every step."""

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = c_float(value).value

    def __add__(self, other: Single) -> Single:
        return Single(self.value + other.value)

    def __sub__(self, other: Single) -> Single:
        return Single(self.value - other.value)

    def __mul__(self, other: Single) -> Single:
        return Single(self.value * other.value)

    def __truediv__(self, other: Single) -> Single:
        return Single(self.value / other.value) if other.value else Single(math.nan)


_ONE, _TWO, _THREE, _FOUR, _SIX = (Single(number) for number in (1, 2, 3, 4, 6))


def _powers(values: Sequence[float], degree: int) -> list[Single]:
    """The count and the sums of powers up to `degree`."""
    sums = [Single(0) for _ in range(degree + 1)]
    for number in values:
        value, power = Single(number), _ONE
        for exponent in range(degree + 1):
            sums[exponent] = sums[exponent] + power
            power = power * value
    return sums


def _variance(m: list[Single], *, sample: bool) -> Single:
    count = m[0] - _ONE if sample else m[0]
    if count.value <= 0:
        return Single(math.nan)
    value = (m[2] - m[1] * m[1] / m[0]) / count
    return value if value.value > 0 else Single(0)


def _third(m: list[Single]) -> Single:
    return (m[3] - (_THREE * m[2] - _TWO * m[1] * m[1] / m[0]) * m[1] / m[0]) / m[0]


def _fourth(m: list[Single]) -> Single:
    inner = (_SIX * m[2] - _THREE * m[1] * m[1] / m[0]) * m[1] / m[0]
    return (m[4] - (_FOUR * m[3] - inner) * m[1] / m[0]) / m[0]


def moment(function: str, values: Sequence[float]) -> float:
    """stddevPop, varSamp, skewPop, kurtSamp and their like; NaN where there are too few values."""
    kind, sample = function[:-4] if function.endswith("Samp") else function[:-3], function.endswith("Samp")
    degree = {"skew": 3, "kurt": 4}.get(kind, 2)
    sums = _powers(values, degree)
    variance = _variance(sums, sample=sample)
    if kind == "var":
        return variance.value
    if kind == "stddev":
        return Single(math.sqrt(variance.value)).value
    if not variance.value > 0:
        return math.nan
    if kind == "skew":
        return (_third(sums) / Single(variance.value**1.5)).value
    return (_fourth(sums) / Single(variance.value**2)).value


def pair_moment(function: str, left: Sequence[float], right: Sequence[float]) -> float:
    """covarPop, covarSamp and corr."""
    count, x, y, xy, xx, yy = (Single(0) for _ in range(6))
    for first, second in zip(map(Single, left), map(Single, right), strict=True):
        count, x, y, xy = count + _ONE, x + first, y + second, xy + first * second
        xx, yy = xx + first * first, yy + second * second
    if function == "corr":
        product = (count * xx - x * x) * (count * yy - y * y)
        if not product.value > 0:
            return math.nan
        return min(max(((count * xy - x * y) / Single(math.sqrt(product.value))).value, -1.0), 1.0)
    return ((xy - x * y / count) / (count - _ONE if function == "covarSamp" else count)).value


FUNCTIONS = {
    "tb_single_moment": Udf(moment, ("VARCHAR", "FLOAT[]"), "FLOAT"),
    "tb_single_pair_moment": Udf(pair_moment, ("VARCHAR", "FLOAT[]", "FLOAT[]"), "FLOAT"),
}
