"""What `/metrics` tells Prometheus: requests by route and status, their latency, rows that came in, sizes.

Source: Prometheus documentation, "Exposition formats" (text format 0.0.4).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tbpy.api.service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


@dataclass
class Metrics:
    """Counts of requests since the start. Only the event loop's thread writes them."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    buckets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * (len(BUCKETS) + 1)))
    seconds: Counter[str] = field(default_factory=Counter)

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        self.requests[route, method, status] += 1
        self.buckets[route][bisect_left(BUCKETS, seconds)] += 1
        self.seconds[route] += seconds  # type: ignore[assignment]


def exposition(service: Service) -> str:
    """All metrics of a service as text."""
    return "".join(f"{line}\n" for line in _lines(service))


def _lines(service: Service) -> Iterator[str]:
    metrics, log = service.metrics, service.workspace.log
    yield from _head("tbpy_http_requests_total", "counter", "Requests that were answered.")
    for (route, method, status), count in sorted(metrics.requests.copy().items()):
        yield f"tbpy_http_requests_total{_labels(route=route, method=method, status=str(status))} {count}"
    yield from _head("tbpy_http_request_duration_seconds", "histogram", "From a request to the end of its answer.")
    for route, counts in sorted(metrics.buckets.copy().items()):
        yield from _histogram(route, list(counts), metrics.seconds[route])
    yield from _by_datasource("tbpy_ingested_rows_total", "Rows that landed in data sources.", log.ingested)
    yield from _by_datasource("tbpy_quarantined_rows_total", "Rows that went to quarantine.", log.quarantined)
    gauges = (
        ("tbpy_events_queued_requests", "Requests with events that wait to be stored.", service.writer.queued_requests),
        ("tbpy_events_queued_bytes", "Bytes of events that wait to be stored.", service.writer.queued_bytes),
        ("tbpy_queries_running", "Queries that run now.", len(service.queries.running)),
        ("tbpy_jobs_waiting", "Jobs that have not ended.", service.jobs.unfinished),
        ("tbpy_database_bytes", "The database on disk, with its log.", _database_bytes(service)),
    )
    for name, text, value in gauges:
        yield from _head(name, "gauge", text)
        yield f"{name} {value}"


def _database_bytes(service: Service) -> int:
    return sum(file.stat().st_size for file in (service.workspace.root / ".tbpy").glob("workspace.duckdb*"))


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _histogram(route: str, counts: list[int], seconds: float) -> Iterator[str]:
    name, total = "tbpy_http_request_duration_seconds", 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        yield f"{name}_bucket{_labels(route=route, le=bound)} {total}"
    yield f"{name}_sum{_labels(route=route)} {seconds:.6f}"
    yield f"{name}_count{_labels(route=route)} {total}"


def _by_datasource(name: str, text: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield from _head(name, "counter", text)
    for datasource, count in sorted(dict(counts).items()):
        yield f"{name}{_labels(datasource=datasource)} {count}"


def _labels(**labels: str) -> str:
    shown = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(shown) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
