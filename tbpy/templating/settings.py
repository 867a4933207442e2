"""Functions that set an option of the query's execution. Each prints a SQL line comment that tells what it set."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.frame import Frame
from tbpy.templating.values import SqlText

CACHE_TTLS = ("5s", "1m", "5m", "30m", "1h")
ACTIVATABLE = ("analyzer", "optimize_aggregation_in_order", "parallel_replicas")
DISABLEABLE = ("analyzer",)

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def _comment(text: str) -> SqlText:
    return SqlText(f"-- {_CONTROL.sub(' ', text)}\n")


def max_threads(frame: Frame, threads: Any) -> SqlText:
    try:
        number = int(threads)
    except (ValueError, TypeError, OverflowError):
        return _comment("max_threads: wrong argument")
    frame.settings["max_threads"] = number
    return _comment(f"max_threads {number}")


def cache_ttl(frame: Frame, ttl: Any) -> SqlText:
    if ttl not in CACHE_TTLS:
        raise TemplateError(f"Invalid TTL cache expression, valid expressions are {CACHE_TTLS}")
    frame.settings["cache_ttl"] = str(ttl)
    return _comment(f"cache_ttl {ttl}")


def _switch(name: str, features: tuple[str, ...]) -> Callable[..., SqlText]:
    def switch(frame: Frame, feature: Any) -> SqlText:
        if feature not in features:
            raise TemplateError(f"'{feature}' is not a valid '{name}' argument")
        frame.settings[name] = sorted({*frame.settings.get(name, ()), str(feature)})
        return _comment(f"{name} {feature}")

    return switch


def backend_hint(frame: Frame, hint: Any) -> SqlText:
    """A hint of `False` switches hints off."""
    frame.settings["backend_hint"] = hint if hint is False else str(hint)
    return _comment(f"backend_hint {hint}")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "max_threads": max_threads,
    "cache_ttl": cache_ttl,
    "activate": _switch("activate", ACTIVATABLE),
    "disable": _switch("disable", DISABLEABLE),
    "backend_hint": backend_hint,
}
