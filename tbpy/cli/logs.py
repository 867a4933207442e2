"""`tbpy logs` and `tbpy endpoint stats`: what the service data sources have noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from tbpy.cli import session
from tbpy.cli.command import AsJson, answers
from tbpy.cli.output import Printed, Table
from tbpy.errors import NotFoundError

# Times are whole seconds: within one, entries stand as they were written.
_ENTRIES = """%
SELECT time, what, name, result, seconds, rows, quarantined, message FROM (
    SELECT toString(start_datetime) AS time, 'request' AS what, pipe_name AS name, toString(status_code) AS result,
        toFloat64(duration) AS seconds, result_rows AS rows, toUInt64(0) AS quarantined,
        ifNull(error_message, '') AS message, error = 1 AS failed,
        row_number() OVER () AS place
    FROM tinybird.pipe_stats_rt
    UNION ALL
    SELECT toString(timestamp), event_type, datasource_name, result, toFloat64(elapsed_time), ifNull(rows, 0),
        ifNull(rows_quarantine, 0), ifNull(error, ''), result = 'error',
        row_number() OVER ()
    FROM tinybird.datasources_ops_log
)
WHERE 1
{% if defined(name) %} AND name = {{String(name)}} {% end %}
{% if defined(failed) %} AND (failed OR quarantined > 0) {% end %}
ORDER BY time DESC, place DESC LIMIT {{Int32(limit)}}
"""
_DAYS = """%
SELECT toString(toDate(start_datetime)) AS day, count() AS calls, countIf(error = 1) AS errors,
    avg(duration) * 1000 AS mean, quantileExact(0.5)(duration) * 1000 AS p50,
    quantileExact(0.95)(duration) * 1000 AS p95, quantileExact(0.99)(duration) * 1000 AS p99,
    sum(read_rows) AS rows_read, sum(result_rows) AS rows
FROM tinybird.pipe_stats_rt WHERE pipe_name = {{String(name)}}
GROUP BY day ORDER BY day
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A request, or an operation on a data source. `time` is UTC, `result` a status or ok or error."""

    time: str
    what: str
    name: str
    result: str
    seconds: float
    rows: int
    quarantined: int
    message: str


@dataclass(frozen=True, slots=True)
class Day:
    """The calls of an endpoint on one day (UTC). Times are in milliseconds."""

    day: str
    calls: int
    errors: int
    mean: float
    p50: float
    p95: float
    p99: float
    rows_read: int
    rows: int


def print_entries(entries: Sequence[Entry]) -> Iterator[Printed]:
    if not entries:
        yield "Nothing was noted yet"
        return
    rows = [
        (e.time, e.what, e.name, e.result, f"{e.seconds * 1000:.1f}", e.rows, e.quarantined or "", e.message)
        for e in entries
    ]
    columns = ("time", "what", "name", "result", "ms", "rows", "quarantined", "message")
    yield Table(columns, rows, frozenset(("ms", "rows", "quarantined")))


@answers(print_entries)
def logs(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only this endpoint or data source.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many entries.")] = 50,
    errors: Annotated[bool, typer.Option("--errors", help="Only what failed, or sent rows to quarantine.")] = False,
    as_json: AsJson = False,
) -> Sequence[Entry]:
    """Show requests, appends, builds and copies, the newest last."""
    parameters = {"name": name, "limit": str(limit), "failed": "1" if errors else None}
    with session.open_workspace(context) as workspace:
        found = workspace.query(_ENTRIES, parameters=parameters).rows
    return [Entry(*row) for row in reversed(found)]


def print_days(days: Sequence[Day]) -> Iterator[Printed]:
    if not days:
        yield "No calls in the last 7 days"
        return
    rows = [
        (d.day, d.calls, d.errors, *(f"{value:.1f}" for value in (d.mean, d.p50, d.p95, d.p99)), d.rows_read, d.rows)
        for d in days
    ]
    columns = ("day", "calls", "errors", "mean ms", "p50 ms", "p95 ms", "p99 ms", "rows read", "rows")
    yield Table(columns, rows, frozenset(columns[1:]))


@answers(print_days)
def stats(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The endpoint.")],
    as_json: AsJson = False,
) -> Sequence[Day]:
    """Show how often an endpoint was called, how long it took and how often it failed, day by day."""
    with session.open_workspace(context) as workspace:
        known = [endpoint.name for endpoint in workspace.endpoints()]
        if name not in known:
            raise NotFoundError(f"There is no endpoint {name}", hint=f"there are: {', '.join(known) or 'none'}")
        return [Day(*row) for row in workspace.query(_DAYS, parameters={"name": name}).rows]
