"""SQL that DuckDB has parsed, kept for the next time: reading its text again is a sixth of a short query's time.

Only the parse tree is kept. Names and types are looked up whenever it runs, so nothing goes out of date.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from tbpy.engines.session import Session

_MOST_KEPT = 256
_LONGEST_KEPT = 1 << 16


@dataclass(frozen=True, slots=True)
class Parsed:
    """`names` are those of the parameters in the statement: DuckDB refuses values of others."""

    statement: duckdb.Statement
    names: frozenset[str]

    def chosen(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values that the statement asks for; None for none."""
        return {name: values[name] for name in self.names} if self.names else None


class Statements:
    """The least recently used are forgotten. Threads may share them: DuckDB runs a copy of the parse tree."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Parsed] = OrderedDict()
        self._lock = Lock()

    def parse(self, session: Session, sql: str) -> Parsed:
        """One statement. Raises what `Session.parse` raises."""
        with self._lock:
            found = self._kept.get(sql)
            if found is not None:
                self._kept.move_to_end(sql)
                return found
        statement = session.parse(sql)
        parsed = Parsed(statement, frozenset(statement.named_parameters))
        if len(sql) <= _LONGEST_KEPT:
            with self._lock:
                self._kept[sql] = parsed
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return parsed
