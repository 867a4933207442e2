"""Numbers that A/B tests need, by the normal distribution, and outliers of a series.

Source: ClickHouse documentation of minSampleSizeContinuous, minSampleSizeConversion, proportionsZTest and
seriesOutliersDetectTukey, and its answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, erfc, inf, nan, sqrt
from statistics import NormalDist

from tbpy.clickhouse.udf import Udf

_NORMAL = NormalDist()


def sample_size_of_means(baseline: float, sigma: float, effect: float, power: float, alpha: float) -> list[float]:
    """The size of one group, and the bounds of what it cannot detect; `effect` is a share of the baseline."""
    least = abs(baseline * effect)
    if not least > 0:
        return [inf, baseline, baseline] if effect else [nan, nan, nan]
    error, missed = _NORMAL.inv_cdf(1 - alpha / 2), _NORMAL.inv_cdf(power)
    size = 2 * sigma * sigma * (error + missed) * (error + missed) / (least * least)
    return [size, baseline * (1 - effect), baseline * (1 + effect)]


def sample_size_of_shares(share: float, effect: float, power: float, alpha: float) -> list[float]:
    """The same for shares; `effect` is a difference of two shares."""
    if not effect:
        return [nan, nan, nan]
    other = share + effect
    mean = (share + other) / 2
    error, missed = _NORMAL.inv_cdf(1 - alpha / 2), _NORMAL.inv_cdf(power)
    spreads = 2 * mean * (1 - mean), share * (1 - share) + other * (1 - other)
    if min(spreads) < 0:
        return [nan, share - effect, share + effect]
    inside = error * sqrt(spreads[0]) + missed * sqrt(spreads[1])
    return [inside * inside / (effect * effect), share - effect, share + effect]


def proportions_z_test(
    hits: int, other_hits: int, trials: int, other_trials: int, confidence: float, pooled: bool
) -> list[float]:
    """z, its p value, and the bounds of the difference of two shares; all NaN where there is no spread."""
    if not trials or not other_trials:
        return [nan] * 4
    share, other = hits / trials, other_hits / other_trials
    spread = sqrt(share * (1 - share) / trials + other * (1 - other) / other_trials)
    tested = spread
    if pooled:
        both = (hits + other_hits) / (trials + other_trials)
        tested = sqrt(both * (1 - both) * (1 / trials + 1 / other_trials))
    if not tested or not spread:
        return [nan] * 4
    z, apart = (share - other) / tested, share - other
    reach = _NORMAL.inv_cdf((1 + confidence) / 2) * spread
    return [z, erfc(abs(z) / sqrt(2)), apart - reach, apart + reach]


def tukey_outliers(values: Sequence[float], low: float, high: float, reach: float) -> list[float]:
    """How far each value lies outside of Tukey's fences; 0 inside. Raises ValueError for less than four values."""
    if len(values) < 4:
        text = "At least four data points are needed for function seriesOutliersDetectTukey"
        raise ValueError(f"BAD_ARGUMENTS: {text}")
    ordered = sorted(values)
    first, last = _quantile(ordered, low), _quantile(ordered, high)
    fence = (last - first) * reach
    return [min(0.0, value - (first - fence)) + max(0.0, value - (last + fence)) for value in values]


def _quantile(ordered: Sequence[float], level: float) -> float:
    """The value at a place, the mean of two where the place is between them."""
    place = len(ordered) * level
    if place == int(place):
        return (ordered[int(place) - 1] + ordered[int(place)]) / 2
    return ordered[ceil(place) - 1]


_DOUBLES = ("DOUBLE",) * 5

FUNCTIONS = {
    "tb_sample_size_of_means": Udf(sample_size_of_means, _DOUBLES, "DOUBLE[]"),
    "tb_sample_size_of_shares": Udf(sample_size_of_shares, _DOUBLES[1:], "DOUBLE[]"),
    "tb_proportions_z_test": Udf(
        proportions_z_test, ("UBIGINT", "UBIGINT", "UBIGINT", "UBIGINT", "DOUBLE", "BOOLEAN"), "DOUBLE[]"
    ),
    "tb_tukey_outliers": Udf(tukey_outliers, ("DOUBLE[]", "DOUBLE", "DOUBLE", "DOUBLE"), "DOUBLE[]"),
}
