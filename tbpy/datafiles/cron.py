"""Which texts are cron expressions: five fields, or six with seconds at the end."""

from __future__ import annotations

_MONTHS = {
    name: i
    for i, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1)
}
_DAYS = {"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 7, _DAYS),
    (0, 59, {}),
)


def is_cron(text: str) -> bool:
    """Whether every field is `*`, a value, a range or a list of them, with an optional `/step`, all within bounds."""
    parts = text.split()
    if len(parts) not in (5, 6):
        return False
    return all(_is_field(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=False))


def _is_field(text: str, low: int, high: int, names: dict[str, int]) -> bool:
    return all(_is_item(item, low, high, names) for item in text.split(","))


def _is_item(item: str, low: int, high: int, names: dict[str, int]) -> bool:
    body, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        return False
    if body in ("*", "?"):
        return True
    bounds = [_number(end, names) for end in body.split("-")]
    if len(bounds) > 2 or any(bound is None or not low <= bound <= high for bound in bounds):
        return False
    return len(bounds) == 1 or (bounds[0] or 0) <= (bounds[1] or 0)


def _number(text: str, names: dict[str, int]) -> int | None:
    if text.isdecimal():
        return int(text)
    return names.get(text.upper())
