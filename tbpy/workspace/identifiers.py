"""Ids of resources, as clients expect them: `t_` and 32 hexadecimal digits, the same for a name as long as it lives."""

from __future__ import annotations

import hashlib
from functools import lru_cache


@lru_cache(maxsize=8192)
def resource_id(kind: str, name: str) -> str:
    """`kind` is datasource, pipe or node; a node's name is `pipe.node`."""
    digest = hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()
    return f"t_{digest[:32]}"
