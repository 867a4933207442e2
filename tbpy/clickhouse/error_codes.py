"""Failures that happen while a query runs: the compiled SQL calls DuckDB's `error('NAME: message')`.

A Python function raises `ValueError("NAME: message")` instead. The name is ClickHouse's, so that whoever runs the SQL
can tell the failure with ClickHouse's code.
Source: ClickHouse documentation, "ErrorCodes".
"""

from __future__ import annotations

import re

CODES = {
    "CANNOT_PARSE_TEXT": 6,
    "PARAMETER_OUT_OF_BOUND": 12,
    "CANNOT_PARSE_INPUT_ASSERTION_FAILED": 27,
    "BAD_ARGUMENTS": 36,
    "CANNOT_PARSE_DATE": 38,
    "CANNOT_PARSE_DATETIME": 41,
    "ILLEGAL_TYPE_OF_ARGUMENT": 43,
    "ILLEGAL_COLUMN": 44,
    "NOT_IMPLEMENTED": 48,
    "TYPE_MISMATCH": 53,
    "ARGUMENT_OUT_OF_BOUND": 69,
    "CANNOT_CONVERT_TYPE": 70,
    "CANNOT_PARSE_NUMBER": 72,
    "INCORRECT_DATA": 117,
    "TOO_LARGE_ARRAY_SIZE": 128,
    "TOO_LARGE_STRING_SIZE": 131,
    "ZERO_ARRAY_OR_TUPLE_INDEX": 135,
    "ILLEGAL_DIVISION": 153,
    "SIZES_OF_ARRAYS_DONT_MATCH": 190,
    "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE": 321,
    "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN": 349,
    "CANNOT_PARSE_UUID": 376,
    "NO_COMMON_TYPE": 386,
    "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO": 395,
    "DECIMAL_OVERFLOW": 407,
    "CANNOT_PARSE_BOOL": 467,
    "INVALID_WITH_FILL_EXPRESSION": 475,
    "CANNOT_PARSE_IPV4": 675,
    "CANNOT_PARSE_IPV6": 676,
    "UNKNOWN_ELEMENT_OF_ENUM": 691,
}

_NAMED = re.compile(r"(?:Python exception occurred while executing the UDF: \w+: )?([A-Z][A-Z0-9_]+): (.*)", re.DOTALL)

#: What DuckDB, or the RE2 inside of it, says by itself: the code and name that ClickHouse has for it, and its words
_FOREIGN: tuple[tuple[re.Pattern[str], int, str, str], ...] = (
    (
        re.compile(
            r"(?:missing [)\]]|no argument for repetition operator|bad repetition operator|trailing \\|"
            r"invalid (?:repetition size|perl operator|escape sequence|character class range|named capture group)).*",
            re.DOTALL,
        ),
        427,
        "CANNOT_COMPILE_REGEXP",
        "OptimizedRegularExpression: cannot compile re2: {0}",
    ),
    (
        re.compile(r"Could not decode string \"(.*)\" as base64.*", re.DOTALL),
        117,
        "INCORRECT_DATA",
        "Invalid base64Decode value ({1}), cannot be decoded",
    ),
    (
        re.compile(r"More than one row returned by a subquery.*", re.DOTALL),
        125,
        "INCORRECT_RESULT_OF_SCALAR_SUBQUERY",
        "Scalar subquery returned more than one row",
    ),
    (
        re.compile(r"Cannot create a string of size: '(\d+)', the maximum supported string size is.*", re.DOTALL),
        131,
        "TOO_LARGE_STRING_SIZE",
        "Too large string size ({1})",
    ),
    (
        re.compile(r"Casting value \".*\" to type DECIMAL\(.*\) failed: value is out of range!.*", re.DOTALL),
        407,
        "DECIMAL_OVERFLOW",
        "Decimal math overflow",
    ),
    (re.compile(r"Unknown TimeZone '(.*?)'.*", re.DOTALL), 36, "BAD_ARGUMENTS", "Cannot load time zone {1}"),
)


def named_failure(message: str) -> tuple[int, str, str] | None:
    """(code, name, text) of a message that begins with a name or says what ClickHouse has a code for; else None."""
    match = _NAMED.match(message)
    code = CODES.get(match.group(1)) if match is not None else None
    if match is not None and code is not None:
        return code, match.group(1), match.group(2)
    for pattern, code, name, words in _FOREIGN:
        found = pattern.fullmatch(message)
        if found is not None:
            return code, name, words.format(found[0].replace("(?s)", ""), *found.groups())
    return None
