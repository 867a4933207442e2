"""Texts among a request's parameters that a plan does not depend on: put in when it runs, so that one plan serves all.

A text is left open by a query parameter in its place, of which the compiler knows that it is a String and nothing more.
What compiles so, and to the same SQL as with the text itself, is the plan of every other text, too: where ClickHouse
takes a constant for more than a String (a date, a number, a pattern, a name of a column), the two differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.clickhouse.compiler.parameters import OpenText
from tbpy.clickhouse.quoting import duckdb_string

# Texts that are written alike in ClickHouse's SQL and DuckDB's, with nothing to escape.
_PLAIN = re.compile(r"[A-Za-z0-9_.:@/+-]{1,200}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_PREFIX = "tbpy_text_"


@dataclass(frozen=True)
class OpenTexts:
    """`values` are the texts by the names of their parameters."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> OpenTexts:
        return cls(
            {
                name: value
                for name, value in parameters.items()
                if isinstance(value, str) and _PLAIN.fullmatch(value) and _NAME.fullmatch(name)
            }
        )

    def open(self, sql: str) -> str:
        """ClickHouse SQL with parameters in the places of the texts, where they are literals of their own."""
        for name, value in self.values.items():
            if f"'{value}'" in sql:
                sql = re.sub(rf"(?<![\\'\w])'{re.escape(value)}'(?!')", f"{{{_PREFIX}{name}:String}}", sql)
        return sql

    @property
    def parameters(self) -> dict[str, str]:
        """Those that stand for the texts."""
        return {f"{_PREFIX}{name}": OpenText(_mark(name)) for name in self.values}

    def fill(self, plan: CompiledQuery) -> CompiledQuery:
        """The plan with the texts in their places."""
        return replace(plan, sql=self._filled(plan.sql), totals=plan.totals and self._filled(plan.totals))

    def _filled(self, sql: str) -> str:
        for name, value in self.values.items():
            sql = sql.replace(duckdb_string(_mark(name)), duckdb_string(value))
        return sql


def _mark(name: str) -> str:
    """A text that nobody writes."""
    return f"\ue000{name}\ue001"
