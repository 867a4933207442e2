"""DuckDB's exceptions as tbpy's, with ClickHouse's code where the two agree on what went wrong."""

from __future__ import annotations

import re

import duckdb

from tbpy.clickhouse.error_codes import named_failure
from tbpy.errors import ConflictError, QueryError, QueryTimeoutError, StorageFullError, TbpyError, UnsupportedError

# Source: ClickHouse documentation, "ErrorCodes".
_CODES: tuple[tuple[type[Exception], int, str], ...] = (
    (duckdb.OutOfRangeException, 407, "DECIMAL_OVERFLOW"),
    (duckdb.ConversionException, 6, "CANNOT_PARSE_TEXT"),
    (duckdb.TypeMismatchException, 53, "TYPE_MISMATCH"),
    (duckdb.CatalogException, 60, "UNKNOWN_TABLE"),
    (duckdb.BinderException, 47, "UNKNOWN_IDENTIFIER"),
    (duckdb.ParserException, 62, "SYNTAX_ERROR"),
    (duckdb.InvalidInputException, 36, "BAD_ARGUMENTS"),
)
# What DuckDB says where ClickHouse has a code and words of its own.
_TEXTS: tuple[tuple[str, int, str, str], ...] = (
    (
        "More than one row returned by a subquery",
        125,
        "INCORRECT_RESULT_OF_SCALAR_SUBQUERY",
        "Scalar subquery returned more than one row",
    ),
)
_FULL = re.compile(r"No space left on device|File too large|Disk quota exceeded")
_LABEL = re.compile(r"^[A-Z][A-Za-z ]+ Error: ")
_OF_FUNCTION = "Python exception occurred while executing the UDF: ValueError: "  # what our own functions raise
_NOT_UTF8 = "could not convert blob to UTF8 string"
_NULL = re.compile(r"NOT NULL constraint failed: (?:.*\.)?\"?([^\".]+)\"?$")
_LOCKED = re.compile(r"PID (\d+)")


def translate(error: duckdb.Error, *, time_limit: float | None = None) -> TbpyError:
    """The exception to raise in place of `error`; what a person should not read of it is cut off."""
    message = plain_message(error)
    if isinstance(error, duckdb.InterruptException):
        limit = f" ({time_limit:g} seconds)" if time_limit is not None else ""
        return QueryTimeoutError(f"The query ran longer than it may{limit}", code=159, name="TIMEOUT_EXCEEDED")
    if message.startswith("Unknown TimeZone"):
        return QueryError(message.split("\n")[0], code=36, name="BAD_ARGUMENTS")
    if _FULL.search(message):
        return StorageFullError()
    if _NOT_UTF8 in message:
        return UnsupportedError("A text that is not UTF-8 is not supported by tbpy yet")
    null = _NULL.search(message)
    if null is not None:
        text = f"Cannot convert NULL value to non-Nullable type: column {null[1]}"
        return QueryError(text, code=349, name="CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN")
    named = named_failure(message)
    if named is not None:
        code, name, text = named
        return QueryError(text, code=code, name=name)
    for beginning, code, name, text in _TEXTS:
        if message.startswith(beginning):
            return QueryError(text, code=code, name=name)
    if isinstance(error, duckdb.OutOfMemoryException):
        told = message.split("\n\n")[0]  # what follows is advice about DuckDB's settings
        return QueryError(f"Memory limit exceeded: {told}", code=241, name="MEMORY_LIMIT_EXCEEDED")
    for kind, code, name in _CODES:
        if isinstance(error, kind):
            return QueryError(message, code=code, name=name)
    return QueryError(message, code=1001, name="STD_EXCEPTION")


def plain_message(error: BaseException) -> str:
    """DuckDB's text without its label, its excerpt of the SQL that tbpy wrote, and its stack."""
    text = str(error).split("\n\nLINE ")[0].split("\n\nStack Trace:")[0]
    return _LABEL.sub("", text).removeprefix(_OF_FUNCTION).strip()


def is_locked(error: duckdb.Error) -> bool:
    """Whether another process has the database file."""
    return isinstance(error, duckdb.IOException) and "lock" in str(error)


def lock_owner(error: duckdb.Error) -> int | None:
    found = _LOCKED.search(str(error))
    return int(found.group(1)) if found else None


class DatabaseInUseError(ConflictError):
    """Another process has the database file; `owner` is its id, None when DuckDB does not tell."""

    def __init__(self, path: object, owner: int | None) -> None:
        process = f"process {owner}" if owner is not None else "another process"
        super().__init__(f"{path} is in use by {process}", hint="wait until it has finished, or stop it")
        self.owner = owner
