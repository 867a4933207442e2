"""Statistics of whole arrays, and the edits between two of them. Source: ClickHouse documentation, and its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import inf, nan
from operator import itemgetter
from typing import Any

from tbpy.clickhouse.edit_distance import levenshtein
from tbpy.clickhouse.udf import Udf

Texts = Sequence[str | None]


def autocorrelation(values: Sequence[float], lags: int) -> list[float]:
    """For each lag from 0 the covariance of the series with itself so much later, of its variance; NaN without any."""
    size = len(values)
    mean = sum(values) / size if size else 0.0
    apart = [value - mean for value in values]
    variance = sum(one * one for one in apart)
    if not variance > 0:
        return [nan] * min(lags, size)
    return [sum(apart[i] * apart[i + lag] for i in range(size - lag)) / variance for lag in range(min(lags, size))]


def normalized_gini(predicted: Sequence[float], label: Sequence[float]) -> list[float]:
    """The Gini coefficient of labels in the order of predictions, that of labels in their own, and their ratio."""
    if len(predicted) != len(label):
        text = "Prediction and label arrays in function arrayNormalizedGini should have same size for each row"
        raise ValueError(f"ILLEGAL_COLUMN: {text}")
    if not label:
        return [inf, inf, nan]
    ordered = [one for _, one in sorted(zip(predicted, label, strict=True), key=itemgetter(0))]
    found, best = _gini(ordered), _gini(sorted(label))
    return [found, best, found / best if best else nan]


def _gini(values: Sequence[float]) -> float:
    """How far the growing sum of values stays below that of equal ones."""
    total, size, so_far, area = sum(values), len(values), 0.0, 0.0
    if not total:
        return nan
    for value in values:
        so_far += value
        area += so_far / total
    return (size + 1) / (2 * size) - area / size


def weighted_levenshtein(left: Texts, right: Texts, costs: Sequence[float], others: Sequence[float]) -> float:
    """The least weight of the elements taken away and put in; one is replaced by doing both."""
    row = [0.0]
    for cost in others:
        row.append(row[-1] + cost)
    for one, cost in zip(left, costs, strict=True):
        diagonal, row[0] = row[0], row[0] + cost
        for place, (other, other_cost) in enumerate(zip(right, others, strict=True), 1):
            replaced = diagonal if one == other else diagonal + cost + other_cost
            diagonal, row[place] = row[place], min(row[place] + cost, row[place - 1] + other_cost, replaced)
    return row[-1]


def similarity(left: Texts, right: Texts, costs: Sequence[float], others: Sequence[float]) -> float:
    """1 less the share of all weight that has to be taken away or put in."""
    total = sum(costs) + sum(others)
    return 1 - weighted_levenshtein(left, right, costs, others) / total if total else 1.0


Count = Callable[[dict[str, int], str], int]


def _occurrences(seen: dict[str, int], element: str) -> int:
    seen[element] = seen.get(element, 0) + 1
    return seen[element]


def _numbers(seen: dict[str, int], element: str) -> int:
    return seen.setdefault(element, len(seen) + 1)


def _enumerated(count: Count) -> Callable[[str, int, int], str]:
    """For arrays in arrays as JSON: each element `deepest` levels down by its number among those counted so far."""

    def walk(value: Any, level: int, clear: int, deepest: int, seen: dict[str, int]) -> Any:
        if level == deepest:
            return count(seen, json.dumps(value))
        if level + 1 == clear:
            seen = {}
        return [walk(item, level + 1, clear, deepest, seen) for item in value or ()]

    def enumerated(text: str, clear: int, deepest: int) -> str:
        return json.dumps(walk(json.loads(text), 0, clear, deepest, {}))

    return enumerated


_EDITED = ("VARCHAR[]", "VARCHAR[]", "DOUBLE[]", "DOUBLE[]")

FUNCTIONS = {
    "tb_enumerate_uniq": Udf(_enumerated(_occurrences), ("VARCHAR", "INTEGER", "INTEGER"), "VARCHAR"),
    "tb_enumerate_dense": Udf(_enumerated(_numbers), ("VARCHAR", "INTEGER", "INTEGER"), "VARCHAR"),
    "tb_autocorrelation": Udf(autocorrelation, ("DOUBLE[]", "BIGINT"), "DOUBLE[]"),
    "tb_normalized_gini": Udf(normalized_gini, ("DOUBLE[]", "DOUBLE[]"), "DOUBLE[]"),
    "tb_list_levenshtein": Udf(levenshtein, ("VARCHAR[]", "VARCHAR[]"), "UBIGINT"),
    "tb_list_levenshtein_weighted": Udf(weighted_levenshtein, _EDITED, "DOUBLE"),
    "tb_list_similarity": Udf(similarity, _EDITED, "DOUBLE"),
}
