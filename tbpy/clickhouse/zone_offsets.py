"""How far time zones are off UTC: whether their clocks are ever changed, and by what."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_YEARS = range(1970, 2038)


@cache
def offsets(zone: str) -> frozenset[int]:
    """The offsets in seconds that a zone has had since 1970, a month apart; none for a zone that does not exist."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return frozenset()
    moments = (datetime(year, month, 1, 12, tzinfo=UTC) for year in _YEARS for month in range(1, 13))
    found = (moment.astimezone(info).utcoffset() for moment in moments)
    return frozenset(int(offset.total_seconds()) for offset in found if offset is not None)


def is_changed(zone: str | None) -> bool:
    """Whether the clocks of a zone are set back at times, so that an hour comes twice."""
    return zone is not None and len(offsets(zone)) > 1


def is_even(zone: str | None, seconds: int) -> bool:
    """Whether the zone is always off UTC by a multiple of so many seconds: then these begin as they do in UTC."""
    return zone is None or all(offset % seconds == 0 for offset in offsets(zone))
