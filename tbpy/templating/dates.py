"""Differences of dates, as whole numbers that are never negative."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.frame import Frame
from tbpy.templating.values import Missing

_SECONDS_FORMAT = "%Y-%m-%d %H:%M:%S"
_DAYS_FORMAT = "%Y-%m-%d"
# Longer ones match no sensible date, and strptime builds a regular expression of the format.
_MAX_LENGTH = 64

_TIME_HELP = (
    "invalid date_format in function `{}`, defaults to YYYY-MM-DD hh:mm:ss. Or %Y-%m-%d %H:%M:%S [.ssssss]Z, "
    "e.g. ms: 2022-12-19T18:42:22.591Z s:2022-12-19T18:42:22Z"
)
_DATE_HELP = "invalid date format in function `{}`, it must be ISO format date YYYY-MM-DD, e.g. 2018-09-26"


def _parse(value: Any, formats: tuple[Any, ...]) -> datetime:
    text = str(value)
    for date_format in formats:
        if len(text) <= _MAX_LENGTH and isinstance(date_format, str) and len(date_format) <= _MAX_LENGTH:
            try:
                return datetime.strptime(text, date_format)
            except ValueError:
                continue
    raise ValueError(text)


def _difference(d0: Any, d1: Any, formats: tuple[Any, ...]) -> timedelta:
    return abs(_parse(d1, formats) - _parse(d0, formats))


def _function(unit: timedelta, default_format: str, message: str) -> Callable[..., Any]:
    def difference(
        frame: Frame,
        d0: Any,
        d1: Any,
        date_format: Any = default_format,
        backup_date_format: Any = None,
        none_if_error: Any = False,
    ) -> int | None:
        if isinstance(d0, Missing) or isinstance(d1, Missing):
            return 0
        try:
            return _difference(d0, d1, (date_format, backup_date_format)) // unit
        except (ValueError, TypeError, OverflowError):
            if none_if_error:
                return None
            raise TemplateError(message) from None

    return difference


def day_diff(frame: Frame, d0: Any, d1: Any) -> int:
    if isinstance(d0, Missing) or isinstance(d1, Missing):
        return 0
    try:
        return _difference(d0, d1, (_DAYS_FORMAT,)).days
    except (ValueError, TypeError, OverflowError):
        # "fotmats" is how the message is spelled where projects' tests have recorded it.
        message = _DATE_HELP.format("day_diff") + ". For other fotmats, try `date_diff_in_days`"
        raise TemplateError(message) from None


_IN_SECONDS, _IN_MINUTES, _IN_HOURS, _IN_DAYS = (
    f"date_diff_in_{unit}" for unit in ("seconds", "minutes", "hours", "days")
)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    _IN_SECONDS: _function(timedelta(seconds=1), _SECONDS_FORMAT, _TIME_HELP.format(_IN_SECONDS)),
    # Minutes are computed from seconds, and their message says so.
    _IN_MINUTES: _function(timedelta(minutes=1), _SECONDS_FORMAT, _TIME_HELP.format(_IN_SECONDS)),
    _IN_HOURS: _function(timedelta(hours=1), _SECONDS_FORMAT, _TIME_HELP.format(_IN_HOURS)),
    _IN_DAYS: _function(timedelta(days=1), _DAYS_FORMAT, _DATE_HELP.format(_IN_DAYS)),
    "day_diff": day_diff,
}
