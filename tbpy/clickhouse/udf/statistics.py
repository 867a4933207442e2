"""Statistical tests.

Source: W. Press et al., "Numerical Recipes" (incomplete beta function); held to recorded answers of ClickHouse.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import NormalDist

from tbpy.clickhouse.udf import Udf

NAN = math.nan
Pair = dict[str, float]


# --- tests of two samples ---


def _split(values: Sequence[float], second: Sequence[float]) -> tuple[list[float], list[float]]:
    pairs = list(zip(values, second, strict=True))
    return [value for value, other in pairs if not other], [value for value, other in pairs if other]


def _moments(sample: list[float]) -> tuple[int, float, float]:
    """The size, the mean, and the sum of squares about it."""
    mean = math.fsum(sample) / len(sample)
    return len(sample), mean, math.fsum((value - mean) ** 2 for value in sample)


def _t_result(difference: float, error: float, freedom: float, level: float) -> list[float]:
    """Statistic and p-value of Student's distribution, and the interval of the difference at a confidence level."""
    statistic = _divide(difference, error)
    if math.isnan(statistic):
        return [NAN] * 4
    margin = student_quantile(0.5 + level / 2, freedom) * error if level else NAN
    return [statistic, _two_sided(statistic, freedom), difference - margin, difference + margin]


def _two_sided(statistic: float, freedom: float) -> float:
    p_value = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + statistic * statistic))
    return min(max(p_value, 0.0), 1.0)


def student_quantile(level: float, freedom: float) -> float:
    """The value below which Student's distribution has a share `level` above one half."""
    low, high = 0.0, 1.0
    while 1 - _two_sided(high, freedom) / 2 < level:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if 1 - _two_sided(middle, freedom) / 2 < level else (low, middle)
    return (low + high) / 2


def _divide(dividend: float, divisor: float) -> float:
    if divisor:
        return dividend / divisor
    return NAN if not dividend else math.copysign(math.inf, dividend)


def student_t_test(values: Sequence[float], second: Sequence[float], level: float) -> list[float]:
    left, right = _split(values, second)
    if not left or not right or len(left) + len(right) <= 2:
        return [NAN] * 4
    (n, mean_left, squares_left), (m, mean_right, squares_right) = _moments(left), _moments(right)
    freedom = n + m - 2
    error = math.sqrt((squares_left + squares_right) / freedom * (1 / n + 1 / m))
    return _t_result(mean_left - mean_right, error, freedom, level)


def welch_t_test(values: Sequence[float], second: Sequence[float], level: float) -> list[float]:
    left, right = _split(values, second)
    if len(left) < 2 or len(right) < 2:
        return [NAN] * 4
    (n, mean_left, squares_left), (m, mean_right, squares_right) = _moments(left), _moments(right)
    part_left, part_right = squares_left / (n - 1) / n, squares_right / (m - 1) / m
    error = part_left + part_right
    if not error:
        return [NAN] * 4
    freedom = error**2 / (part_left**2 / (n - 1) + part_right**2 / (m - 1))
    return _t_result(mean_left - mean_right, math.sqrt(error), freedom, level)


def one_sample_t_test(values: Sequence[float], expected: Sequence[float]) -> list[float]:
    if len(values) < 2:
        return [NAN, NAN]
    n, mean, squares = _moments(list(values))
    return _t_result(mean - expected[0], math.sqrt(squares / (n - 1) / n), n - 1, 0.0)[:2]


def mean_z_test(
    values: Sequence[float], second: Sequence[float], left_variance: float, right_variance: float, level: float
) -> list[float]:
    left, right = _split(values, second)
    if not left or not right:
        return [NAN] * 4
    difference = math.fsum(left) / len(left) - math.fsum(right) / len(right)
    error = math.sqrt(left_variance / len(left) + right_variance / len(right))
    statistic = _divide(difference, error)
    margin = NormalDist().inv_cdf(0.5 + level / 2) * error
    return [statistic, math.erfc(abs(statistic) / math.sqrt(2)), difference - margin, difference + margin]


