"""Types whose arguments are numbers and texts: FixedString, Decimal, Enum, DateTime, Time, Dynamic.

Each builder takes the arguments as written and raises `QueryError` with ClickHouse's wording. Source: ClickHouse's
public documentation of data types, and the errors recorded from ClickHouse 26.9.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo

from tbpy.clickhouse import types as t
from tbpy.clickhouse.type_syntax import Argument, Assigned, Constant
from tbpy.errors import QueryError

Arguments = tuple[Argument, ...]

ARITY, ILLEGAL, UNEXPECTED, BAD = (
    (42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH"),
    (43, "ILLEGAL_TYPE_OF_ARGUMENT"),
    (223, "UNEXPECTED_AST_STRUCTURE"),
    (36, "BAD_ARGUMENTS"),
)
RANGE, EMPTY, SYNTAX = (69, "ARGUMENT_OUT_OF_BOUND"), (92, "EMPTY_DATA_PASSED"), (62, "SYNTAX_ERROR")
NO_ARGUMENTS, UNKNOWN, DUPLICATE = (
    (378, "DATA_TYPE_CANNOT_HAVE_ARGUMENTS"),
    (50, "UNKNOWN_TYPE"),
    (15, "DUPLICATE_COLUMN"),
)


def type_error(kind: tuple[int, str], message: str) -> QueryError:
    return QueryError(message, code=kind[0], name=kind[1])


def fixed_string(arguments: Arguments) -> t.Type:
    if len(arguments) != 1:
        raise type_error(ARITY, "FixedString data type family must have exactly one argument - size in bytes")
    size = whole(arguments[0])
    if size is None or size <= 0:
        message = "FixedString data type family must have a number (positive integer) as its argument"
        raise type_error(UNEXPECTED, message)
    return t.FixedString(size)


def whole(argument: Argument) -> int | None:
    value = argument.value if isinstance(argument, Constant) else None
    return value if isinstance(value, int) else None


def decimal(arguments: Arguments) -> t.Type:
    if len(arguments) > 2:
        message = "Decimal data type family must have precision and optional scale arguments"
        raise type_error(ARITY, message)
    numbers = [whole(argument) for argument in arguments]
    if None in numbers:
        raise type_error(ILLEGAL, "Decimal argument precision or scale is invalid")
    precision, scale = ([number for number in numbers if number is not None] + [None, None])[:2]
    return _checked_decimal(10 if precision is None else precision, scale or 0)


def _checked_decimal(precision: int, scale: int) -> t.Decimal:
    if not 1 <= precision <= 76:
        raise type_error(RANGE, f"Wrong precision: it must be between 1 and 76, got {precision}")
    if not 0 <= scale <= precision:
        raise type_error(RANGE, "Negative scales and scales larger than precision are not supported")
    return t.Decimal(precision, scale)


def sized_decimal(precision: int) -> Callable[[Arguments], t.Type]:
    def build(arguments: Arguments) -> t.Type:
        scale = whole(arguments[0]) if len(arguments) == 1 else None
        if scale is None:
            family = "Decimal32 | Decimal64 | Decimal128 | Decimal256"
            raise type_error(ARITY, f"{family} data type family must have exactly one arguments: scale")
        return _checked_decimal(precision, scale)

    return build


def enum(bits: int | None) -> Callable[[Arguments], t.Type]:
    def build(arguments: Arguments) -> t.Type:
        if not arguments:
            raise type_error(EMPTY, "Enum data type cannot be empty")
        members = _numbered(arguments)
        numbers = [number for _, number in members]
        width = bits or (8 if all(-128 <= number <= 127 for number in numbers) else 16)
        _check_members(members, width)
        return t.Enum(width, tuple(sorted(members, key=lambda member: member[1])))

    return build


def _numbered(arguments: Arguments) -> list[tuple[str, int]]:
    """Names with numbers: given for each, or counted up from the first one's (1 when it has none)."""
    first, rest = arguments[0], arguments[1:]
    start = first.value if isinstance(first, Assigned) else 1
    if all(isinstance(argument, Assigned) for argument in arguments):
        return [(argument.name, argument.value) for argument in arguments if isinstance(argument, Assigned)]
    names = [first.name if isinstance(first, Assigned) else text_of(first), *map(text_of, rest)]
    if None in names:
        message = (
            "All elements of Enum data type must be of form: 'name' = number or 'name', where name is string literal "
            "and number is an integer"
        )
        raise type_error(UNEXPECTED, message)
    return [(str(name), start + place) for place, name in enumerate(names)]


