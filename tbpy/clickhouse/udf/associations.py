"""Measures of how far two categories go together; held to recorded answers of ClickHouse."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from tbpy.clickhouse.udf import Udf


def association(measure: str, left: Sequence[int], right: Sequence[int]) -> float | None:
    """Cramer's V, Theil's U and the contingency coefficient, from the codes of two categories per row."""
    if len(left) < 2:
        return None
    pairs, rows, columns = Counter(zip(left, right, strict=True)), Counter(left), Counter(right)
    if measure == "theilsU":
        return _theils_u(pairs, rows, columns, len(left))
    phi = math.fsum(n * n / (rows[a] * columns[b]) for (a, b), n in pairs.items()) - 1
    return _MEASURES[measure](phi, len(rows), len(columns), len(left))


def _cramers_v(phi: float, rows: int, columns: int, count: int) -> float:
    return math.sqrt(_quotient(phi, min(rows, columns) - 1))


def _cramers_v_corrected(phi: float, rows: int, columns: int, count: int) -> float:
    corrected = max(0.0, phi - (rows - 1) * (columns - 1) / (count - 1))
    sizes = [size - (size - 1) ** 2 / (count - 1) for size in (rows, columns)]
    return math.sqrt(_quotient(corrected, min(sizes) - 1))


def _contingency(phi: float, rows: int, columns: int, count: int) -> float:
    return math.sqrt(phi / (phi + 1))


def _quotient(dividend: float, divisor: float) -> float:
    return dividend / divisor if divisor else math.nan


_MEASURES: dict[str, Callable[[float, int, int, int], float]] = {
    "cramersV": _cramers_v,
    "cramersVBiasCorrected": _cramers_v_corrected,
    "contingency": _contingency,
}


def _theils_u(pairs: Counter[tuple[int, int]], rows: Counter[int], columns: Counter[int], count: int) -> float:
    entropy = -math.fsum(n / count * math.log(n / count) for n in rows.values())
    dependent = -math.fsum(n / count * math.log(n / columns[b]) for (_, b), n in pairs.items())
    return (entropy - dependent) / entropy if entropy else 0.0


FUNCTIONS = {
    "tb_association": Udf(association, ("VARCHAR", "UBIGINT[]", "UBIGINT[]"), "DOUBLE", "special"),
}
