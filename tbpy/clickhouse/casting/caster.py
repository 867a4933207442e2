"""One explicit conversion: a value of any type as a value of another, strict or lenient.

Strict conversions fail where the value cannot be read, lenient ones give NULL there (`OrNull`, and, with a value put in
its place, `OrZero` and `OrDefault`). Known values are converted now.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import printing
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.binary import bytes_of, is_binary, text_of
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.documents import PRINTED, printed_sql
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type
from tbpy.errors import QueryError

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.expressions import ExpressionCompiler


@dataclass(frozen=True, slots=True)
class Caster:
    """`lenient`: NULL in place of failure. `accurate`: a number that does not fit is a failure, it does not wrap.

    `basic`: times are read in their usual spelling only, not in those of parseDateTimeBestEffort.
    """

    compiler: ExpressionCompiler
    node: ast.Node | None
    lenient: bool = False
    accurate: bool = False
    basic: bool = False
    zone: str | None = None  # of dates and times that are read or printed, where a call names one

    def cast(self, value: Typed, target: t.Type) -> Typed:
        """As CAST does: the result has the type `target` exactly; NULL into a type without NULL fails."""
        if value.type == target:
            return value.as_type(target)
        inner, source = _bare(target), _bare(value.type)
        optional = t.is_nullable(value.type) and not isinstance(source, t.Dynamic | t.Variant)
        if isinstance(source, t.Dynamic) and not isinstance(inner, t.Dynamic):
            from tbpy.clickhouse.casting.dynamic import from_dynamic

            return from_dynamic(self, value, target)
        if isinstance(source, t.Variant) and not isinstance(inner, t.Variant):
            from tbpy.clickhouse.casting.variants import from_variant

            return from_variant(self, value.as_type(source), target)
        if isinstance(source, t.Nothing) or (value.known and value.value is None):
            return self._nothing(value, target)
        caster = self if not self._may_be_null(source, target) else replace(self, lenient=True)
        result = caster.plain(value.as_type(source), inner)
        if optional and isinstance(inner, t.Tuple) and result.sql != value.sql:  # a tuple put together is never NULL
            result = replace(result, sql=f"(CASE WHEN {value.sql} IS NOT NULL THEN {result.sql} END)")
        if optional and not t.is_nullable(target):
            message = "'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN: Cannot convert NULL value to non-Nullable type'"
            result = replace(result, sql=f"coalesce({result.sql}, error({message}))", condition=None)
        return replace(result, type=target)

    def _may_be_null(self, source: t.Type, target: t.Type) -> bool:
        """A text that cannot be read as the inside of Nullable is NULL, but for Bool and Enum."""
        text = isinstance(source, t.String | t.FixedString) and t.is_nullable(target)
        return text and not isinstance(_bare(target), t.Bool | t.Enum | t.Variant)

    def _nothing(self, value: Typed, target: t.Type) -> Typed:
        if not t.is_nullable(target) and not self.lenient:
            text = "Cannot convert NULL to a non-nullable type"
            raise QueryError(text, code=70, name="CANNOT_CONVERT_TYPE", place=failures.place(self.node))
        return replace(value, sql=f"CAST(NULL AS {duckdb_type(target)})", type=target, condition=None)

    def plain(self, value: Typed, target: t.Type) -> Typed:
        """Between two types without Nullable and LowCardinality; SQL is NULL where the value is."""
        source = value.type
        if isinstance(source, t.Dynamic) and not isinstance(target, t.Dynamic):
            from tbpy.clickhouse.casting.dynamic import from_dynamic

            return from_dynamic(self, value, target)
        if isinstance(source, t.Variant) and not isinstance(target, t.Variant):
            from tbpy.clickhouse.casting.variants import from_variant

            return from_variant(self, value, target)
        if source == target and not isinstance(source, t.DateTime | t.DateTime64):
            return value
        if isinstance(source, t.FixedString) and not isinstance(target, t.String | t.FixedString | t.Enum):
            value = to_string(self, value, t.STRING)
        convert = _TARGETS.get(type(target))
        if convert is None:
            self.refuse(source, target)
        return replace(convert(self, value, target), type=target)

    def refuse(self, source: t.Type, target: t.Type) -> NoReturn:
        raise failures.unsupported(f"Conversion of {source} to {target}", self.node)

    def wrong(self, source: t.Type, target: t.Type) -> NoReturn:
        text = f"Conversion of {source} to {target} is not possible"
        raise QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=failures.place(self.node))

    def failed(self, value: Any, target: t.Type, code: int = 6, name: str = "CANNOT_PARSE_TEXT") -> Typed:
        """A known value that cannot be converted."""
        if self.lenient:
            return Typed(f"CAST(NULL AS {duckdb_type(target)})", target, constant=True, value=None)
        raise QueryError(unparsed(value, target, code), code=code, name=name, place=failures.place(self.node))

    def checked(self, value: Typed, condition: str, sql: str, target: t.Type) -> Typed:
        """`sql` where the condition holds; elsewhere a failure, or NULL when lenient."""
        if self.lenient:
            body = f"(CASE WHEN {condition} THEN {sql} END)"
        else:
            head = duckdb_string(_FAILURES.get(type(target), "CANNOT_PARSE_TEXT") + ": '")
            tail = duckdb_string(f"' cannot be read as {target}")
            failure = f"error({head} || {_shown(value)} || {tail})"
            body = f"(CASE WHEN {condition} THEN {sql} WHEN {value.sql} IS NOT NULL THEN {failure} END)"
        return self.result(value, body, target)

    @property
    def try_cast(self) -> str:
        return "TRY_CAST" if self.lenient else "CAST"

    @staticmethod
    def result(value: Typed, sql: str, target: t.Type, known: Any = UNKNOWN) -> Typed:
        return replace(value, sql=sql, type=target, condition=None, value=known)


#: ClickHouse's name of the error of a text that is no value of a type.
_FAILURES: dict[type[t.Type], str] = {
    t.Date: "CANNOT_PARSE_DATE",
    t.DateTime: "CANNOT_PARSE_DATETIME",
    t.DateTime64: "CANNOT_PARSE_DATETIME",
    t.UUID: "CANNOT_PARSE_UUID",
    t.Bool: "CANNOT_PARSE_BOOL",
    t.Enum: "UNKNOWN_ELEMENT_OF_ENUM",
    t.FixedString: "TOO_LARGE_STRING_SIZE",
}


_BEGINNING = re.compile(r"[+-]?\d+")


def unparsed(value: Any, target: t.Type, code: int) -> str:
    """ClickHouse's words for a text that is no value of a type."""
    if isinstance(target, t.Date | t.Date32) and code == 38:
        shape = "Cannot parse date: expected a date in the YYYY-MM-DD or YYYYMMDD format"
        return f"{shape}: Cannot parse {target} from String"
    if code == 72 and isinstance(target, t.Int):
        return f"Unsigned type must not contain '-' symbol: Cannot parse {target} from String"
    if code != 6 or not isinstance(value, str) or not isinstance(target, t.Int | t.Float | t.Decimal):
        return f"Cannot parse {value!r} as {target}"
    begun = _BEGINNING.match(value)
    where = "begin of string" if begun is None else f"position {begun.end()} (parsed just '{begun[0]}')"
    text = f"Cannot parse string '{value}' as {target}: syntax error at {where}"
    if isinstance(target, t.Decimal):
        return text
    return (
        f"{text}. Note: there are to{target}OrZero and to{target}OrNull functions, "
        "which returns zero/NULL instead of throwing exception"
    )


