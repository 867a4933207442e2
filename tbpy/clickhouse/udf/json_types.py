"""The types that ClickHouse finds for the values of a JSON document, and the values as it stores them.

A text that reads as a date or a time is kept as one, so `2024-01-02T03:04:05Z` becomes `2024-01-02 03:04:05`.
Source: the answers of ClickHouse 26.9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from tbpy.clickhouse.documents import TAG
from tbpy.clickhouse.formats.stored_json import write
from tbpy.clickhouse.udf import Udf
from tbpy.clickhouse.udf.best_effort import parse_best_effort

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})\Z")
_MOMENT = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?"
    r" ?(?:(?:Z|UTC|GMT)|([+-])(\d\d):?(\d\d)?)?\Z"
)
_OTHER = re.compile(r".*[A-Za-z /-]\d{4}([ T].*)?\Z|\d{4}[-/]\d{1,2}[-/]\d{1,2}.*\Z", re.DOTALL)
_EPOCH = datetime(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
_LAST_SECOND = datetime(2106, 2, 7, 6, 28, 15)
_OBJECTS = "JSON(max_dynamic_types=16, max_dynamic_paths=256)"
_TIMES = ("Date", "DateTime", "DateTime64(9)")

Typed = tuple[str, Any]


class Pairs(tuple[tuple[str, Any], ...]):
    """The members of an object as they are written, so that none gets lost where two have one name."""


class Digits(str):
    """A number that is written as it stands."""


def add_path(found: dict[str, Any], path: str, value: Any) -> None:
    if path in found:
        hint = "You can enable setting type_json_skip_duplicated_paths to skip duplicated paths during insert"
        raise ValueError(f"Duplicate path found during parsing JSON object: {path}. {hint}")
    found[path] = value


def nested(paths: dict[str, Any]) -> dict[str, Any]:
    """Values by their paths as an object of objects, in ClickHouse's order: that of the paths."""
    document: dict[str, Any] = {}
    for path in sorted(paths):
        *above, last = path.split(".")
        place = document
        for key in above:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise ValueError(f"A value and an object at one path ({path}) are not supported by tbpy yet")
        if last in place:
            raise ValueError(f"A value and an object at one path ({path}) are not supported by tbpy yet")
        place[last] = paths[path]
    return document


def _object(pairs: Pairs) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, item in leaves(pairs, ""):
        add_path(found, path, typed(item)[1])
    return nested(found)


def leaves(pairs: Pairs, prefix: str) -> Iterator[tuple[str, Any]]:
    """The paths of an object and their values, without those that have none."""
    for key, item in pairs:
        if isinstance(item, Pairs):
            yield from leaves(item, f"{prefix}{key}.")
        elif item is not None:
            yield f"{prefix}{key}", item


def loads(text: str) -> Any:
    return json.loads(text, object_pairs_hook=Pairs)


def _temporal(text: str) -> Typed | None:
    """A text that is a date or a time: its type, and how ClickHouse prints it."""
    found = _DATE.match(text)
    if found is not None:
        return _day(*map(int, found.groups()))
    found = _MOMENT.match(text)
    if found is not None:
        return _moment(found)
    if not _OTHER.match(text):
        return None
    parsed = parse_best_effort(text, "dmy", True)["us"]
    return None if parsed is None else _printed(_EPOCH + timedelta(microseconds=parsed), None)


def _day(year: int, month: int, day: int) -> Typed | None:
    if not 1 <= month <= 12 or not 1 <= day <= 31 or not 1 <= year < 2300:
        return None
    found = date(year, month, 1) + timedelta(days=day - 1)
    if _FIRST_DAY <= found <= _LAST_DAY:
        return "Date", found.isoformat()
    return "DateTime64(9)", f"{found.isoformat()} 00:00:00.{'0' * 9}"


def _moment(found: re.Match[str]) -> Typed | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    if not 1 <= month <= 12 or not 1 <= day <= 31 or not 1 <= year < 2300:
        return None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    clock = timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
    return _printed(datetime(year, month, 1) + clock - offset, fraction)


def _printed(moment: datetime, fraction: str | None) -> Typed:
    if fraction is None and not moment.microsecond and _EPOCH <= moment <= _LAST_SECOND:
        return "DateTime", moment.isoformat(" ")
    digits = f"{moment.microsecond:06d}" if fraction is None else fraction
    return "DateTime64(9)", f"{moment.replace(microsecond=0).isoformat(' ')}.{digits[:9].ljust(9, '0')}"


def typed(value: Any) -> Typed:
    """The type of a value below a path, and the value as it is stored."""
    if value is None:
        return "None", None
    if isinstance(value, bool):
        return "Bool", value
    if isinstance(value, int):
        return ("Int64" if value < 1 << 63 else "UInt64", value) if -(1 << 63) <= value < 1 << 64 else _large(value)
    if isinstance(value, float):
        return "Float64", value
    if isinstance(value, str):
        return _temporal(value) or ("String", value)
    if isinstance(value, Pairs):
        if len(value) == 1 and value[0][0].startswith(TAG):
            return value[0][0].removeprefix(TAG), value[0][1]
        return "JSON", _object(value)
    return _array(value)


