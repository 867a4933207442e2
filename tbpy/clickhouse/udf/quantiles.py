"""Quantile estimators that must give ClickHouse's own digits: t-digest, timing, and weighted interpolation.

Source: the published descriptions of t-digest and of ClickHouse's quantileTiming, held to recorded answers.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from ctypes import c_float
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypedDict

from tbpy.clickhouse.udf import Udf

# --- t-digest ---

_EPSILON = 0.01
_MOST_CENTROIDS = 2048
_MOST_EXACT = 20_000
_ENDS = 1_000  # values at either end of many that stay apart


def _single(value: float) -> float:
    """A number in single precision, in which ClickHouse's digest computes."""
    return c_float(value).value


class Centroids(TypedDict):
    """A digest as a state keeps it."""

    means: list[float]
    counts: list[float]


@dataclass(slots=True)
class Digest:
    """A t-digest as ClickHouse keeps it: centroids (mean, count), merged when too many have come.

    `single` rounds to ClickHouse's single precision; above some size its own threads make the last digits vary, and
    plain floats are several times as fast.
    """

    means: list[float] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)
    count: float = 0.0
    unmerged: int = 0
    single: Callable[[float], float] = _single

    def add(self, mean: float, count: float) -> None:
        if count == 0 or math.isnan(mean):
            return
        self.means.append(mean)
        self.counts.append(count)
        self.count = self.single(self.count + count)
        self.unmerged += 1
        if self.unmerged > _MOST_CENTROIDS:
            self.compress()

    def compress(self) -> None:
        """Merge neighbours while their share stays below what the digest allows at their place."""
        if not self.unmerged:
            return
        order = sorted(range(len(self.means)), key=self.means.__getitem__)
        means, counts = [self.means[i] for i in order], [self.counts[i] for i in order]
        allowed = self.single(self.single(self.count * _single(_EPSILON)) * 4)
        merged_means, merged_counts = [means[0]], [counts[0]]
        before = 0.0
        for mean, count in zip(means[1:], counts[1:], strict=True):
            left, left_count = merged_means[-1], merged_counts[-1]
            share = min(self._spread(before + left_count * 0.5), self._spread(before + left_count + count * 0.5))
            if left_count + count <= self.single(allowed * share) and _mergeable(left, mean):
                merged_counts[-1] = left_count + count
                if mean != left:
                    merged_means[-1] = self.single(
                        left + self.single(self.single(count * self.single(mean - left)) / (left_count + count))
                    )
            else:
                before = self.single(before + left_count)
                merged_means.append(mean)
                merged_counts.append(count)
        self.means, self.counts = merged_means, merged_counts
        self.count = self.single(before + merged_counts[-1])
        self.unmerged = 0

    def _spread(self, position: float) -> float:
        level = self.single(self.single(position) / self.count)
        return self.single(level * self.single(1 - level))

    def quantile(self, level: float) -> float | None:
        if not self.means:
            return None
        self.compress()
        if len(self.means) == 1:
            return self.means[0]
        wanted = level * self.count
        before, previous = 0.0, 0.0
        previous_mean, previous_count = self.means[0], self.counts[0]
        for mean, count in zip(self.means, self.counts, strict=True):
            current = before + count * 0.5
            if current >= wanted:
                left = previous + 0.5 if previous_count == 1 else previous
                right = current - 0.5 if count == 1 else current
                if wanted <= left:
                    return previous_mean
                if wanted >= right:
                    return mean
                part = (wanted - left) / (right - left)
                return self.single((1 - part) * previous_mean + part * mean)
            before += count
            previous, previous_mean, previous_count = current, mean, count
        return self.means[-1]


def _mergeable(left: float, right: float) -> bool:
    return left == right or (not math.isinf(left) and not math.isinf(right))


def digest_state(values: list[float]) -> Centroids:
    digest = _digest_of(values)
    return {"means": digest.means, "counts": digest.counts}


def _digest_of(values: list[float]) -> Digest:
    if len(values) > _MOST_EXACT:
        return _digest_of_many(sorted(values))
    digest = Digest(single=_precision(len(values)))
    for value in values:
        digest.add(value, 1.0)
    return digest


