"""Values of a request's parameters that a plan does not depend on: put in when it runs, so that one plan serves all.

A value is left open by a query parameter in its place, of which the compiler knows the type and nothing more. What
compiles so, and to the same SQL as with the value itself, is the plan of every other value of that type, too: where
ClickHouse takes a constant for more (a date, a pattern, a name of a column, a number of rows), the two differ.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.clickhouse.compiler.literals import integer_type
from tbpy.clickhouse.compiler.parameters import OpenNumber, OpenText
from tbpy.clickhouse.quoting import duckdb_string

# Texts that are written alike in ClickHouse's SQL and DuckDB's, with nothing to escape.
_PLAIN = re.compile(r"[A-Za-z0-9_.:@/+-]{1,200}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"(?<![\w.'])[0-9]+(?![\w.'])")
# DuckDB reads whole numbers below as INTEGER, others (of up to 18 digits) as BIGINT.
_INTEGERS = 1 << 31
_COUNTS = ("LIMIT", "OFFSET", " BY")
_DIGITS = frozenset("0123456789")
_BEFORE = frozenset("\\'")


@dataclass(frozen=True)
class OpenValues:
    """`values` are what was given, by the names of the parameters."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> OpenValues:
        """Those of the parameters of a request that can be left open."""
        texts = {name: str(value) if type(value) is int else value for name, value in parameters.items()}
        return cls({name: text for name, text in texts.items() if _can_be_open(name, text)})

    def only(self, names: Collection[str]) -> OpenValues:
        return OpenValues({name: value for name, value in self.values.items() if name in names})

    def open(self, sql: str) -> str:
        """ClickHouse SQL with parameters in the places of the values, where they are literals of their own."""
        for name, value in self.values.items():
            literal = f"'{value}'"
            if literal in sql:
                sql = _with_parameter(sql, literal, f"{{{_text_name(name)}:String}}")
        if not self._numbers:
            return sql
        return _NUMBER.sub(lambda found: found[0] if _is_count(found) else self._numbers.get(found[0], found[0]), sql)

    @property
    def parameters(self) -> dict[str, str]:
        """Those that stand for the values."""
        texts = {_text_name(name): OpenText(_mark(name)) for name in self.values}
        return texts | {_number_name(name, value): OpenNumber(_mark(name)) for name, value in _whole(self.values)}

    def fill(self, plan: CompiledQuery) -> CompiledQuery:
        """The plan with the values in their places."""
        texts = {name: duckdb_string(value) for name, value in self.values.items()}
        return replace(plan, sql=self._put(plan.sql, texts), totals=plan.totals and self._put(plan.totals, texts))

    def bind(self, plan: CompiledQuery) -> CompiledQuery:
        """The plan with parameters of DuckDB in the places of the texts, so that its SQL is the same for all of them."""
        texts = {name: f"${_text_name(name)}" for name in self.values}
        return replace(
            plan,
            sql=self._put(plan.sql, texts),
            totals=plan.totals and self._put(plan.totals, texts),
            arguments={_text_name(name): value for name, value in self.values.items()},
        )

    def _put(self, sql: str, texts: Mapping[str, str]) -> str:
        """SQL with `texts` in the places of texts, and the values themselves in those of numbers."""
        for name, text in texts.items():
            mark = _mark(name)
            sql = sql.replace(f"'{mark}'", text)
            if mark in sql:
                sql = sql.replace(mark, self.values[name])
        return sql

    @cached_property
    def _numbers(self) -> dict[str, str]:
        """What stands for numbers in ClickHouse SQL, by their digits."""
        return {
            value: f"{{{_number_name(name, value)}:{integer_type(int(value))}}}" for name, value in _whole(self.values)
        }


def _whole(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in values.items() if value[0] in _DIGITS and _WHOLE.fullmatch(value)]


def _can_be_open(name: str, value: object) -> bool:
    return isinstance(value, str) and bool(_PLAIN.fullmatch(value)) and bool(_NAME.fullmatch(name))


def _is_count(number: re.Match[str]) -> bool:
    """Whether a number is one of rows, or a place among columns: ClickHouse must know it to plan at all."""
    return number.string[max(0, number.start() - 10) : number.start()].rstrip().upper().endswith(_COUNTS)


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


def _number_name(name: str, value: str) -> str:
    """Another name for numbers that DuckDB reads as another type."""
    return f"tbpy_{'integer' if int(value) < _INTEGERS else 'bigint'}_{name}"


def _mark(name: str) -> str:
    """A text that nobody writes."""
    return f"\ue000{name}\ue001"
