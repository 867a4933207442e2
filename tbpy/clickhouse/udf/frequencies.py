"""The order in which ClickHouse's topK leaves values of equal counts: that of a Floyd-Rivest partial sort.

Source: R. Floyd, R. Rivest, "Expected time bounds for selection", as commonly implemented; held to recorded answers.
"""

from __future__ import annotations

from tbpy.clickhouse.udf import Udf


def most_frequent(counts: list[int], most: int) -> list[int]:
    """The places (from 1) of the `most` greatest counts, greatest first; `counts` are in the order values came."""
    places = list(range(len(counts)))
    kept = min(most, len(places))
    if kept:
        _select(places, counts, kept - 1)
        places[:kept] = sorted(places[:kept], key=lambda place: -counts[place])
    return [place + 1 for place in places[:kept]]


def _select(places: list[int], counts: list[int], wanted: int) -> None:
    """Move the greatest counts to the front, so that place `wanted` holds what sorting would put there."""
    left, right = 0, len(places) - 1
    while right > left:
        places[left], places[wanted] = places[wanted], places[left]
        swapped = counts[places[left]] > counts[places[right]]
        if swapped:
            places[left], places[right] = places[right], places[left]
        pivot = counts[places[left if swapped else right]]
        split = _partition(places, counts, left, right, pivot)
        if swapped:
            places[left], places[split] = places[split], places[left]
        else:
            split += 1
            places[right], places[split] = places[split], places[right]
        if split <= wanted:
            left = split + 1
        if wanted <= split:
            right = split - 1


def _partition(places: list[int], counts: list[int], low: int, high: int, pivot: int) -> int:
    while low < high:
        places[low], places[high] = places[high], places[low]
        low, high = low + 1, high - 1
        while counts[places[low]] > pivot:
            low += 1
        while pivot > counts[places[high]]:
            high -= 1
    return high


FUNCTIONS = {"tb_most_frequent": Udf(most_frequent, ("UBIGINT[]", "BIGINT"), "BIGINT[]")}
