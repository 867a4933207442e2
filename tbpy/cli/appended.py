"""What an append did, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tbpy.cli.output import Printed
from tbpy.cli.trouble import counted

if TYPE_CHECKING:
    from tbpy.workspace import AppendReport

CAUSES = 5


def print_appended(reports: Sequence[AppendReport]) -> Iterator[Printed]:
    for report in reports:
        yield f"✓ {counted(report.rows, 'row')} appended to {report.datasource} in {report.elapsed:.1f}s"
        yield from print_quarantined(report)


def print_quarantined(report: AppendReport) -> Iterator[Printed]:
    """How many rows went to quarantine and the most frequent reasons; nothing when none did."""
    if not report.quarantined:
        return
    yield f"△ {counted(report.quarantined, 'row')} did not fit and went to {report.datasource}_quarantine:"
    for cause in report.causes[:CAUSES]:
        where = f"{cause.column}: " if cause.column else ""
        yield f"  {cause.rows:>9,} × {where}{cause.example}"
