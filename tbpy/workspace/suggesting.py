"""Names that a person may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known name, or with all when there are few; None when there are none."""
    names = sorted(known)
    near = get_close_matches(name, names, 1, 0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}" if names else None
