"""The functions of the template language. Each takes the frame of the rendering, then the template's arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tbpy.errors import CustomTemplateError, TemplateError
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
_NO_ARGUMENT = "one of the transform type functions is missing an argument"
_OPERANDS = {"gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "in": "in", "not_in": "not in"}
_NOT_SPLITTABLE = (
    "First argument of split_to_array has to be a value that can be split to a list of elements, "
    "but found {} with value {}"
)


def _typed(type_name: str, *, bare: bool = False) -> TemplateFunction:
    """The function of a parameter type. `bare` results print as plain numbers and not as a conversion."""
    convert, test_value = CONVERTERS[type_name], TEST_VALUES[type_name]

    def parameter(
        frame: Frame,
        value: Any = _ABSENT,
        default: Any = None,
        description: Any = None,
        required: Any = None,
        enum: Any = None,
        example: Any = None,
        format: Any = None,  # noqa: A002 - the argument's name in the language
        defined: Any = True,
    ) -> Any:
        given = _given(frame, value, default, test_value, defined)
        if given is None:
            return None
        try:
            result = convert(given, type_name)
        except (ValueError, TypeError, OverflowError):
            raise TemplateError(f"Error validating '{given}' to type {type_name}") from None
        return int(result) if bare else result

    return parameter


def _given(frame: Frame, value: Any, default: Any, test_value: Any, defined: Any) -> Any:
    """The value, else the default, else what test mode gives; None only when `defined=False` says it may lack."""
    if value is _ABSENT:
        raise TemplateError(_NO_ARGUMENT)
    if not is_missing(value):
        return value
    if not is_missing(default):
        return default
    if frame.test_mode:
        return test_value
    if not defined:
        return None
    raise _required(frame)


def _required(frame: Frame) -> TemplateError:
    message = "Required parameter is not defined"
    if not frame.required:
        return TemplateError(message)
    names = " and ".join(frame.required)
    return TemplateError(
        f"{message}. Check the parameters {names}. Please provide a value or set a default value in the pipe code."
    )


def _boolean(
    frame: Frame,
    value: Any = _ABSENT,
    default: Any = None,
    description: Any = None,
    required: Any = None,
    enum: Any = None,
    example: Any = None,
    format: Any = None,  # noqa: A002
    defined: Any = True,
) -> int | None:
    if value is _ABSENT:
        raise TemplateError(_NO_ARGUMENT)
    if is_missing(value) and is_missing(default):
        return 0 if defined else None
    result: int = CONVERTERS["Boolean"](default if is_missing(value) else value, "Boolean")
    return result


def _array(
    frame: Frame,
    value: Any = _ABSENT,
    _type: Any = "String",
    default: Any = None,
    description: Any = None,
    required: Any = None,
    enum: Any = None,
    example: Any = None,
    format: Any = None,  # noqa: A002
    defined: Any = True,
) -> SqlText | None:
    type_name = str(_type)
    test_value = [TEST_VALUES[type_name]] * 2 if TEST_VALUES.get(type_name, "__no_value__") != "__no_value__" else ""
    given = _given(frame, value, default, test_value, defined)
    if given is None:
        return None
    if not isinstance(given, (str, list, tuple)):
        raise TemplateError("transform type function Array is not well defined")
    return array_text(given, type_name)


def _json(
    frame: Frame,
    value: Any = _ABSENT,
    default: Any = None,
    description: Any = None,
    required: Any = None,
    enum: Any = None,
    example: Any = None,
    format: Any = None,  # noqa: A002
    defined: Any = True,
) -> Any:
    """The parsed value of JSON text; an empty object when there is none."""
    if value is _ABSENT:
        raise TemplateError(_NO_ARGUMENT)
    given = default if is_missing(value) else value
    if is_missing(given):
        if not frame.test_mode:
            return {}
        given = TEST_VALUES["String"]
    if not isinstance(given, str):
        return given
    try:
        return frame.weigh(json.loads(given))
    except ValueError as error:
        raise TemplateError(f"Error parsing JSON: '{given}' - {error}") from None


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
    raise TemplateError(str(message))


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
    "Boolean": _boolean,
    "Array": _array,
    "JSON": _json,
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