def _shown(value: Typed) -> str:
    return f"CAST({value.sql} AS VARCHAR)"


def _bare(type_: t.Type) -> t.Type:
    while isinstance(type_, t.LowCardinality | t.Nullable | t.SimpleAggregateFunction):
        type_ = type_.item
    return type_.structure if isinstance(type_, t.Geo) else type_


Conversion = Callable[[Caster, Typed, Any], Typed]

_TARGETS: dict[type[t.Type], Conversion] = {}


def target(*kinds: type[t.Type]) -> Callable[[Conversion], Conversion]:
    """Register the conversion to one kind of type."""

    def register(conversion: Conversion) -> Conversion:
        for kind in kinds:
            _TARGETS[kind] = conversion
        return conversion

    return register


@target(t.String)
def to_string(caster: Caster, value: Typed, target_: t.String) -> Typed:
    if value.known:
        text = printing.known_text(value.value, value.type)
        if text is not None:
            return Typed(duckdb_string(text), target_, constant=True, value=text)
    if isinstance(value.type, t.Json):
        printed = printed_sql(value.sql, value.type, caster.compiler.context.udf(PRINTED))
        return caster.result(value, printed, target_)
    if isinstance(value.type, t.IPv6):
        return caster.compiler.call("IPv6NumToString", value, node=caster.node)
    sql = printing.text_sql(value.exact(), value.type, caster.zone)
    if sql is None:
        caster.refuse(value.type, target_)
    return caster.result(value, sql, target_)


