"""How often a token may come: so many requests a second, as its JWT says."""

from __future__ import annotations

from collections.abc import Callable

from tbpy.api.errors import RateLimitError
from tbpy.api.tokens import Access

_FORGET_ABOVE = 10_000


class RateLimiter:
    """Counts in seconds of `clock`; a JWT's name stands for it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, int]] = {}

    def count(self, access: Access) -> None:
        """Raises `RateLimitError` for a request above the limit."""
        limit = access.requests_per_second
        if limit is None:
            return
        second = int(self._clock())
        known, used = self._counts.get(access.name, (second, 0))
        used = used + 1 if known == second else 1
        if len(self._counts) > _FORGET_ABOVE:
            self._counts.clear()
        self._counts[access.name] = (second, used)
        if used > limit:
            raise RateLimitError(f"Rate limit exceeded: {limit} requests per second", limit=limit)
