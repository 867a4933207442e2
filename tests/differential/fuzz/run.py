"""One query on both sides, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tbpy.clickhouse.compiler import StaticCatalog, compile_query
from tbpy.engines.duckdb import DuckDBEngine
from tbpy.errors import QueryError, UnsupportedError
from tests.conformance.comparison import Answer, difference
from tests.conformance.dialect import answer_of, raised
from tests.differential.compare import oracle_answer
from tests.differential.fuzz.tables import RandomTable
from tests.differential.oracle import Oracle, OracleError

#: `mistaken`: tbpy calls a query wrong that ClickHouse answers; `accepted`: the other way round.
KINDS = ("equal", "both refuse", "refused", "mistaken", "accepted", "crashed", "differs")
_SETTINGS = ("SET max_threads = 1", "SET allow_suspicious_low_cardinality_types = 1")


@dataclass(frozen=True, slots=True)
class Result:
    kind: str
    detail: str = ""
    sql: str = ""
    want: Answer | None = None

    @property
    def wrong(self) -> bool:
        return self.kind in ("differs", "crashed", "mistaken")


class Arena:
    """Both engines with the same tables."""

    def __init__(self) -> None:
        self._oracle = Oracle()
        self._engine = DuckDBEngine(threads=1)
        self._tables: Sequence[RandomTable] = ()
        self._catalog = StaticCatalog({})

    def close(self) -> None:
        self._oracle.close()
        self._engine.close()

    def load(self, tables: Sequence[RandomTable]) -> None:
        self._tables = tables
        self._catalog = StaticCatalog({table.name: table.catalog_entry() for table in tables})
        for statement in (*_SETTINGS, *(sql for table in tables for sql in table.clickhouse_sql())):
            self._oracle.answer(statement)
        for statement in (sql for table in tables for sql in table.duckdb_sql()):
            self._engine.run(statement)

    def run(self, query: str, *, ordered: bool) -> Result:
        try:
            want = oracle_answer(self._oracle, query)
        except OracleError as error:
            if str(error) == "the oracle died":
                self.load(self._tables)
            return self._refused_there(query, str(error))
        sql = ""
        try:
            compiled = compile_query(query, self._catalog)
            sql = compiled.sql
            got = answer_of(self._engine, compiled)
        except UnsupportedError as error:
            return Result("refused", error.message, sql, want)
        except QueryError as error:
            if error.code == 48:  # a value, met while the query ran
                return Result("refused", error.message, sql, want)
            if error.code == 386:  # ClickHouse makes a Variant of types that share nothing
                return Result("refused", "Variant as a common type", sql, want)
            return Result(
                "crashed" if sql else "mistaken", raised() if sql else f"{error.code} {error.message}", sql, want
            )
        except Exception:
            return Result("crashed", raised(), sql, want)
        if any("AggregateFunction(" in type_ for _, type_ in want.meta):
            return Result("refused", "the bytes of a state", sql, want)
        found = difference(want, got, ordered=ordered)
        return Result("equal" if found is None else "differs", found or "", sql, want)

    def _refused_there(self, query: str, said: str) -> Result:
        try:
            compiled = compile_query(query, self._catalog)
            answer_of(self._engine, compiled)
        except QueryError:
            return Result("both refuse", said)
        except Exception:
            return Result("crashed", raised())
        return Result("accepted", said, compiled.sql)
