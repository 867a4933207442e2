"""Names of resources behind the ids by which clients may call them."""

from __future__ import annotations

from collections.abc import Iterable

from tbpy.workspace.identifiers import resource_id

__all__ = ["name_of", "resource_id"]


def name_of(kind: str, text: str, names: Iterable[str]) -> str:
    """The name behind a name or an id; what is neither comes back as it is."""
    if text.startswith("t_") and len(text) == 34:
        return next((name for name in names if resource_id(kind, name) == text), text)
    return text
