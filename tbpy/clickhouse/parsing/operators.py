"""Operators, the functions they stand for, and how tightly they bind. Source: ClickHouse's table of operators."""

from __future__ import annotations

LAMBDA, TERNARY, OR, AND, NOT, IS, BETWEEN, COMPARE, CONCAT, ADD, MULTIPLY, NEGATE = range(1, 13)

# Operators of one token with two operands.
BINARY: dict[str, tuple[int, str]] = {
    "OR": (OR, "or"),
    "AND": (AND, "and"),
    "=": (COMPARE, "equals"),
    "==": (COMPARE, "equals"),
    "!=": (COMPARE, "notEquals"),
    "<>": (COMPARE, "notEquals"),
    "<": (COMPARE, "less"),
    ">": (COMPARE, "greater"),
    "<=": (COMPARE, "lessOrEquals"),
    ">=": (COMPARE, "greaterOrEquals"),
    "<=>": (COMPARE, "isNotDistinctFrom"),
    "LIKE": (COMPARE, "like"),
    "ILIKE": (COMPARE, "ilike"),
    "REGEXP": (COMPARE, "match"),
    "~": (COMPARE, "match"),
    "!~": (COMPARE, "notMatch"),
    "~*": (COMPARE, "matchCaseInsensitive"),
    "!~*": (COMPARE, "notMatchCaseInsensitive"),
    "IN": (COMPARE, "in"),
    "||": (CONCAT, "concat"),
    "+": (ADD, "plus"),
    "-": (ADD, "minus"),
    "*": (MULTIPLY, "multiply"),
    "/": (MULTIPLY, "divide"),
    "%": (MULTIPLY, "modulo"),
    "MOD": (MULTIPLY, "modulo"),
    "DIV": (MULTIPLY, "intDiv"),
}

# Chains of these become one function of many arguments.
MERGED = frozenset({"and", "or", "concat"})

# The word behind NOT, and the function that both are.
NEGATED: dict[str, str] = {"LIKE": "notLike", "ILIKE": "notILike", "IN": "notIn"}

# Those whose pattern may say which sign escapes in it.
WITH_ESCAPE = frozenset({"like", "ilike", "notLike", "notILike"})

UNITS = {
    "NANOSECOND": "Nanosecond",
    "MICROSECOND": "Microsecond",
    "MILLISECOND": "Millisecond",
    "SECOND": "Second",
    "MINUTE": "Minute",
    "HOUR": "Hour",
    "DAY": "Day",
    "WEEK": "Week",
    "MONTH": "Month",
    "QUARTER": "Quarter",
    "YEAR": "Year",
}
UNIT_NAMES: dict[str, str] = (
    UNITS
    | {f"{unit}S": name for unit, name in UNITS.items()}
    | {
        **{f"SQL_TSI_{unit}": name for unit, name in UNITS.items()},
        "NS": "Nanosecond",
        "US": "Microsecond",
        "MS": "Millisecond",
        "SS": "Second",
        "S": "Second",
        "MI": "Minute",
        "N": "Minute",
        "HH": "Hour",
        "H": "Hour",
        "DD": "Day",
        "D": "Day",
        "WW": "Week",
        "WK": "Week",
        "MM": "Month",
        "M": "Month",
        "QQ": "Quarter",
        "Q": "Quarter",
        "YYYY": "Year",
        "YY": "Year",
    }
)

# Words that end an expression: they are an alias only behind AS. Source: ClickHouse's parser of aliases.
NO_ALIAS = frozenset(
    {
        "ALL",
        "AND",
        "ANTI",
        "ANY",
        "ARRAY",
        "AS",
        "ASOF",
        "BETWEEN",
        "CROSS",
        "DIV",
        "EXCEPT",
        "FINAL",
        "FORMAT",
        "FROM",
        "FULL",
        "GLOBAL",
        "GROUP",
        "HAVING",
        "ILIKE",
        "IN",
        "INNER",
        "INTERSECT",
        "INTO",
        "IS",
        "JOIN",
        "LEFT",
        "LIKE",
        "LIMIT",
        "MOD",
        "NOT",
        "OFFSET",
        "ON",
        "ONLY",
        "OR",
        "ORDER",
        "PASTE",
        "PREWHERE",
        "QUALIFY",
        "REGEXP",
        "RIGHT",
        "SAMPLE",
        "SEMI",
        "SETTINGS",
        "UNION",
        "USING",
        "WHERE",
        "WINDOW",
        "WITH",
    }
)

# Comparisons with the rows of a subquery: some are IN by another name, the others compare with one value of it.
MEMBERSHIP = {("equals", "ANY"): "in", ("notEquals", "ALL"): "notIn"}
ONE_VALUE = {"equals": "in", "notEquals": "notIn"}
_SMALLEST_FIRST = {"less": "min", "lessOrEquals": "min", "greater": "max", "greaterOrEquals": "max"}
_LARGEST_FIRST = {"less": "max", "lessOrEquals": "max", "greater": "min", "greaterOrEquals": "min"}
QUANTIFIERS = {"ALL": _SMALLEST_FIRST, "ANY": _LARGEST_FIRST, "SOME": _LARGEST_FIRST}
COMPARISONS = frozenset({"equals", "notEquals", *_SMALLEST_FIRST})