def _large(value: int) -> Typed:
    return "String", str(value)


def _array(values: list[Any]) -> Typed:
    items = [typed(value) for value in values]
    kinds = {kind for kind, _ in items} - {"None"}
    if len(kinds) > 1:  # an empty array is of the type of the others
        kinds = {kind for kind, value in items if kind != "None" and value != []}
    stored = [value for _, value in items]
    if len(kinds) == 1:
        [kind] = kinds
        if kind == "JSON":
            return f"Array({_OBJECTS})", stored
        return (f"Array({kind})" if kind.startswith("Array") else f"Array(Nullable({kind}))"), stored
    if not kinds:
        return "Array(Nullable(String))", stored
    if kinds == {"Int64", "Float64"}:
        return "Array(Nullable(Float64))", stored
    if kinds == {"Bool", "Int64"}:
        return "Array(Nullable(Int64))", [None if value is None else int(value) for value in stored]
    if kinds <= set(_TIMES):
        return _times(items)
    if kinds <= {*_TIMES, "String"}:
        return "Array(Nullable(String))", values
    return "Array(Dynamic)", stored


def _times(items: list[Typed]) -> Typed:
    """Dates and times together are all as precise as the most precise one."""
    kind = max((kind for kind, _ in items if kind != "None"), key=_TIMES.index)
    length = 19 if kind == "DateTime" else 29
    return f"Array(Nullable({kind}))", [
        text and text + "0000-00-00 00:00:00.000000000"[len(text) : length] for _, text in items
    ]


def dumped(value: Any, number: Callable[[float], str] = repr) -> str:
    """JSON text; `number` writes floats, by default so that they stay floats when they are read again."""
    if isinstance(value, float):
        return number(value) if value == value and abs(value) != float("inf") else "null"
    if isinstance(value, dict | Pairs):
        members = value.items() if isinstance(value, dict) else value
        return "{" + ",".join(f"{dumped(key)}:{dumped(item, number)}" for key, item in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumped(item, number) for item in value) + "]"
    if isinstance(value, Digits):
        return value
    return json.dumps(value, ensure_ascii=False)


def value_stored(text: str) -> str:
    """A value of JSON text as it is stored below a path."""
    return dumped(typed(loads(text))[1])


def type_of(text: str | None) -> str:
    if text is None:
        return "None"
    kind = typed(loads(text))[0]
    return "None" if kind == "JSON" else kind  # an object is no value of a path


def compared(left: str | None, right: str | None) -> int | None:
    """-1, 0 or 1 as the first value of a path is less, equal or greater; None where either is missing."""
    if left is None or right is None:
        return None
    (kind, one), (other_kind, other) = typed(loads(left)), typed(loads(right))
    if "None" in (kind, other_kind):
        return None
    numbers = [one for one in (kind, other_kind) if re.fullmatch(r"U?Int\d+|Float\d+", one)]
    if kind != other_kind and len(numbers) < 2:
        raise ValueError(f"NO_COMMON_TYPE: There is no supertype for types {kind}, {other_kind}")
    if not numbers and kind not in ("String", "Bool", *_TIMES):
        raise ValueError(f"Comparison of {kind} is not supported by tbpy yet")
    if isinstance(one, str):
        one, other = one.encode(), other.encode()
    return int(one > other) - int(one < other)


def calculated(symbol: str, left: str | None, right: str | None) -> str | None:
    """Of two numbers below paths, as JSON text; whole ones wrap around in 64 bits."""
    if left is None or right is None:
        return None
    (kind, one), (other_kind, other) = typed(loads(left)), typed(loads(right))
    if "None" in (kind, other_kind):
        return None
    if not all(re.fullmatch(r"U?Int\d+|Float64", one) for one in (kind, other_kind)):
        raise ValueError(f"Arithmetic of {kind} and {other_kind} below JSON paths is not supported by tbpy yet")
    if symbol == "/":
        if not other:
            raise ValueError("Division by zero below JSON paths is not supported by tbpy yet")
        return dumped(float(one) / float(other))
    result = {"+": one + other, "-": one - other, "*": one * other}[symbol]
    if isinstance(result, int):
        return str((result + (1 << 63)) % (1 << 64) - (1 << 63))
    return repr(float(result))


def printed(text: str, whole: bool) -> str:
    """A stored document as ClickHouse prints it: in order of its paths, without nulls but those of typed paths."""
    return write(text, None, whole=whole)


_V = "VARCHAR"

FUNCTIONS = {
    "tb_json_printed": Udf(printed, (_V, "BOOLEAN"), _V),
    "tb_json_value": Udf(value_stored, (_V,), _V),
    "tb_json_type": Udf(type_of, (_V,), _V, null_handling="special"),
    "tb_json_calculated": Udf(calculated, (_V, _V, _V), _V, null_handling="special"),
    "tb_json_compare": Udf(compared, (_V, _V), "INTEGER", null_handling="special"),
}
