"""What a build did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tbpy.errors import Diagnostic
from tbpy.workspace.ingest.report import AppendReport


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a change of schema did to the rows of a data source."""

    datasource: str
    kept: int
    quarantined: int
    dropped_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did, in names of resources (`datasource:events`).

    `migrated` are data sources whose rows were carried over to another schema, `dropped_rows` the rows of removed ones,
    `fixtures` what was loaded, `populated` the targets that materialized nodes were run for anew. `elapsed` in seconds.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    migrated: tuple[Migrated, ...] = ()
    dropped_rows: Mapping[str, int] = field(default_factory=dict)
    fixtures: tuple[AppendReport, ...] = ()
    populated: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    elapsed: float = 0.0

    def __bool__(self) -> bool:
        """Whether anything was changed."""
        return bool(self.added or self.changed or self.removed or self.fixtures or self.populated)


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a run of a copy pipe wrote; `job` is the id of its record. `elapsed` in seconds.

    `warning` tells of an empty answer in place of rows, which is rarely meant.
    """

    pipe: str
    datasource: str
    mode: str
    rows: int
    job: str
    elapsed: float
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """`rows` left the quarantine for the data source, `quarantined` are still there."""

    datasource: str
    rows: int
    quarantined: int
    elapsed: float
