"""What functions of strings share: which arguments are texts, constants among them, and case folding."""

from __future__ import annotations

import re
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import by_bytes
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.errors import QueryError

_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"


def text(call: Call, position: int = 0, *, fixed: bool = True, enum: bool = False) -> Typed:
    """A text argument. `fixed` and `enum` say whether ClickHouse takes FixedString and Enum there."""
    arg = call.args[position]
    kinds = (t.String, *((t.FixedString,) if fixed else ()), *((t.Enum,) if enum else ()))
    if isinstance(arg.type, t.FixedString) and not fixed and _TAKES_TYPE.match(call.name):
        raise failure(call, f"Illegal column {arg.type} of argument of function {call.name}", 44, "ILLEGAL_COLUMN")
    if not isinstance(arg.type, kinds):
        call.wrong_type()
    return arg


#: Functions that ClickHouse lets have a FixedString by its type, and refuses when they run
_TAKES_TYPE = re.compile(
    r"normalizeUTF8|caseFoldUTF8|remove\w+UTF8|soundex|basename|replace|REGEXP_REPLACE|countSubstrings|hasToken|"
    r"reverseUTF8|toValidUTF8|firstLine|domain|topLevelDomain|firstSignificant|cutToFirst|protocol|path|query|fragment|"
    r"cut(Query|Fragment|WWW)|(en|de)codeURL|netloc"
)


def known_text(arg: Typed) -> str | None:
    """The value of a text argument where it is known."""
    return arg.value if isinstance(arg.value, str) else None


def constant_text(call: Call, position: int, what: str) -> str:
    """The value of a text argument that must be constant."""
    value = call.constant_value(position, what)
    if not isinstance(value, str):
        call.wrong_type()
    return value


def constant_integer(call: Call, position: int, what: str) -> int:
    value = call.constant_value(position, what)
    if isinstance(value, bool) or not isinstance(value, int):
        call.wrong_type()
    return value


def integer(call: Call, position: int) -> str:
    """An integer argument as BIGINT, or as a bare literal where it is known."""
    arg = call.args[position]
    if not t.is_integer(arg.type):
        call.wrong_type()
    if isinstance(arg.value, int):
        return str(int(arg.value))
    return f"CAST({arg.sql} AS BIGINT)"


def cut_to_integers(call: Call, *positions: int) -> None:
    """Floats among the arguments in the places that ClickHouse cuts to whole numbers."""
    args = list(call.args)
    for position in positions:
        if position < len(args) and isinstance(args[position].type, t.Float):
            args[position] = call.compiler.call("toInt64", args[position], node=call.node)
    call.args = tuple(args)


def integer_value(call: Call, position: int) -> int | None:
    value = call.args[position].value
    return int(value) if isinstance(value, int) else None


def texts_known(call: Call) -> list[str] | None:
    """All arguments as Python texts, when all are known."""
    values: list[Any] = [arg.value for arg in call.args]
    return values if all(isinstance(value, str) for value in values) else None


def result(call: Call, sql: str, value: str | None = None, type_: t.Type = t.STRING) -> Typed:
    """A text result; a known one becomes a literal."""
    if value is not None:
        return constant(value, type_)
    return call.typed(sql, type_)


def lowered(arg: Typed) -> str:
    """ASCII lower case of a text."""
    return _folded(arg, "lower", _UPPER, _LOWER)


def uppered(arg: Typed) -> str:
    """ASCII upper case of a text."""
    return _folded(arg, "upper", _LOWER, _UPPER)


def _folded(arg: Typed, function: str, source: str, target: str) -> str:
    known = known_text(arg)
    if known is not None:
        return duckdb_string(known.translate(str.maketrans(source, target)))
    return by_bytes(arg, f"{function}({arg.sql})", f"translate({arg.sql}, '{source}', '{target}')")


def failure(call: Call, message: str, code: int = 36, name: str = "BAD_ARGUMENTS") -> QueryError:
    from tbpy.clickhouse.compiler.failures import place

    return QueryError(message, code=code, name=name, place=place(call.node))