@target(t.FixedString)
def to_fixed_string(caster: Caster, value: Typed, target_: t.FixedString) -> Typed:
    if not isinstance(value.type, t.String | t.FixedString):
        caster.wrong(value.type, target_)
    length = target_.length
    if value.known and isinstance(value.value, str):
        size = len(value.value.encode())
        if size > length:
            return caster.failed(value.value, target_, 131, "TOO_LARGE_STRING_SIZE")
        text = value.value + "\0" * (length - size)
        return Typed(duckdb_string(text), target_, constant=True, value=text)
    if is_binary(value):
        blob = bytes_of(value)
        padded = text_of(f"({blob} || unhex(repeat('00', {length} - octet_length({blob}))))")
        return caster.result(value, padded, target_)
    sql = f"({value.sql} || repeat(chr(0), {length} - strlen({value.sql})))"
    return caster.checked(value, f"strlen({value.sql}) <= {length}", sql, target_)


@target(t.Enum)
def to_enum(caster: Caster, value: Typed, target_: t.Enum) -> Typed:
    names = [name for name, _ in target_.members]
    if isinstance(value.type, t.String | t.FixedString):
        if value.known:
            if value.value not in names:
                return caster.failed(value.value, target_, 691, "UNKNOWN_ELEMENT_OF_ENUM")
            return replace(value, type=target_)
        listed = ", ".join(map(duckdb_string, names))
        return caster.checked(value, f"{value.sql} IN ({listed})", value.sql, target_)
    if isinstance(value.type, t.Int | t.Bool):
        cases = " ".join(f"WHEN {number} THEN {duckdb_string(name)}" for name, number in target_.members)
        if value.known and value.value not in [number for _, number in target_.members]:
            return caster.failed(value.value, target_, 691, "UNKNOWN_ELEMENT_OF_ENUM")
        failure = "NULL" if caster.lenient else "error('UNKNOWN_ELEMENT_OF_ENUM: Unexpected value in enum')"
        sql = f"(CASE {value.sql} {cases} ELSE {failure} END)"
        return caster.result(value, sql, target_)
    if isinstance(value.type, t.Float):  # cut off, and what is no number of the enum's size is none of the enum
        whole = f"TRY_CAST(trunc({value.sql}) AS SMALLINT)"
        cases = " ".join(f"WHEN {number} THEN {duckdb_string(name)}" for name, number in target_.members)
        failure = "NULL" if caster.lenient else "error('CANNOT_CONVERT_TYPE: Value cannot be converted to enum type')"
        body = f"CASE {whole} {cases} ELSE {failure} END"
        return caster.result(value, f"(CASE WHEN {value.sql} IS NOT NULL THEN {body} END)", target_)
    if isinstance(value.type, t.Enum):
        numbers = dict(target_.members)
        if all(numbers.get(name) == number for name, number in value.type.members):
            return replace(value, type=target_)
        text = "Enum conversion changes value or loses an element"
        raise QueryError(text, code=70, name="CANNOT_CONVERT_TYPE", place=failures.place(caster.node))
    return caster.wrong(value.type, target_)


def enum_number(sql: str, type_: t.Enum) -> str:
    """The number of an enum's stored name."""
    cases = " ".join(f"WHEN {duckdb_string(name)} THEN {number}" for name, number in type_.members)
    return f"(CASE {sql} {cases} END)"
