"""The adaptive histogram.

Source: Y. Ben-Haim, E. Tom-Tov, "A Streaming Parallel Decision Tree Algorithm"; held to recorded answers of ClickHouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from tbpy.clickhouse.udf import Udf


def histogram(values: Sequence[float], most: int) -> list[dict[str, float]]:
    """At most `most` bins; each value is a point, and the closest points are fused when there are too many."""
    points: list[tuple[float, float]] = []
    for value in values:
        points.append((value, 1.0))
        if len(points) >= 2 * most:
            points = _fuse(points, most)
    points = _fuse(points, most)
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    bins = []
    for place, (mean, weight) in enumerate(points):
        before = points[place - 1] if place else None
        after = points[place + 1] if place + 1 < len(points) else None
        left = low if before is None else (before[0] + mean) / 2
        right = high if after is None else (mean + after[0]) / 2
        sides = (weight if before is None else before[1]) + (weight if after is None else after[1])
        bins.append({"1": left, "2": right, "3": 0.75 * weight + 0.125 * sides})
    return bins


def _unique(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points in order, those at the same place as one."""
    found: list[tuple[float, float]] = []
    for mean, weight in points:
        if found and found[-1][0] == mean:
            found[-1] = (mean, found[-1][1] + weight)
        else:
            found.append((mean, weight))
    return found


def _fuse(points: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    points = _unique(sorted(points, key=lambda point: point[0]))
    count = len(points)
    if count <= most:
        return points
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))
    alive = [True] * count + [False]
    queue = [(points[place + 1][0] - points[place][0], place) for place in range(count - 1)]
    heapify(queue)
    left = count
    while left > most and queue:
        distance, place = heappop(queue)
        other = after[place]
        if not (alive[place] and alive[other]) or points[other][0] - points[place][0] != distance:
            continue
        (mean, weight), (near, extra) = points[place], points[other]
        points[place] = (mean + extra * (near - mean) / (extra + weight), extra + weight)
        alive[other], after[place] = False, after[other]
        if after[other] < count:
            before[after[other]] = place
            heappush(queue, (points[after[other]][0] - points[place][0], place))
        if before[place] >= 0:
            heappush(queue, (points[place][0] - points[before[place]][0], before[place]))
        left -= 1
    return [point for place, point in enumerate(points) if alive[place]]


FUNCTIONS = {
    "tb_histogram": Udf(histogram, ("DOUBLE[]", "INTEGER"), 'STRUCT("1" DOUBLE, "2" DOUBLE, "3" DOUBLE)[]'),
}
