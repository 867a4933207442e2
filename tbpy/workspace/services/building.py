"""What a build did to data sources, as operations."""

from __future__ import annotations

from collections.abc import Iterable

from tbpy.workspace.reports import BuildReport
from tbpy.workspace.services.log import Operation, ServiceLog

_KIND = "datasource:"


def note_build(log: ServiceLog, report: BuildReport) -> None:
    """One operation for each data source that was made, altered, removed or filled."""
    for operation in _operations(report):
        log.done(operation, report.elapsed)


def _operations(report: BuildReport) -> Iterable[Operation]:
    migrated = {found.datasource: found for found in report.migrated}
    yield from (Operation("create", name) for name in _datasources(report.added))
    for name in _datasources(report.changed):
        found = migrated.get(name)
        yield Operation("alter", name, quarantined=found.quarantined if found else 0)
    yield from (Operation("delete", name, removed=rows) for name, rows in report.dropped_rows.items())
    for loaded in report.fixtures:
        yield Operation(
            "append",
            loaded.datasource,
            rows=loaded.rows,
            quarantined=loaded.quarantined,
            import_id=loaded.import_id,
            options={"source": "fixture"},
        )
    yield from (Operation("populateview", name) for name in report.populated)


def _datasources(resources: Iterable[str]) -> Iterable[str]:
    return (name.removeprefix(_KIND) for name in resources if name.startswith(_KIND))
