"""Values of a request's parameters that a plan does not depend on: put in when it runs, so that one plan serves all.

A value is left open by a query parameter in its place, of which the compiler knows the type and nothing more. What
compiles so, and to the same SQL as with the value itself, is the plan of every other value of that type, too: where
ClickHouse takes a constant for more (a date, a pattern, a name of a column, a number of rows), the two differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.clickhouse.compiler.literals import integer_type
from tbpy.clickhouse.compiler.parameters import OpenLiteral, OpenText
from tbpy.clickhouse.quoting import duckdb_string

# Texts that are written alike in ClickHouse's SQL and DuckDB's, with nothing to escape.
_PLAIN = re.compile(r"[A-Za-z0-9_.:@/+-]{1,200}")
_DATE = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])")
_MOMENT = re.compile(_DATE.pattern + r" ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"(?<![\w.'])[0-9]+(?![\w.'])")
_CONVERTED = re.compile(r"\bto(U?Int(?:8|16|32|64)|Date|DateTime)\('([^'\\]*)'\)")
# DuckDB reads whole numbers below as INTEGER, others (of up to 18 digits) as BIGINT.
_SIZES = ("8", "16", "32", "64")
_INTEGERS = 1 << 31
# Before a number that ClickHouse must know to plan at all: one of rows, or a place among columns.
_COUNTS = ("LIMIT", "OFFSET", " BY")
_BEFORE = frozenset("\\'")

#: What a text that stands alone in SQL can be, by the names of parameters.
Kinds = Mapping[str, str]


@dataclass(frozen=True)
class OpenValues:
    """`values` are what was given, `kinds` the types that their texts are left open as: String, Date or DateTime."""

    values: Mapping[str, str]
    kinds: Kinds

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> OpenValues:
        """Those of the parameters of a request that can be left open."""
        texts = {name: str(value) if type(value) is int else value for name, value in parameters.items()}
        values = {name: text for name, text in texts.items() if isinstance(text, str) and _can_be_open(name, text)}
        return cls(values, {name: kinds_of(value)[0] for name, value in values.items()})

    def only(self, kinds: Kinds) -> OpenValues:
        """Fewer of the values, perhaps of other kinds."""
        return OpenValues({name: self.values[name] for name in kinds if name in self.values}, kinds)

    def open(self, sql: str) -> str:
        """ClickHouse SQL with parameters in the places of the values, where they are literals of their own."""
        if "to" in sql:
            sql = _CONVERTED.sub(self._converted, sql)
        for name, value in self.values.items():
            literal = f"'{value}'"
            if literal in sql:
                kind = self.kinds[name]
                parameter = _text_name(name) if kind == "String" else _literal_name(name, value)
                sql = _with_parameter(sql, literal, f"{{{parameter}:{kind}}}")
        return _NUMBER.sub(self._number, sql) if self._by_digits else sql

    @property
    def parameters(self) -> dict[str, str]:
        """Those that stand for the values."""
        texts = {_text_name(name): OpenText(_text_mark(name)) for name in self.values}
        return texts | {_literal_name(name, value): OpenLiteral(_mark(name)) for name, value in self.values.items()}

    def fill(self, plan: CompiledQuery) -> CompiledQuery:
        """The plan with the values in their places."""
        texts = {name: duckdb_string(value) for name, value in self.values.items()}
        return replace(plan, sql=self._put(plan.sql, texts), totals=plan.totals and self._put(plan.totals, texts))

    def bind(self, plan: CompiledQuery) -> CompiledQuery:
        """The plan with parameters of DuckDB in the places of the texts, so that its SQL is the same for all."""
        texts = {name: f"${_text_name(name)}" for name in self.values}
        return replace(
            plan,
            sql=self._put(plan.sql, texts),
            totals=plan.totals and self._put(plan.totals, texts),
            arguments={_text_name(name): value for name, value in self.values.items()},
        )

    def _put(self, sql: str, texts: Mapping[str, str]) -> str:
        """SQL with `texts` in the places of texts, and the values themselves in those of other literals."""
        for name, text in texts.items():
            sql = sql.replace(f"'{_text_mark(name)}'", text).replace(_mark(name), self.values[name])
        return sql

    @cached_property
    def _by_digits(self) -> dict[str, str]:
        """The names of parameters by their values, of those that are whole numbers."""
        return {value: name for name, value in self.values.items() if value.isdigit() and _WHOLE.fullmatch(value)}

    def _number(self, found: re.Match[str]) -> str:
        name = self._by_digits.get(found[0])
        before = found.string[max(0, found.start() - 10) : found.start()]
        if name is None or before.rstrip().upper().endswith(_COUNTS):
            return found[0]
        return f"{{{_literal_name(name, found[0])}:{integer_type(int(found[0]))}}}"

    def _converted(self, found: re.Match[str]) -> str:
        """A number or a date as templates write it, by a conversion of its text."""
        type_, value = found[1], found[2]
        name = next((name for name, given in self.values.items() if given == value), None)
        if name is None or not _converts(value, type_):
            return found[0]
        return f"{{{_literal_name(name, value)}:{type_}}}"


def kinds_of(value: str) -> tuple[str, ...]:
    """What a text can be, the likeliest first."""
    if _DATE.fullmatch(value):
        return ("Date", "String")
    return ("DateTime", "String") if _MOMENT.fullmatch(value) else ("String",)


def _can_be_open(name: str, value: str) -> bool:
    return bool(_NAME.fullmatch(name)) and bool(_PLAIN.fullmatch(value) or _MOMENT.fullmatch(value))


def _converts(value: str, type_: str) -> bool:
    """Whether a type has the value that the text says."""
    if not type_.endswith(_SIZES):
        return kinds_of(value)[0] == type_
    bits = int(type_.rpartition("t")[2]) - (not type_.startswith("U"))
    return bool(_WHOLE.fullmatch(value)) and int(value) < 1 << bits


def _with_parameter(sql: str, literal: str, parameter: str) -> str:
    """The literal replaced wherever it is not a part of a longer one."""
    before, *others = sql.split(literal)
    parts = [before]
    for after in others:
        last = parts[-1][-1:]
        whole = not (last in _BEFORE or last.isalnum() or last == "_" or after.startswith("'"))
        parts += (parameter if whole else literal, after)
    return "".join(parts)


def _text_name(name: str) -> str:
    return f"tbpy_text_{name}"


def _literal_name(name: str, value: str) -> str:
    """Another name for numbers that DuckDB reads as another type."""
    return f"tbpy_{'bigint' if value.isdigit() and int(value) >= _INTEGERS else 'literal'}_{name}"


def _text_mark(name: str) -> str:
    """A text that nobody writes."""
    return f"\ue000{name}\ue001"


def _mark(name: str) -> str:
    return f"\ue002{name}\ue003"
