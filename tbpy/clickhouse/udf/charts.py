"""Series reduced for charts: a bar of block characters, and the points that keep a line's shape.

Sources: S. Steinarsson, "Downsampling Time Series for Visual Representation" (largest triangle three buckets); bars
held to recorded answers of ClickHouse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tbpy.clickhouse.udf import Udf

_BARS = " ▁▂▃▄▅▆▇█"


def spark_bar(places: Sequence[int], values: Sequence[float], width: int, limit: int, low: int, high: int) -> str:
    """One character per bucket: the mean of its values above 0, in eighths of the greatest mean.

    `limit` is the greatest number of the values' integer type, 0 for floats. Values at the same place add up. Only
    places from `low` to `high` count, all where `low` > `high`.
    """
    points: dict[int, float] = {}
    for place, value in zip(places, values, strict=True):
        if value > 0 and (low > high or low <= place <= high):
            points[place] = points.get(place, 0) + value
    if not points:
        return ""
    start, end = (low, high) if low <= high else (min(places), max(places))
    if start >= end:
        return _BARS[8]
    sums, counts = [0.0] * width, [0] * width
    for place, value in points.items():
        bucket = min(int(width / (end - start + 1) * (place - start)), width - 1)
        sums[bucket] += value
        counts[bucket] += 1
    means = [_mean(total, count, bool(limit)) for total, count in zip(sums, counts, strict=True)]
    greatest = max(means)
    if greatest <= 0:
        return ""
    return "".join(_BARS[_level(mean, greatest, limit)] for mean in means)


def _mean(total: float, count: int, whole: bool) -> float:
    if not count:
        return 0
    return total // count if whole else total / count


def _level(mean: float, greatest: float, limit: int) -> int:
    """Integers are scaled in their own type: where that would overflow ClickHouse divides first."""
    if mean <= 0:
        return 0
    if limit and mean * 7 > limit:
        return min(int(mean // (greatest // 7)) + 1, 8)
    return int(mean * 7 // greatest if limit else mean * 7 / greatest) + 1


def largest_triangles(places: Sequence[float], values: Sequence[float], most: int) -> list[int]:
    """The places (from 1) of the points that stay, in order of x: of each bucket the one of the largest triangle."""
    order = sorted(range(len(places)), key=places.__getitem__)
    count = len(order)
    if count <= most:
        return [place + 1 for place in order]
    if most < 3:
        return [order[0] + 1, order[-1] + 1][:most]
    size = (count - 2) / (most - 2)
    kept = [order[0]]
    for bucket in range(most - 2):
        start, end = 1 + math.floor(size * bucket), 1 + math.floor(size * (bucket + 1))
        after = order[end : min(1 + math.floor(size * (bucket + 2)), count)]
        x, y = (math.fsum(axis[place] for place in after) / len(after) for axis in (places, values))
        left, base = places[kept[-1]], values[kept[-1]]
        areas = [abs((left - x) * (values[p] - base) - (left - places[p]) * (y - base)) for p in order[start:end]]
        kept.append(order[start + areas.index(max(areas))])
    return [place + 1 for place in (*kept, order[-1])]


FUNCTIONS = {
    "tb_spark_bar": Udf(spark_bar, ("HUGEINT[]", "DOUBLE[]", "INTEGER", "HUGEINT", "HUGEINT", "HUGEINT"), "VARCHAR"),
    "tb_largest_triangles": Udf(largest_triangles, ("DOUBLE[]", "DOUBLE[]", "INTEGER"), "BIGINT[]"),
}
