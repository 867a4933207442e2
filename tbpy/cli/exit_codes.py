"""What the exit code of `tbpy` says. This table is the command's contract: docs/cli.md lists it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tbpy import errors

DONE = 0
NEGATIVE = 1  # the command did its work and the answer is no: mistakes in files, tests that fail
USAGE = 2
NOT_FOUND = 3
QUERY = 4
INGEST = 5
CONFLICT = 6
REMOTE = 7
BUG = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130

# The first class that fits decides, so a subclass stands before its base.
TABLE: tuple[tuple[type[errors.TbpyError], int], ...] = (
    (errors.DiagnosticsError, NEGATIVE),
    (errors.UsageError, USAGE),
    (errors.NotFoundError, NOT_FOUND),
    (errors.QueryError, QUERY),
    (errors.TemplateError, QUERY),
    (errors.IngestError, INGEST),
    (errors.ConflictError, CONFLICT),
    (errors.StorageFullError, CONFLICT),
    (errors.RemoteError, REMOTE),
)


@runtime_checkable
class Verdict(Protocol):
    """A result that can be a no: `failed` makes the command exit with 1."""

    @property
    def failed(self) -> bool: ...


def of_error(error: errors.TbpyError) -> int:
    return next((code for kind, code in TABLE if isinstance(error, kind)), NEGATIVE)


def of_result(result: object) -> int:
    return NEGATIVE if isinstance(result, Verdict) and result.failed else DONE
