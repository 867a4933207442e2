"""Counting the values of a list; equal counts stand as a Floyd-Rivest partial sort leaves them, as in topK.

Source: R. Floyd, R. Rivest, "Expected time bounds for selection", as commonly implemented; held to recorded answers.
"""

from __future__ import annotations

from typing import TypedDict

from tbpy.clickhouse.udf import Udf


class Counted(TypedDict):
    """A value by its first place (from 1), and its count or weight."""

    place: int
    count: int


def most_frequent(values: list[str], weights: list[int] | None, most: int) -> list[Counted]:
    """The `most` frequent values, most frequent first; `weights` count instead of rows where they are given."""
    first: dict[str, int] = {}
    counts: dict[str, int] = {}
    for place, value in enumerate(values):
        first.setdefault(value, place + 1)
        counts[value] = counts.get(value, 0) + (1 if weights is None else weights[place])
    numbers = list(counts.values())
    starts = list(first.values())
    return [{"place": starts[place], "count": numbers[place]} for place in ranked(numbers, most)]


def group_places(keys: list[str | None]) -> list[list[int]]:
    """The places (from 1) of each different key, in the order that keys come."""
    groups: dict[str | None, list[int]] = {}
    for place, key in enumerate(keys, 1):
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def ranked(counts: list[int], most: int) -> list[int]:
    """The places of the `most` greatest counts, greatest first; `counts` are in the order that values came."""
    places = list(range(len(counts)))
    kept = min(most, len(places))
    if kept:
        _select(places, counts, kept - 1)
        places[:kept] = sorted(places[:kept], key=lambda place: -counts[place])
    return places[:kept]


def _select(places: list[int], counts: list[int], wanted: int) -> None:
    """Move the greatest counts to the front, so that place `wanted` holds what sorting would put there."""
    left, right = 0, len(places) - 1
    while right > left:
        places[left], places[wanted] = places[wanted], places[left]
        swapped = counts[places[left]] > counts[places[right]]
        if swapped:
            places[left], places[right] = places[right], places[left]
        pivot = counts[places[right if swapped else left]]
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


FUNCTIONS = {
    "tb_most_frequent": Udf(
        most_frequent,
        ("VARCHAR[]", "HUGEINT[]", "BIGINT"),
        "STRUCT(place BIGINT, count HUGEINT)[]",
        "special",
    ),
    "tb_group_places": Udf(group_places, ("VARCHAR[]",), "BIGINT[][]"),
}
