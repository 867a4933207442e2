"""Values of a template: what a parameter's text must look like for its type, and how a value becomes SQL text.

Types and texts are those of Tinybird's "Template functions" reference, as recorded in the conformance cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tbpy.errors import TemplateError

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "`": "\\`",
        "%": "\\%",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\0": "\\0",
    }
)


class SqlText(str):
    """Text that goes into the SQL as it stands: the result of `Array`, `column`, `sql_and` and their like."""

    __slots__ = ()


class TypedInteger(int):
    """A validated integer: computes as a number, prints as `toInt32('5')`."""

    sql: str

    def __new__(cls, value: int, type_name: str) -> TypedInteger:
        self = super().__new__(cls, value)
        self.sql = f"to{type_name}('{value}')"
        return self


class TypedFloat(float):
    """A validated float: computes as a number, prints as `toFloat64('1.5')`."""

    sql: str

    def __new__(cls, value: float, type_name: str) -> TypedFloat:
        self = super().__new__(cls, value)
        self.sql = f"to{type_name}('{value!r}')"
        return self


class Missing:
    """What a name without a value is in test mode: nearly anything may be done with it, but not an ordering.

    Comparing it by order would decide a branch by a value that has no type yet, so that is refused.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "placeholder"

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Missing]:
        return iter((self, self, self))

    def __getitem__(self, index: object) -> Missing:
        return self

    def __contains__(self, item: object) -> bool:
        return False

    def _same(self, other: object = None) -> Missing:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _same

    def _no_order(self, other: object) -> bool:
        raise TemplateError(
            "a parameter is compared without a type: you need to wrap it around a valid Data Type "
            "(e.g. Int8(placeholder))"
        )

    __lt__ = __le__ = __gt__ = __ge__ = _no_order


def is_missing(value: object) -> bool:
    return value is None or isinstance(value, Missing)


def escape(text: str) -> str:
    """The inside of a SQL string literal."""
    return text.translate(_ESCAPES)


def quote(text: str) -> str:
    """A SQL string literal."""
    return f"'{text.translate(_ESCAPES)}'"


def sql_text(value: Any) -> str:
    """How a value prints in `{{ }}`: text as a literal, typed results as themselves, the rest as Python spells it.

    None has no SQL text: the caller reports it.
    """
    if isinstance(value, str):
        return str(value) if isinstance(value, SqlText) else quote(value)
    if isinstance(value, (TypedInteger, TypedFloat)):
        return value.sql
    if isinstance(value, Missing):
        return quote(str(value))  # parameters come as text, so what stands in for one is text
    return repr(value)


def _integer_range(name: str) -> tuple[int, int]:
    bits = int(name.lstrip("UInt"))
    return (0, (1 << bits) - 1) if name.startswith("U") else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


INTEGER_TYPES = tuple(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256))
FLOAT_TYPES = ("Float32", "Float64")
_RANGES = {name: _integer_range(name) for name in INTEGER_TYPES}
# Up to 64 bits an unsigned number is digits only; the wide ones take a plus sign as well.
_SHAPES = {
    name: re.compile("[+-]?[0-9]+" if name[0] != "U" else "[+]?[0-9]+" if name[4:] in ("128", "256") else "[0-9]+")
    for name in INTEGER_TYPES
}
_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
_ZONE = "(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
DATE_SHAPES = {
    "Date": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "DateTime": re.compile(rf"{_TIME}(?:\.[0-9]+)?{_ZONE}"),
    "DateTime64": re.compile(rf"{_TIME}\.[0-9]{{3,}}{_ZONE}"),
}
# Test mode gives these where a parameter has neither a value nor a default.
TEST_VALUES: dict[str, Any] = (
    dict.fromkeys(INTEGER_TYPES, 0)
    | dict.fromkeys(FLOAT_TYPES, 0.0)
    | {
        "Boolean": 0,
        "String": "__no_value__",
        "Date": "2019-01-01",
        "DateTime": "2019-01-01 00:00:00",
        "DateTime64": "2019-01-01 00:00:00.000",
    }
)


def to_integer(value: Any, type_name: str) -> TypedInteger:
    """Raises ValueError unless the text of `value` is an integer of the type; leading zeros and a plus sign go."""
    text = str(value)
    if not _SHAPES[type_name].fullmatch(text):
        raise ValueError(text)
    number = int(text)
    low, high = _RANGES[type_name]
    if not low <= number <= high:
        raise ValueError(text)
    return TypedInteger(number, type_name)


def to_float(value: Any, type_name: str) -> TypedFloat:
    """Raises ValueError or TypeError unless Python's `float` takes the value."""
    return TypedFloat(float(value), type_name)


def to_boolean(value: Any, type_name: str = "Boolean") -> int:
    """0 for '', '0' and 'false' in any case, 1 for anything else."""
    return 0 if str(value).lower() in ("", "0", "false") else 1


def to_date_text(value: Any, type_name: str) -> str:
    """Raises ValueError unless the text has the shape of the type; the calendar is not consulted."""
    text = str(value)
    if not DATE_SHAPES[type_name].fullmatch(text):
        raise ValueError(text)
    return text


def to_text(value: Any, type_name: str = "String") -> str:
    return str(value)


CONVERTERS: dict[str, Callable[[Any, str], Any]] = (
    dict.fromkeys(INTEGER_TYPES, to_integer)
    | dict.fromkeys(FLOAT_TYPES, to_float)
    | dict.fromkeys(DATE_SHAPES, to_date_text)
    | {"Boolean": to_boolean, "String": to_text}
)


def array_text(value: str | list[Any] | tuple[Any, ...], type_name: str) -> SqlText:
    """A SQL array of text split on commas (blanks kept) or of a list; a type without a rule takes its items as text."""
    items = value.split(",") if isinstance(value, str) else value
    convert = CONVERTERS.get(type_name, to_text)
    return SqlText(f"[{','.join([_element(convert, item, type_name, i, items) for i, item in enumerate(items)])}]")


def _element(convert: Callable[[Any, str], Any], item: Any, type_name: str, index: int, items: Any) -> str:
    try:
        value = convert(item, type_name)
    except (ValueError, TypeError, OverflowError):
        shown = "empty string" if item == "" else item
        whole = ",".join(map(str, items))
        raise TemplateError(f"Error validating [{whole}][{index}] ({shown}) to type {type_name}") from None
    if isinstance(value, TypedInteger):
        return int.__repr__(value)
    return quote(value) if isinstance(value, str) else repr(value)
