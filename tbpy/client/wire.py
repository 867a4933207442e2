"""Values between two processes of tbpy: JSON that keeps what JSON has no type for.

A value that JSON does not have is `{"$": kind, "v": ...}`. Only the dataclasses that are named here travel.
"""

from __future__ import annotations

import base64
import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_BIG = 1 << 63

# Where a dataclass is defined, by its name.
_CLASSES = {
    "AppendReport": "tbpy.workspace.ingest.report",
    "Cause": "tbpy.workspace.ingest.report",
    "BuildReport": "tbpy.workspace.reports",
    "Migrated": "tbpy.workspace.reports",
    "DatasourceInfo": "tbpy.workspace.infos",
    "EndpointInfo": "tbpy.workspace.infos",
    "PipeInfo": "tbpy.workspace.infos",
    "CopyInfo": "tbpy.workspace.infos",
    "JobInfo": "tbpy.workspace.infos",
    "MaterializationInfo": "tbpy.workspace.infos",
    "QuarantineInfo": "tbpy.workspace.infos",
    "QuarantinedRow": "tbpy.workspace.infos",
    "CopyReport": "tbpy.workspace.reports",
    "ReplayReport": "tbpy.workspace.reports",
    "Parameter": "tbpy.templating.parameters",
    "Diagnostic": "tbpy.errors",
    "Span": "tbpy.errors",
    "SqlPlace": "tbpy.errors",
    "Severity": "tbpy.errors",
}


def encode(value: Any) -> Any:
    """What `json.dumps` takes. Raises `TypeError` for a value that cannot travel."""
    match value:
        case None | bool():
            return value
        case str():
            return _tagged("Severity", str(value)) if type(value).__name__ == "Severity" else value
        case int():
            return int(value) if -_BIG <= value < _BIG else _tagged("int", str(value))
        case float():
            return value if math.isfinite(value) else _tagged("float", str(value))
        case list():
            return [encode(item) for item in value]
        case tuple():
            return _tagged("tuple", [encode(item) for item in value])
        case Mapping():
            return _tagged("map", [[encode(key), encode(item)] for key, item in value.items()])
        case set() | frozenset():
            return _tagged("set", [encode(item) for item in value])
    for kind, (cls, to_text, _) in _TEXTS.items():
        if type(value) is cls:
            return _tagged(kind, to_text(value))
    if is_dataclass(value) and type(value).__name__ in _CLASSES:
        content = {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        return _tagged(type(value).__name__, content)
    raise TypeError(f"cannot send a {type(value).__name__}")


def decode(value: Any) -> Any:
    """The value that `encode` was given. Raises `ValueError` for what `encode` never makes."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, content = value["$"], value["v"]
    if kind in _TEXTS:
        return _TEXTS[kind][2](content)
    match kind:
        case "int":
            return int(content)
        case "float":
            return float(content)
        case "tuple":
            return tuple(decode(item) for item in content)
        case "set":
            return frozenset(decode(item) for item in content)
        case "map":
            return {decode(key): decode(item) for key, item in content}
    return _object(kind, content)


def _object(kind: str, content: Any) -> Any:
    if kind not in _CLASSES:
        raise ValueError(f"unknown kind {kind}")
    cls = getattr(importlib.import_module(_CLASSES[kind]), kind)
    if not isinstance(content, dict):
        return cls(content)
    return cls(**{name: decode(item) for name, item in content.items()})


def _tagged(kind: str, content: Any) -> dict[str, Any]:
    return {"$": kind, "v": content}


_TEXTS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "decimal": (Decimal, str, Decimal),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "timedelta": (
        timedelta,
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: timedelta(*parts),
    ),
    "uuid": (UUID, str, UUID),
    "bytes": (bytes, lambda value: base64.b64encode(value).decode(), base64.b64decode),
}