def _digest_of_many(ordered: list[float]) -> Digest:
    """At once, from the means of runs that are far shorter than centroids; the values at the ends stand alone."""
    first, last = bisect_right(ordered, -math.inf), bisect_left(ordered, math.inf)
    runs = [run for run in (ordered[:first], *_runs(ordered[first:last]), ordered[last:]) if run]
    means, counts = [sum(run) / len(run) for run in runs], [float(len(run)) for run in runs]
    digest = Digest(means, counts, float(len(ordered)), len(means), single=float)
    digest.compress()
    return digest


def _runs(ordered: list[float]) -> list[list[float]]:
    size = -(-len(ordered) // _MOST_EXACT)
    cuts = [*range(_ENDS), *range(_ENDS, max(len(ordered) - _ENDS, _ENDS), size or 1)]
    cuts += range(max(len(ordered) - _ENDS, _ENDS), len(ordered))
    return [run for start, end in zip(cuts, [*cuts[1:], len(ordered)], strict=True) if (run := ordered[start:end])]


def merged_digest(states: list[Centroids] | None) -> Centroids | None:
    """All centroids in one digest, as ClickHouse merges its states."""
    if not states:
        return None
    digest = Digest(single=_precision(sum(sum(state["counts"]) for state in states)))
    for state in states:
        for mean, count in zip(state["means"], state["counts"], strict=True):
            digest.add(mean, count)
    return {"means": digest.means, "counts": digest.counts}


def quantile_of_digest(state: Centroids | None, level: float) -> float | None:
    if state is None:
        return None
    size = sum(state["counts"])
    means, counts = list(state["means"]), list(state["counts"])
    return Digest(means, counts, size, len(means), single=_precision(size)).quantile(level)


def _precision(count: float) -> Callable[[float], float]:
    return _single if count <= _MOST_EXACT else float


def tdigest(values: list[float], level: float) -> float | None:
    return _digest_of(values).quantile(level)


def tdigest_weighted(values: list[float], weights: list[int], level: float) -> float | None:
    digest = Digest(single=_precision(len(values)))
    for value, weight in zip(values, weights, strict=True):
        digest.add(value, float(weight))
    return digest.quantile(level)


# --- timing ---

_TIMING_LIMIT = 30000
_SMALL = 1024
_STEP = 16
_EXACT_UP_TO = 2881  # so many values are kept as they are before ClickHouse turns to a histogram


def _hash32(key: int) -> int:
    """intHash32 of ClickHouse, which spreads the answers within a step."""
    mask = (1 << 64) - 1
    key = (~key + (key << 18)) & mask
    key ^= ((key >> 31) | (key << 33)) & mask
    key = key * 21 & mask
    key ^= ((key >> 11) | (key << 53)) & mask
    key = key + (key << 6) & mask
    key ^= ((key >> 22) | (key << 42)) & mask
    return key & 0xFFFFFFFF


def timing(values: list[float], level: float) -> float | None:
    """The value at `level` among times up to 30000; in steps of 16 beyond 1024 when there are many."""
    whole = sorted(int(min(value, _TIMING_LIMIT)) for value in values)
    if not whole:
        return None
    if len(whole) <= _EXACT_UP_TO:
        return float(whole[min(int(level * len(whole)), len(whole) - 1)])
    place = min(max(math.ceil(len(whole) * level), 1), len(whole))
    value = whole[place - 1]
    if value < _SMALL or value >= _TIMING_LIMIT:
        return float(value)
    step = (value - _SMALL) // _STEP
    return float(step * _STEP + _SMALL + _hash32(step) % _STEP - _STEP // 2)


# --- coarse values ---


def bfloat16(values: list[float], level: float) -> float | None:
    """The first value, cut to bfloat16, at which the counts reach their share of the whole."""
    if not values:
        return None
    cut = sorted(_cut(value) for value in values)
    return cut[max(math.ceil(len(cut) * level), 1) - 1]


def _cut(value: float) -> float:
    bits: int = struct.unpack("<I", struct.pack("<f", value))[0]
    found: float = struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0]
    return found


def sketch(values: list[float], accuracy: float, level: float) -> float | None:
    """DDSketch with logarithmic bins: the middle of the bin that holds the value at `level`."""
    if not values:
        return None
    gamma = 1 + 2 * accuracy / (1 - accuracy)
    value = sorted(values)[int(level * (len(values) - 1))]
    if not value:
        return 0.0
    index = math.floor(math.log(abs(value)) / math.log(gamma)) + 1
    return math.copysign(gamma**index * (2 / (1 + gamma)), value)


# --- weighted interpolation ---


def interpolated_weighted(values: list[float], weights: list[float], level: float) -> float | None:
    """`values` in order; each stands at the middle of its weight's share, and between them lines are drawn."""
    total = sum(weights)
    if not values or not total:
        return None
    shares: dict[float, float] = {}
    for value, weight in zip(values, weights, strict=True):
        shares[value] = shares.get(value, 0.0) + weight
    values, seen, places = list(shares), 0.0, []
    for weight in shares.values():
        seen += weight
        places.append((seen - 0.5 * weight) / total)
    right = bisect_right(places, level)
    if right == 0 or right == len(places):
        return values[0] if right == 0 else values[-1]
    part = (level - places[right - 1]) / (places[right] - places[right - 1])
    return values[right - 1] + part * (values[right] - values[right - 1])


def linear_weighted(values: list[float], weights: list[float], level: float) -> float | None:
    """`values` in order, each standing there as often as its weight says; lines are drawn between neighbours."""
    if not values:
        return None
    ends = list(accumulate(weights))
    place = level * (ends[-1] - 1)
    low = values[min(bisect_right(ends, math.floor(place)), len(values) - 1)]
    part = place - math.floor(place)
    return low + part * (values[bisect_right(ends, math.floor(place) + 1)] - low) if part else low


def between(neighbour: float | None, estimate: float | None, count: int, level: float) -> float | None:
    """The quantile of `count` values by ClickHouse's formula, from one of its two neighbours and an estimate.

    The estimate lies between the neighbours, so it tells which of them is given and, but for its last digits, what the
    other one is; values are seldom written with all the digits of a double, and rounding finds the one that was meant.
    """
    if neighbour is None or estimate is None or not math.isfinite(estimate) or not math.isfinite(neighbour):
        return estimate
    index = level * (count - 1)
    left = math.floor(index)
    left_share, right_share = (left + 1) - index, index - left
    if estimate == neighbour or left + 1 >= count or right_share == 0:
        return estimate
    share = right_share if neighbour < estimate else left_share
    doubt = 8 * math.ulp(max(abs(neighbour), abs(estimate))) / share
    other = _written(neighbour + (estimate - neighbour) / share, doubt)
    low, high = (neighbour, other) if neighbour < estimate else (other, neighbour)
    exact = low * left_share + high * right_share
    return exact if math.isclose(exact, estimate, rel_tol=1e-12, abs_tol=1e-300) else estimate


def _written(value: float, doubt: float) -> float:
    """A number known to within `doubt`, as it was most likely written: with as few digits as that leaves."""
    for digits in range(6, 16):
        rounded = float(f"{value:.{digits}g}")
        if abs(rounded - value) <= doubt:
            return rounded
    return value


_CENTROIDS = "STRUCT(means FLOAT[], counts FLOAT[])"

FUNCTIONS = {
    "tb_quantile_between": Udf(between, ("DOUBLE", "DOUBLE", "BIGINT", "DOUBLE"), "DOUBLE", "special"),
    "tb_quantile_linear_weighted": Udf(linear_weighted, ("DOUBLE[]", "DOUBLE[]", "DOUBLE"), "DOUBLE", "special"),
    "tb_quantile_bfloat16": Udf(bfloat16, ("DOUBLE[]", "DOUBLE"), "DOUBLE", "special"),
    "tb_quantile_dd": Udf(sketch, ("DOUBLE[]", "DOUBLE", "DOUBLE"), "DOUBLE", "special"),
    "tb_digest": Udf(digest_state, ("FLOAT[]",), _CENTROIDS),
    "tb_digest_of_digests": Udf(merged_digest, (f"{_CENTROIDS}[]",), _CENTROIDS, "special"),
    "tb_quantile_of_digest": Udf(quantile_of_digest, (_CENTROIDS, "DOUBLE"), "FLOAT", "special"),
    "tb_quantile_tdigest": Udf(tdigest, ("FLOAT[]", "DOUBLE"), "FLOAT", "special"),
    "tb_quantile_tdigest_weighted": Udf(tdigest_weighted, ("FLOAT[]", "BIGINT[]", "DOUBLE"), "FLOAT", "special"),
    "tb_quantile_timing": Udf(timing, ("DOUBLE[]", "DOUBLE"), "FLOAT", "special"),
    "tb_quantile_interpolated_weighted": Udf(
        interpolated_weighted, ("DOUBLE[]", "DOUBLE[]", "DOUBLE"), "DOUBLE", "special"
    ),
}
