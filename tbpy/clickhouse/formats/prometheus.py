"""The exposition format of Prometheus.

A row is a sample: columns `name` and `value`, and perhaps `help`, `type`, `labels` (a map of texts) and `timestamp`.
Source: ClickHouse documentation, "Prometheus" format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats.cells import pairs, raw_cell
from tbpy.clickhouse.formats.result import Result, Row
from tbpy.errors import QueryError

_REQUIRED = ("name", "value")
_SPECIAL = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
_SUFFIXES = ("sum", "count")


@dataclass(frozen=True, slots=True)
class _Sample:
    labels: dict[str, str]
    value: str
    timestamp: str


@dataclass(slots=True)
class _Metric:
    name: str
    help: str
    type: str
    samples: list[_Sample]


def prometheus(result: Result) -> Iterator[bytes]:
    """Raises `QueryError` (36, BAD_ARGUMENTS) when a column that must be there is not."""
    found = {column.name: (index, column.type) for index, column in enumerate(result.columns)}
    for name in _REQUIRED:
        if name not in found:
            message = f"Column '{name}' is required for output format 'Prometheus'."
            raise QueryError(message, code=36, name="BAD_ARGUMENTS")
    for metric in _metrics(found, result.rows):
        yield "".join(_lines(metric)).encode("utf-8", "replace")


def _metrics(columns: Mapping[str, tuple[int, t.Type]], rows: Iterable[Row]) -> Iterator[_Metric]:
    """Neighbouring rows of one name are one metric."""
    metric: _Metric | None = None
    for row in rows:
        text = {name: _text(columns, name, row) for name in ("name", "value", "help", "type", "timestamp")}
        if metric is None or metric.name != text["name"]:
            if metric is not None:
                yield metric
            metric = _Metric(text["name"], "", "", [])
        metric.help = metric.help or text["help"]
        metric.type = metric.type or text["type"]
        timestamp = "" if text["timestamp"] == "0" else text["timestamp"]
        metric.samples.append(_Sample(_labels(columns, row), _SPECIAL.get(text["value"], text["value"]), timestamp))
    if metric is not None:
        yield metric


def _text(columns: Mapping[str, tuple[int, t.Type]], name: str, row: Row) -> str:
    if name not in columns:
        return ""
    index, type_ = columns[name]
    return "" if row[index] is None else raw_cell(type_)(row[index])


def _labels(columns: Mapping[str, tuple[int, t.Type]], row: Row) -> dict[str, str]:
    if "labels" not in columns:
        return {}
    index, type_ = columns["labels"]
    assert isinstance(type_, t.Map)
    entries: list[tuple[Any, Any]] = list(pairs(type_, row[index] or {}))
    return {str(key): "" if value is None else str(value) for key, value in entries}


def _lines(metric: _Metric) -> Iterator[str]:
    if metric.help:
        yield f"# HELP {metric.name} {metric.help.replace(chr(10), ' ')}\n"
    if metric.type:
        yield f"# TYPE {metric.name} {metric.type}\n"
    for sample in _ordered(metric):
        name, labels = _named(metric, sample)
        inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
        timestamp = f" {sample.timestamp}" if sample.timestamp else ""
        yield f"{name}{f'{{{inside}}}' if inside else ''} {sample.value}{timestamp}\n"
    yield "\n"


def _named(metric: _Metric, sample: _Sample) -> tuple[str, dict[str, str]]:
    """Samples of a histogram or a summary carry a suffix that a label names."""
    if metric.type not in ("histogram", "summary"):
        return metric.name, sample.labels
    for suffix in _SUFFIXES:
        if suffix in sample.labels:
            return f"{metric.name}_{suffix}", {key: value for key, value in sample.labels.items() if key != suffix}
    if metric.type == "summary":
        return metric.name, sample.labels
    labels = {key: value for key, value in sample.labels.items() if key != "le"}
    return f"{metric.name}_bucket", {**labels, "le": sample.labels.get("le", "")}


def _ordered(metric: _Metric) -> list[_Sample]:
    """The buckets of a histogram stand in order of their bounds and close with a count."""
    if metric.type != "histogram":
        return metric.samples
    buckets = sorted((s for s in metric.samples if "le" in s.labels), key=lambda s: float(s.labels["le"]))
    sums = [s for s in metric.samples if "sum" in s.labels]
    counts = [s for s in metric.samples if "count" in s.labels]
    if not counts:
        last = [s for s in buckets if float(s.labels["le"]) == float("inf")]
        counts = [_Sample({"count": ""}, s.value, "") for s in last]
    return [*buckets, *sums, *counts]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
