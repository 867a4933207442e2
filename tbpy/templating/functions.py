"""The functions of the template language. Each takes the frame of the rendering, then the template's arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tbpy.errors import CustomTemplateError, RaisedTemplateError, TemplateError
from tbpy.templating import dates, identifiers, settings
from tbpy.templating.frame import Frame
from tbpy.templating.values import (
    CONVERTERS,
    TEST_VALUES,
    SqlText,
    array_text,
    is_missing,
    quote,
    sql_text,
)

TemplateFunction = Callable[..., Any]

_ABSENT = object()
_OPERANDS = {"gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "in": "in", "not_in": "not in"}
_NOT_SPLITTABLE = (
    "First argument of split_to_array has to be a value that can be split to a list of elements, "
    "but found {} with value {}"
)


def _parameter_type(read: Callable[[Frame, Any], Any], absent: Callable[[Frame, Any], Any]) -> TemplateFunction:
    """The function of a parameter type: `read` checks and converts a value, `absent` says what stands for none."""

    def parameter(
        frame: Frame,
        value: Any = _ABSENT,
        default: Any = None,
        description: Any = None,
        required: Any = None,
        enum: Any = None,
        example: Any = None,
        format: Any = None,
        defined: Any = True,
    ) -> Any:
        given = _given(frame, value, default, defined, absent)
        return None if given is None else read(frame, given)

    return parameter


def _given(frame: Frame, value: Any, default: Any, defined: Any, absent: Callable[[Frame, Any], Any]) -> Any:
    if value is _ABSENT:
        raise TemplateError("one of the transform type functions is missing an argument")
    if not is_missing(value):
        return value
    return absent(frame, defined) if is_missing(default) else default


def _absent(test_value: Any) -> Callable[[Frame, Any], Any]:
    """No value and no default: an error, but for test mode and for `defined=False`, where the result is None."""

    def absent(frame: Frame, defined: Any) -> Any:
        if frame.test_mode:
            return test_value
        if not defined:
            return None
        raise _required(frame)

    return absent


def _typed(type_name: str, *, bare: bool = False) -> TemplateFunction:
    """A type of numbers, text or dates. `bare` results print as plain numbers and not as a conversion."""
    convert = CONVERTERS[type_name]

    def read(frame: Frame, given: Any) -> Any:
        try:
            result = convert(given, type_name)
        except (ValueError, TypeError, OverflowError):
            raise TemplateError(f"Error validating '{given}' to type {type_name}") from None
        return int(result) if bare else result

    return _parameter_type(read, _absent(TEST_VALUES[type_name]))


def _required(frame: Frame) -> TemplateError:
    message = "Required parameter is not defined"
    if not frame.required:
        return TemplateError(message)
    names = " and ".join(frame.required)
    return TemplateError(
        f"{message}. Check the parameters {names}. Please provide a value or set a default value in the pipe code."
    )


def _array(
    frame: Frame,
    value: Any = _ABSENT,
    _type: Any = "String",
    default: Any = None,
    description: Any = None,
    required: Any = None,
    enum: Any = None,
    example: Any = None,
    format: Any = None,
    defined: Any = True,
) -> SqlText | None:
    type_name = str(_type)
    item = TEST_VALUES.get(type_name)
    test_value = "" if item is None or type_name == "String" else [item, item]
    given = _given(frame, value, default, defined, _absent(test_value))
    if given is None:
        return None
    if not isinstance(given, (str, list, tuple)):
        raise TemplateError("transform type function Array is not well defined")
    return array_text(given, type_name)


def _read_boolean(frame: Frame, given: Any) -> Any:
    return CONVERTERS["Boolean"](given, "Boolean")


def _absent_boolean(frame: Frame, defined: Any) -> int | None:
    return 0 if defined else None


def _read_json(frame: Frame, given: Any) -> Any:
    """The value of JSON text; what is no text is taken as parsed already."""
    if not isinstance(given, str):
        return given
    try:
        return frame.weigh(json.loads(given))
    except ValueError as error:
        raise TemplateError(f"Error parsing JSON: '{given}' - {error}") from None


def _absent_json(frame: Frame, defined: Any) -> Any:
    """An empty object; in test mode the text that stands for a missing string, which is no JSON."""
    return TEST_VALUES["String"] if frame.test_mode else {}


def _defined(frame: Frame, value: Any = None) -> bool:
    return not is_missing(value)


def _sql_and(frame: Frame, /, *ignored: Any, **conditions: Any) -> SqlText:
    """`column__operand=value` conditions joined by `and`; those without a value are left out."""
    return SqlText(" and ".join(_condition(k, v) for k, v in conditions.items() if v is not None))


def _condition(key: str, value: Any) -> str:
    column, separator, operand = key.rpartition("__")
    if not separator:
        return f"{key} = {sql_text(value)}"
    if operand not in _OPERANDS:
        raise TemplateError(f"operand {operand} not supported")
    return f"{column} {_OPERANDS[operand]} {sql_text(value)}"


def _sql_unescape(frame: Frame, value: Any, what: str = "") -> SqlText:
    """The literal of a text; `what='%'` keeps its percent signs as LIKE wildcards."""
    if value is None:
        raise _required(frame)
    literal = quote(str(value))
    return SqlText(literal.replace("\\%", "%") if what == "%" else literal)


def _split_to_array(frame: Frame, value: Any, default: Any = "", separator: str = ",") -> list[str]:
    text = default if is_missing(value) else value
    if not isinstance(text, str):
        raise TemplateError(_NOT_SPLITTABLE.format(type(text).__name__, text))
    items: list[str] = frame.weigh(text.split(separator))
    return [item.strip() for item in items]


def _enumerate_with_last(frame: Frame, values: Any) -> list[tuple[bool, Any]]:
    items = list(frame.take(values))
    return [(index == len(items), item) for index, item in enumerate(items, start=1)]


def _error(frame: Frame, message: Any, code: Any = None) -> SqlText:
    if frame.test_mode:
        return SqlText("-- {x} \n")
    raise RaisedTemplateError(str(message))


def _custom_error(frame: Frame, body: Any, code: Any = 400) -> SqlText:
    if frame.test_mode:
        return SqlText("-- {x} \n")
    raise CustomTemplateError(body, int(code))


def _tb_secret(frame: Frame, name: Any, default: Any = None) -> Any:
    """A query parameter that the secret's value is bound to, so that the value is never part of the SQL.

    Without the secret the default stands in the SQL as a literal; in test mode it is bound like a secret, and when no
    secrets are given at all any name is taken to exist.
    """
    key = str(name)
    if frame.secrets is not None and key in frame.secrets:
        frame.bound[key] = frame.secrets[key]
    elif is_missing(default):
        if not frame.test_mode or frame.secrets is not None:
            raise _missing_secret(key)
        frame.bound[key] = ""
    elif frame.test_mode:
        frame.bound[key] = str(default)
    else:
        return default
    return SqlText(f"{{{key}: String}}")


def _missing_secret(name: str) -> TemplateError:
    return TemplateError(
        f"Cannot access secret '{name}'. Check the secret exists in the Workspace and the token has the required scope."
    )


PARAMETER_TYPES: dict[str, TemplateFunction] = {
    **{name: _typed(name) for name in CONVERTERS if name != "Boolean"},
    "Int": _typed("Int32", bare=True),
    "Integer": _typed("Int32", bare=True),
    "Boolean": _parameter_type(_read_boolean, _absent_boolean),
    "Array": _array,
    "JSON": _parameter_type(_read_json, _absent_json),
}

FUNCTIONS: dict[str, TemplateFunction] = {
    **PARAMETER_TYPES,
    **identifiers.FUNCTIONS,
    **dates.FUNCTIONS,
    **settings.FUNCTIONS,
    "defined": _defined,
    "sql_and": _sql_and,
    "sql_unescape": _sql_unescape,
    "split_to_array": _split_to_array,
    "enumerate_with_last": _enumerate_with_last,
    "error": _error,
    "custom_error": _custom_error,
    "tb_secret": _tb_secret,
    "tb_var": _tb_secret,
}