def analysis_of_variance(values: Sequence[float], groups: Sequence[float]) -> list[float]:
    samples: dict[float, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        samples.setdefault(group, []).append(value)
    count = len(values)
    between, within = len(samples) - 1, count - len(samples)
    if between < 1 or within < 1:
        return [NAN, NAN]
    mean = math.fsum(values) / count
    moments = [_moments(sample) for sample in samples.values()]
    explained = math.fsum(size * (own - mean) ** 2 for size, own, _ in moments) / between
    statistic = _divide(explained, math.fsum(squares for *_, squares in moments) / within)
    share = within / (within + between * statistic)
    return [statistic, incomplete_beta(within / 2, between / 2, share)]


def kolmogorov_smirnov_test(values: Sequence[float], second: Sequence[float]) -> list[float]:
    """The largest distance of two empirical distributions, and its exact p-value by counting lattice paths."""
    left, right = _split(values, second)
    if not left or not right:
        return [NAN, NAN]
    left.sort()
    right.sort()
    n, m = len(left), len(right)
    distance = max(abs(bisect_right(left, x) / n - bisect_right(right, x) / m) for x in (*left, *right))
    limit = (0.5 + math.floor(distance * n * m - 1e-7)) / (n * m)
    paths = [0.0 if j / m > limit else 1.0 for j in range(m + 1)]
    for i in range(1, n + 1):
        weight = i / (i + m)
        paths[0] = 0.0 if i / n > limit else weight * paths[0]
        for j in range(1, m + 1):
            paths[j] = 0.0 if abs(i / n - j / m) > limit else weight * paths[j] + paths[j - 1]
    return [distance, min(max(1 - paths[m], 0.0), 1.0)]


def gini(values: Sequence[float]) -> float | None:
    """The mean distance of two values over twice their mean."""
    total = math.fsum(values)
    if not values or not total:
        return None
    count = len(values)
    ordered = sorted(values)
    weighed = math.fsum((2 * place - count + 1) * value for place, value in enumerate(ordered))
    return weighed / (count * total)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), tiny)
    result = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / (1 + step * d or tiny)
            c = 1 + step / c or tiny
            result *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return result


def ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """The rank of each value, ties sharing their mean rank, and the correction for ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found, ties, start = [0.0] * len(values), 0.0, 0
    while start < len(order):
        end = start + 1  # NaN is not even equal to itself
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            found[place] = (start + 1 + end) / 2
        ties += (end - start) ** 3 - (end - start)
        start = end
    count = len(values)
    return found, 1 - ties / (count**3 - count) if count > 1 else 1.0


def mann_whitney_u_test(values: Sequence[float], second: Sequence[float], alternative: str, correction: int) -> Pair:
    left, right = _split(values, second)
    if not left or not right:
        return {"u_statistic": NAN, "p_value": NAN}
    found, ties = ranks([*left, *right])
    n, m = len(left), len(right)
    first = n * m + n * (n + 1) / 2 - sum(found[:n])
    other = n * m - first
    spread = math.sqrt(ties * n * m * (n + m + 1) / 12)
    statistic = {"greater": other, "less": first}.get(alternative, max(first, other))
    distance = (statistic - n * m / 2 - 0.5 * correction) / spread if spread else 0.0
    tail = 0.5 * math.erfc((abs(distance) if alternative == "two-sided" else distance) / math.sqrt(2))
    return {"u_statistic": other, "p_value": 2 * tail if alternative == "two-sided" else tail}


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float | None:
    count = len(left)
    if count < 2:
        return None
    if all(map(math.isnan, left)) or all(map(math.isnan, right)):
        return NAN
    numbers = [pair for pair in zip(left, right, strict=True) if not any(map(math.isnan, pair))]
    if len(numbers) < 2:
        return NAN
    found = _spearman([one for one, _ in numbers], [other for _, other in numbers])
    if len(numbers) < count and abs(found) != 1:  # what ClickHouse makes of NaN among these is not known
        raise ValueError("NOT_IMPLEMENTED: rankCorr of NaN beside numbers is not supported by tbpy")
    return found


def _spearman(left: Sequence[float], right: Sequence[float]) -> float:
    count = len(left)
    (first, _), (second, _) = ranks(left), ranks(right)
    squares = math.fsum((one - other) ** 2 for one, other in zip(first, second, strict=True))
    return 1 - 6 * squares / (count * (count**2 - 1))


_U_TEST = "STRUCT(u_statistic DOUBLE, p_value DOUBLE)"

FUNCTIONS = {
    "tb_student_t_test": Udf(student_t_test, ("DOUBLE[]", "DOUBLE[]", "DOUBLE"), "DOUBLE[]"),
    "tb_welch_t_test": Udf(welch_t_test, ("DOUBLE[]", "DOUBLE[]", "DOUBLE"), "DOUBLE[]"),
    "tb_one_sample_t_test": Udf(one_sample_t_test, ("DOUBLE[]", "DOUBLE[]"), "DOUBLE[]"),
    "tb_mean_z_test": Udf(mean_z_test, ("DOUBLE[]", "DOUBLE[]", "DOUBLE", "DOUBLE", "DOUBLE"), "DOUBLE[]"),
    "tb_analysis_of_variance": Udf(analysis_of_variance, ("DOUBLE[]", "DOUBLE[]"), "DOUBLE[]"),
    "tb_kolmogorov_smirnov_test": Udf(kolmogorov_smirnov_test, ("DOUBLE[]", "DOUBLE[]"), "DOUBLE[]"),
    "tb_gini": Udf(gini, ("DOUBLE[]",), "DOUBLE", "special"),
    "tb_mann_whitney_u_test": Udf(mann_whitney_u_test, ("DOUBLE[]", "DOUBLE[]", "VARCHAR", "INTEGER"), _U_TEST),
    "tb_rank_correlation": Udf(rank_correlation, ("DOUBLE[]", "DOUBLE[]"), "DOUBLE", "special"),
}
