"""An append, whole: all files of a source in one transaction, and a report of where their rows went."""

from __future__ import annotations

import time
from pathlib import Path

from tbpy.engines import Session
from tbpy.workspace.ingest.csv_dialect import FOUND_OUT, CsvStyle
from tbpy.workspace.ingest.delimited import load_csv
from tbpy.workspace.ingest.insertion import Loading, Progress
from tbpy.workspace.ingest.ndjson import load_ndjson
from tbpy.workspace.ingest.parquet import load_parquet
from tbpy.workspace.ingest.quarantine import Import, Verdict, causes
from tbpy.workspace.ingest.report import AppendReport
from tbpy.workspace.ingest.sources import Format, Input, detect_format
from tbpy.workspace.ingest.target import Target

_LOADERS = {Format.NDJSON: load_ndjson, Format.CSV: load_csv, Format.PARQUET: load_parquet}


def append_files(
    session: Session,
    target: Target,
    inputs: tuple[Input, ...],
    source: str | Path,
    import_: Import,
    *,
    kind: Format | None = None,
    progress: Progress | None = None,
    style: CsvStyle = FOUND_OUT,
) -> AppendReport:
    """Loads `inputs`, the files of `source`, in the transaction that `session` is in.

    `kind` is their format, by their name or content when not given; `style` is how CSV is written.
    `progress` is told the done part of the whole, 0 to 1. Raises `IngestError` when a file is not of that format.
    """
    started = time.perf_counter()
    verdict = Verdict()
    load = _LOADERS[kind or detect_format(inputs, source)]
    sizes = [item.path.stat().st_size for item in inputs]
    for position, item in enumerate(inputs):
        part = _part_of(progress, sum(sizes[:position]), sizes[position], sum(sizes))
        verdict += load(Loading(session, target, import_, part, style), item)
    return AppendReport(
        datasource=target.name,
        rows=verdict.rows,
        quarantined=verdict.quarantined,
        invalid_lines=verdict.invalid_lines,
        elapsed=time.perf_counter() - started,
        files=tuple(item.label for item in inputs),
        import_id=import_.id,
        causes=causes(session, target.quarantine, import_) if verdict.quarantined else (),
    )


def _part_of(progress: Progress | None, before: int, size: int, total: int) -> Progress | None:
    """The progress of one file as progress of all, by bytes."""
    if progress is None:
        return None
    return lambda done: progress((before + done * size) / max(total, 1))
