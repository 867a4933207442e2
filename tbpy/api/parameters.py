"""The parameters of a request: from the query string, a form or a JSON body."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from tbpy.errors import UsageError

# What clients and the command line add to every request; never a parameter of a pipe.
_RESERVED = frozenset(
    {"token", "from", "cli_version", "release_replacements", "playground", "debug", "q", "pipeline", "semver"}
)
_RESERVED_PREFIXES = ("__tb__", "__tb_", "output_format_")
MOST_FIELDS = 1000

Parameters = dict[str, Any]


def collect(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """A name that comes more than once has a list."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def parse_form(text: bytes) -> Parameters:
    """`a=1&b=2`. Raises `UsageError` when that is no such text."""
    try:
        pairs = parse_qsl(text.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise UsageError(f"The form cannot be read: {error}") from error
    return collect(pairs)


def parse_json(text: bytes) -> Parameters:
    """A JSON object. Raises `UsageError` for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError("The JSON body must be an object with a key for each parameter")
    return found


def parse_body(body: bytes, content_type: str) -> Parameters:
    """A form or JSON, by its content type; what has no type is JSON when it looks like it."""
    if not body.strip():
        return {}
    if "json" in content_type or (not content_type and body.lstrip().startswith(b"{")):
        return parse_json(body)
    return parse_form(body)


def of_pipe(given: Mapping[str, Any]) -> Parameters:
    """Those that a pipe may see. JSON objects among the values are given as their text, as clients send them."""
    return {name: _plain(value) for name, value in given.items() if not _is_reserved(name)}


def single(given: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    """The one text of a parameter of the route; of several the last counts."""
    value = given.get(name, default)
    if isinstance(value, list):
        value = value[-1] if value else default
    return value if value is None or isinstance(value, str) else json.dumps(value)


def flag(given: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = single(given, name)
    return default if value is None else value.lower() in ("true", "1", "yes", "on")


def _is_reserved(name: str) -> bool:
    return name in _RESERVED or name.startswith(_RESERVED_PREFIXES)


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value
