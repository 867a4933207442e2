"""Sums that slide along a list."""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse.udf import Udf


def moving_sum(values: Sequence[float], window: int) -> list[float]:
    """For every place the sum of the `window` values that end there; of all up to there where the window is 0."""
    sums: list[float] = []
    total: float = 0
    prefix: list[float] = []
    for place, value in enumerate(values):
        total += value
        prefix.append(total)
        sums.append(total - prefix[place - window] if window and place >= window else total)
    return sums


FUNCTIONS = {
    "tb_moving_sum": Udf(moving_sum, ("HUGEINT[]", "BIGINT"), "HUGEINT[]"),
    "tb_moving_sum_float": Udf(moving_sum, ("DOUBLE[]", "BIGINT"), "DOUBLE[]"),
}
