"""Data sources as targets of ingestion."""

from __future__ import annotations

from datetime import datetime

from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.expressions import at_moment
from tbpy.workspace.ingest.paths import parse_path
from tbpy.workspace.ingest.target import Target, TargetColumn


def target_of(datasource: StoredDatasource, moment: datetime, *, with_defaults: bool = True) -> Target:
    """`moment` (naive UTC) is what `now()` is in its DEFAULTs."""
    columns = tuple(
        TargetColumn(
            column.name,
            column.parsed_type,
            parse_path(column.path),
            at_moment(column.default.sql, moment) if column.default and with_defaults else None,
        )
        for column in datasource.columns
    )
    return Target(datasource.name, datasource.table, datasource.quarantine, columns)
