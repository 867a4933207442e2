"""Ids of resources, as clients expect them: `t_` and 32 hexadecimal digits, the same for a name as long as it lives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=8192)
def resource_id(kind: str, name: str) -> str:
    """`kind` is datasource, pipe or node; a node's name is `pipe.node`."""
    digest = hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()
    return f"t_{digest[:32]}"


def name_of(kind: str, text: str, names: Iterable[str]) -> str:
    """The name behind a name or an id; what is neither comes back as it is."""
    if text.startswith("t_") and len(text) == 34:
        return next((name for name in names if resource_id(kind, name) == text), text)
    return text
