"""Aggregates of the catalogue over columns of random tables: under combinators, merged from states, in windows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tbpy.clickhouse import functions
from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.registry import AGGREGATES
from tests.differential.fuzz.edges import TYPED
from tests.differential.fuzz.samples import Argument, family, recorded_aggregates
from tests.differential.fuzz.statements import RandomQuery
from tests.differential.fuzz.tables import RandomTable

#: Samples by chance, estimates whose steps depend on blocks of rows, and what shows the bytes of a state.
_UNSTEADY = frozenset(("groupArraySample", "groupBitmap", "anyHeavy", "topKWeighted", "approx_top_sum", "topK"))
_UNSTEADY |= {"approx_top_k", "approx_top_count"}  # those of equal counts come in any order
_UNORDERED = frozenset(("groupUniqArray", "groupArrayIntersect"))
_WINDOWS = (
    "PARTITION BY k ORDER BY id",
    "ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    "ORDER BY id ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING",
    "PARTITION BY k ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
    "ORDER BY id RANGE BETWEEN 3 PRECEDING AND 1 FOLLOWING",
    "PARTITION BY k ORDER BY id DESC ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "PARTITION BY k",
    "",
)


class AggregateGenerator:
    """Queries that ask for one aggregate."""

    def __init__(self, source: random.Random, tables: Sequence[RandomTable]) -> None:
        functions.load()
        self._random = source
        self._tables = tables
        self._calls = recorded_aggregates()
        self._names = [
            name
            for name, row in AGGREGATES.items()
            if name in self._calls and name not in _UNSTEADY and not row.window_only
        ]

    def query(self) -> RandomQuery:
        table = self._random.choice(self._tables)
        name = self._random.choice(self._names)
        parameters, sample = self._random.choice(self._calls[name])
        arguments = [self._argument(argument, table) for argument in sample]
        parameters = f"({parameters})" if parameters else ""
        shape = self._random.choice((self._plain, self._plain, self._plain, self._states, self._in_window))
        return shape(name, parameters, arguments, table)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _argument(self, argument: Argument, table: RandomTable) -> str:
        """A column of the same kind, now and then one that is computed, or a value at an edge."""
        fitting = [name for name, _, type_ in table.columns if family(t.parse_type(type_)) == argument.family]
        chance = self._random.random()
        if chance < 0.06 and argument.family in TYPED:
            type_, values = self._random.choice(TYPED[argument.family])
            return f"CAST({self._random.choice(values)} AS {type_})"
        if not fitting:
            return argument.sql if argument.sql.replace(".", "").isdigit() else "id"
        column = self._random.choice(fitting)
        return f"if(k = 1, NULL, {column})" if chance < 0.12 and "Array" not in column else column

    def _condition(self) -> str:
        return self._random.choice(("k > 1", "id % 2 = 0", "k = 77", "k IN (1, 2, 3)", "1"))

    def _combined(self, name: str, arguments: list[str]) -> tuple[str, list[str]]:
        """The aggregate under up to two combinators, each with what it takes."""
        for _ in range(self._random.choice((0, 0, 1, 1, 2))):
            suffix = self._random.choice(
                ("If", "If", "Array", "Distinct", "OrNull", "OrDefault", "ForEach", "Map", "ArgMin", "ArgMax")
            )
            if name.endswith(("If", "ArgMin", "ArgMax")) or (suffix == "Distinct" and name.endswith("Array")):
                continue
            name += suffix
            match suffix:
                case "If":
                    arguments = [*arguments, self._condition()]
                case "Array" | "ForEach":
                    arguments = [f"[{argument}, {argument}]" for argument in arguments]
                case "Map":
                    arguments = (
                        [f"map('a', {arguments[0]}, toString(k), {arguments[0]})"] if arguments else ["map(k, id)"]
                    )
                case "ArgMin" | "ArgMax":
                    arguments = [*arguments, "id"]
        return name, arguments

    def _plain(self, name: str, parameters: str, arguments: list[str], table: RandomTable) -> RandomQuery:
        full, arguments = self._combined(name, arguments)
        call = self._sorted(name, f"{full}{parameters}({', '.join(arguments)})")
        source = f"(SELECT * FROM {table.name} ORDER BY id)"
        where = self._random.choice(("", "", " WHERE k > 2", " WHERE id < 0"))
        if AGGREGATES[name].order or self._chance(0.5):  # groups are put together in no order
            return RandomQuery(f"SELECT {call} FROM {source}{where}", True)
        tail = self._random.choice(("", " WITH TOTALS", " HAVING count() > 1", " WITH ROLLUP"))
        return RandomQuery(f"SELECT k, {call} FROM {source}{where} GROUP BY k{tail}", False)

    def _sorted(self, name: str, call: str) -> str:
        return (
            f"arraySort({call})"
            if name in _UNORDERED and call.startswith((f"{name}(", f"{name}If(", "finalize"))
            else call
        )

    def _states(self, name: str, parameters: str, arguments: list[str], table: RandomTable) -> RandomQuery:
        if AGGREGATES[name].order:
            return self._plain(name, parameters, arguments, table)  # states are merged in no order
        suffix = "If" if self._chance(0.2) else ""
        if suffix:
            arguments = [*arguments, self._condition()]
        source = f"(SELECT * FROM {table.name} ORDER BY id)"
        state = f"{name}{suffix}State{parameters}({', '.join(arguments)})"
        if self._chance(0.3):
            final = self._sorted(name, f"finalizeAggregation({state})")
            return RandomQuery(f"SELECT k, {final} FROM {source} GROUP BY k", False)
        inner = f"SELECT id % 3 AS g, {state} AS s FROM {source} GROUP BY g ORDER BY g"
        merge = self._random.choice(("Merge", "Merge", "MergeOrNull", "MergeIf"))
        condition = ", g > 0" if merge == "MergeIf" else ""
        call = self._sorted(name, f"{name}{suffix}{merge}{parameters}(s{condition})")
        return RandomQuery(f"SELECT {call} FROM ({inner})", True)

    def _in_window(self, name: str, parameters: str, arguments: list[str], table: RandomTable) -> RandomQuery:
        if self._chance(0.2):
            name, arguments = f"{name}If", [*arguments, self._condition()]
        window = self._random.choice(_WINDOWS)
        call = f"{name}{parameters}({', '.join(arguments)}) OVER ({window})"
        return RandomQuery(f"SELECT id, {call} FROM {table.name} ORDER BY id", True)
