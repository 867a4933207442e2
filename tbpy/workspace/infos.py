"""What a workspace tells of its resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tbpy.templating import Parameter
    from tbpy.workspace.ingest.report import Cause


@dataclass(frozen=True, slots=True)
class DatasourceInfo:
    """`rows` and `quarantined` are counts, `bytes` the estimated size of the values."""

    name: str
    rows: int
    quarantined: int
    bytes: int
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PipeInfo:
    """`type` is that of its typed node: endpoint, materialized, copy, sink; None for a pipe without one."""

    name: str
    type: str | None
    nodes: tuple[str, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The ClickHouse SQL that a pipe runs for some parameters, and DuckDB's plan of it."""

    query: str
    plan: str


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    name: str
    parameters: tuple[Parameter, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class JobInfo:
    """`status` is working, done, error or cancelled. Times are naive UTC; `rows` are those that were written."""

    id: str
    kind: str
    status: str
    pipe: str
    datasource: str
    created_at: datetime
    updated_at: datetime
    rows: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CopyInfo:
    """A copy pipe. `schedule` is cron's notation or @on-demand; `next_runs` (naive UTC) has none while it is paused."""

    name: str
    target: str
    mode: str
    schedule: str
    paused: bool
    next_runs: tuple[datetime, ...] = ()
    last: JobInfo | None = None


@dataclass(frozen=True, slots=True)
class MaterializationInfo:
    """A materialized node; `why_not` says why it does not run, where it does not."""

    pipe: str
    node: str
    source: str
    target: str
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """`values` are texts as they came, `line` the whole line where it was one of NDJSON; `moment` is naive UTC."""

    moment: datetime
    import_id: str | None
    errors: tuple[str, ...]
    values: Mapping[str, str | None]
    line: str | None = None


@dataclass(frozen=True, slots=True)
class QuarantineInfo:
    """`causes` are by column, most frequent first; `sample` are the newest rows."""

    datasource: str
    rows: int
    causes: tuple[Cause, ...]
    sample: tuple[QuarantinedRow, ...]
