"""Building again and again: a build that fails changes nothing, so the last good one goes on answering."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tbpy.api.service import Service
from tbpy.errors import TbpyError
from tbpy.workspace import BuildReport


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of the change of some files: a report, or the mistakes that were found. `elapsed` in seconds."""

    files: tuple[str, ...]
    report: BuildReport | None
    error: TbpyError | None
    elapsed: float


def rebuild(service: Service, files: tuple[str, ...] = ()) -> Rebuilt:
    started = time.perf_counter()
    report: BuildReport | None = None
    failed: TbpyError | None = None
    try:
        report = service.build()
    except TbpyError as error:
        failed = error
    return Rebuilt(files, report, failed, time.perf_counter() - started)