def text_of(argument: Argument) -> str | None:
    value = argument.value if isinstance(argument, Constant) else None
    return value if isinstance(value, str) else None


def _check_members(members: list[tuple[str, int]], bits: int) -> None:
    by_name: dict[str, int] = {}
    by_number: dict[int, str] = {}
    limit = 1 << (bits - 1)
    for name, number in members:
        if not -limit <= number < limit:
            raise type_error(RANGE, f"Value {number} for element '{name}' exceeds range of Enum{bits}")
        if name in by_name:
            raise type_error(SYNTAX, f"Duplicate names in enum: '{name}' = {number} and {by_name[name]}")
        if number in by_number:
            raise type_error(SYNTAX, f"Duplicate values in enum: '{name}' = {number} and '{by_number[number]}'")
        by_name[name], by_number[number] = number, name


def datetime(arguments: Arguments) -> t.Type:
    scale = whole(arguments[0]) if arguments else None
    if scale == 0:
        return datetime(arguments[1:])
    if scale is not None:
        return datetime64(arguments)
    if len(arguments) > 1:
        raise type_error(ARITY, "DateTime data type can optionally have only one argument - time zone name")
    return t.DateTime(_zone(arguments[0], "DateTime") if arguments else None)


def datetime64(arguments: Arguments) -> t.Type:
    if len(arguments) > 2:
        message = "DateTime64 data type can optionally have two argument - scale and time zone name"
        raise type_error(ARITY, message)
    precision = 3
    if arguments:
        found = whole(arguments[0])
        if found is None:
            message = "Parameter #0 'scale' for DateTime64 has wrong type: String, expected UInt64 literal"
            raise type_error(ILLEGAL, message)
        precision = found
    if not 0 <= precision <= 9:
        message = f"Scale {precision} is too large for DateTime64. Maximum is up to nanoseconds (9)"
        raise type_error(RANGE, message)
    return t.DateTime64(precision, _zone(arguments[1], "DateTime64") if len(arguments) > 1 else None)


def _zone(argument: Argument, family: str) -> str:
    zone = text_of(argument)
    if zone is None:
        raise type_error(ILLEGAL, f"Parameter 'timezone' for {family} has wrong type, expected String literal")
    if not _zone_exists(zone):
        raise type_error(BAD, f"Cannot load time zone {zone}")
    return zone


@lru_cache(maxsize=512)
def _zone_exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):
        return False
    return True


def time64(arguments: Arguments) -> t.Type:
    precision = whole(arguments[0]) if arguments else 3
    if precision is None or not 0 <= precision <= 9:
        raise type_error(RANGE, f"Scale {precision} is too large for Time64. Maximum is up to nanoseconds (9)")
    return t.Time(precision)


def legacy_object(arguments: Arguments) -> t.Type:
    if len(arguments) != 1 or (text_of(arguments[0]) or "").lower() != "json":
        raise type_error(ARITY, "Object data type family must have one constant string parameter: 'json'")
    return t.Json(legacy=True)


def dynamic(arguments: Arguments) -> t.Type:
    if not arguments:
        return t.Dynamic()
    limit = arguments[0]
    if len(arguments) != 1 or not isinstance(limit, Assigned) or limit.name != "max_types":
        message = "Dynamic data type argument should be in a form 'max_types=N'"
        raise type_error(UNEXPECTED, message)
    return t.Dynamic(limit.value)
