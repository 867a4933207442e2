"""Errors between two processes of tbpy: the same class, with what it holds."""

from __future__ import annotations

from typing import Any

from tbpy import errors
from tbpy.client.wire import decode, encode

# The attributes that make an error of a class again, the most special class first.
_ATTRIBUTES: dict[type[errors.TbpyError], tuple[str, ...]] = {
    errors.CustomTemplateError: ("body", "status"),
    errors.RaisedTemplateError: ("message", "line", "column", "hint"),
    errors.TemplateError: ("message", "line", "column", "hint"),
    errors.QueryTimeoutError: ("message", "code", "name", "place", "hint"),
    errors.UnsupportedError: ("message", "place", "hint"),
    errors.QueryError: ("message", "code", "name", "place", "hint"),
    errors.DiagnosticsError: ("diagnostics", "message"),
    errors.NotFoundError: ("message", "hint"),
    errors.ConflictError: ("message", "hint"),
    errors.IngestError: ("message", "hint"),
    errors.UsageError: ("message", "hint"),
    errors.TbpyError: ("message", "hint"),
}


def error_document(error: errors.TbpyError) -> dict[str, Any]:
    cls = next(cls for cls in _ATTRIBUTES if isinstance(error, cls))
    return {"class": cls.__name__, "arguments": {name: encode(getattr(error, name)) for name in _ATTRIBUTES[cls]}}


def error_of(document: dict[str, Any]) -> errors.TbpyError:
    """The error that `error_document` was given; one of a class that is not known here is a plain `TbpyError`."""
    found = {cls.__name__: cls for cls in _ATTRIBUTES}.get(document["class"], errors.TbpyError)
    return found(**{name: decode(value) for name, value in document["arguments"].items()})
