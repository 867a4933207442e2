"""How often a token may come: so many requests a second, as its JWT says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tbpy.api.errors import RateLimitError
from tbpy.api.tokens import Access

# Where what is left is kept in the scope of a request, for its answer.
ALLOWANCE = "tbpy.allowance"
_FORGET_ABOVE = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a token has left in this second, and how many seconds that second lasts at most."""

    limit: int
    remaining: int
    reset: int = 1

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class RateLimiter:
    """Counts in seconds of `clock`; a JWT's name stands for it (Tinybird docs, "JWTs", rate limits)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, int]] = {}

    def count(self, access: Access) -> Allowance | None:
        """What is left after one more request; None without a limit. Raises `RateLimitError` above it."""
        limit = access.requests_per_second
        if limit is None:
            return None
        second = int(self._clock())
        known, used = self._counts.get(access.name, (second, 0))
        used = used + 1 if known == second else 1
        if len(self._counts) > _FORGET_ABOVE:
            self._counts.clear()
        self._counts[access.name] = (second, used)
        if used > limit:
            raise RateLimitError(f"Rate limit exceeded: {limit} requests per second", limit=limit)
        return Allowance(limit, limit - used)
