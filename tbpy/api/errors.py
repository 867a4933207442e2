"""What the API answers to an error: one table from class to status, and the JSON body that clients read.

Source: Tinybird docs, "API error codes"; texts as published clients and public issues show them.
"""

from __future__ import annotations

import re
from typing import Any

from tbpy.errors import (
    ConflictError,
    CustomTemplateError,
    DiagnosticsError,
    NotFoundError,
    QueryError,
    QueryTimeoutError,
    StorageFullError,
    TbpyError,
    TemplateError,
)

_UNKNOWN_TABLE = re.compile(r"Unknown table expression identifier '([^']*)'")
_TEMPLATE_DOCUMENTATION = "https://docs.tinybird.co/cli/advanced-templates.html"
NO_ENDPOINT_DOCUMENTATION = "https://docs.tinybird.co/api-reference/pipe-api.html"

# How long a disk that is full may take to have room again.
_FULL_RETRY_SECONDS = 5


class ForbiddenError(TbpyError):
    """No token, an unknown one, or one without the scope."""


class MethodError(TbpyError):
    """The route exists, but not for this method."""


class TooLargeError(TbpyError):
    """A body above its limit."""


class RateLimitError(TbpyError):
    """A token that came too often. `retry_after` is in seconds."""

    def __init__(self, message: str, *, limit: int, retry_after: int = 1) -> None:
        super().__init__(message)
        self.limit = limit
        self.retry_after = retry_after


class BusyError(TbpyError):
    """Writes cannot be taken for the moment; nothing was stored. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MaterializationError(TbpyError):
    """A materialized node failed on the rows, so that none of them was stored."""


class DocumentedError(TbpyError):
    """A not-found whose answer has a link to the documentation."""

    def __init__(self, message: str, documentation: str) -> None:
        super().__init__(message)
        self.documentation = documentation


# The first class that fits decides.
STATUS: tuple[tuple[type[TbpyError], int], ...] = (
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (DocumentedError, 404),
    (MethodError, 405),
    (QueryTimeoutError, 408),
    (ConflictError, 409),
    (TooLargeError, 413),
    (MaterializationError, 422),
    (RateLimitError, 429),
    (BusyError, 503),
    (StorageFullError, 503),
    (TbpyError, 400),
)


def status_of(error: TbpyError) -> int:
    if isinstance(error, CustomTemplateError):
        return error.status if 400 <= error.status <= 599 else 400
    return next(status for kind, status in STATUS if isinstance(error, kind))


def body_of(error: TbpyError) -> Any:
    """The JSON body; a template's `custom_error` gives its own."""
    if isinstance(error, CustomTemplateError):
        return error.body
    body: dict[str, Any] = {"error": _text(error)}
    if isinstance(error, DiagnosticsError):
        body["errors"] = [{"filename": found.file, "error": found.message} for found in error.diagnostics]
    if isinstance(error, TemplateError):
        body["documentation"] = _TEMPLATE_DOCUMENTATION
    elif isinstance(error, DocumentedError):
        body["documentation"] = error.documentation
    return body


def _text(error: TbpyError) -> str:
    """What the error says. Tinybird looks up the tables of a query itself, and has its own words for unknown ones."""
    unknown = _UNKNOWN_TABLE.match(error.message) if isinstance(error, QueryError) else None
    return f"Resource '{unknown[1]}' not found" if unknown else error.answer


def headers_of(error: TbpyError) -> dict[str, str]:
    if isinstance(error, QueryError):
        return {"X-DB-Exception-Code": str(error.code)}
    if isinstance(error, BusyError | StorageFullError):
        return {"Retry-After": str(getattr(error, "retry_after", _FULL_RETRY_SECONDS))}
    if isinstance(error, RateLimitError):
        return {
            "Retry-After": str(error.retry_after),
            "X-RateLimit-Limit": str(error.limit),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(error.retry_after),
        }
    return {}
