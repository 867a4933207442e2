"""The methods of text, lists, dictionaries and sets that a template may call. Only what is listed can be reached."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.frame import MAX_TEXT, Frame, kind_name, too_large
from tbpy.templating.operators import format_value
from tbpy.templating.values import Missing


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEXT = _names(
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier "
    "islower isnumeric isprintable isspace istitle isupper ljust lower lstrip partition removeprefix removesuffix "
    "rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"
)
_ALLOWED: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT),
    (list, _names("append clear copy count extend index insert pop remove reverse")),
    (dict, _names("clear copy get items keys pop popitem setdefault update values")),
    (tuple, _names("count index")),
    (set, _names("add copy difference discard intersection issubset issuperset remove union")),
    (float, _names("is_integer")),
    (int, _names("bit_length")),
)
_PADDING = _names("center ljust rjust zfill")
_COLLECTIONS = (list, tuple, dict, set, frozenset)

Arguments = Sequence[Any]
Keywords = Mapping[str, Any]


def call_method(frame: Frame, receiver: Any, name: str, args: Arguments, kwargs: Keywords) -> Any:
    """Raises TemplateError when values of this kind have no such method in templates."""
    frame.charge(1)
    if isinstance(receiver, Missing):
        return _on_missing(receiver, name)
    if isinstance(receiver, str) and name in _GUARDED:
        return frame.weigh(_GUARDED[name](frame, str(receiver), *args, **kwargs))
    for kind, names in _ALLOWED:
        if isinstance(receiver, kind):
            if name in names:
                return _call(frame, receiver, name, args, kwargs)
            break
    raise TemplateError(f"{kind_name(receiver)} has no method {name} in templates")


def _call(frame: Frame, receiver: Any, name: str, args: Arguments, kwargs: Keywords) -> Any:
    if name in _PADDING and args and isinstance(args[0], int) and args[0] > MAX_TEXT:
        raise too_large("text")
    if isinstance(receiver, str):
        frame.weigh(receiver)
    for arg in args:
        if isinstance(arg, (*_COLLECTIONS, range)):
            frame.take(arg)
    result = getattr(receiver, name)(*args, **kwargs)
    # What a collection was put into may have grown large at once, or hold itself now.
    if isinstance(receiver, (list, dict)) and any(isinstance(arg, _COLLECTIONS) for arg in (*args, *kwargs.values())):
        frame.weigh(receiver)
    return frame.weigh(result)


def _on_missing(missing: Missing, name: str) -> Any:
    if name in ("startswith", "endswith"):
        return False
    if name in ("split", "items", "keys", "values"):
        return [missing, missing]
    return missing


def _join(frame: Frame, separator: str, parts: Any) -> str:
    items = list(frame.take(parts))
    if isinstance(parts, Missing):
        items = [str(item) for item in items]
    if sum(map(len, items)) + len(separator) * len(items) > MAX_TEXT:
        raise too_large("text")
    return separator.join(items)


def _replace(frame: Frame, text: str, old: str, new: str, count: int = -1) -> str:
    frame.weigh(text)
    if (text.count(old) + 1) * len(new) + len(text) > MAX_TEXT:
        raise too_large("text")
    return text.replace(old, new, count)


class _Formatter(string.Formatter):
    """`str.format` without access to attributes."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if "." in field_name:
            raise TemplateError(f"Invalid attribute: {field_name}")
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        return format_value(self._frame, value, format_spec)


def _format(frame: Frame, text: str, *args: Any, **kwargs: Any) -> str:
    return _Formatter(frame).vformat(text, args, kwargs)


_GUARDED: dict[str, Callable[..., str]] = {"join": _join, "replace": _replace, "format": _format}
