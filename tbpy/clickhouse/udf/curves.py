"""Areas under curves that scores and labels draw."""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse.udf import Udf


def precision_recall(scores: Sequence[float], labels: Sequence[float], before: Sequence[int]) -> float:
    """The area under the precision-recall curve, as a sum of steps at every new score, from the highest on.

    `before` are, of scores above all of these, the true and the false positives, and then the positives of the whole,
    0 where they are to be counted; or nothing. Source: ClickHouse documentation of arrayAUCPR.
    """
    found, missed, positives = before or (0, 0, 0)
    positives = positives or found + sum(label > 0 for label in labels)
    if not positives:
        return 0.0
    area, precision, counted, last = 0.0, 1.0, found, None
    for score, label in sorted(zip(scores, labels, strict=True), key=lambda pair: -pair[0]):
        if score != last:
            area += precision * (found - counted)
            counted, last = found, score
        found, missed = found + (label > 0), missed + (label <= 0)
        precision = found / (found + missed)
    return (area + precision * (found - counted)) / positives


FUNCTIONS = {
    "tb_area_precision_recall": Udf(precision_recall, ("DOUBLE[]", "DOUBLE[]", "BIGINT[]"), "DOUBLE"),
}
"""By the name that SQL calls them by."""
