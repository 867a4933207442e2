"""Calls of every function of the catalogue: as they were recorded, with arguments changed for others and for edges."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tbpy.clickhouse import functions
from tbpy.clickhouse.functions.registry import SCALARS
from tests.differential.fuzz.edges import TYPED
from tests.differential.fuzz.samples import family_of, recorded_calls
from tests.differential.fuzz.statements import RandomQuery

#: Functions whose answers say when, where or by which chance they were asked, or that ClickHouse leaves open.
_MOMENTS = (
    "now",
    "now64",
    "nowInBlock",
    "today",
    "yesterday",
    "UTCTimestamp",
    "utc_timestamp",
    "uptime",
    "nowInBlock64",
)
_CHANCE = (
    "generateUUIDv4",
    "generateUUIDv7",
    "generateULID",
    "generateSnowflakeID",
    "randomString",
    "randomFixedString",
    "fuzzBits",
    "randomStringUTF8",
    "randomPrintableASCII",
    "rand",
    "rand32",
    "rand64",
    "randConstant",
    "randCanonical",
    "randUniform",
    "randNormal",
    "randLogNormal",
    "randExponential",
    "randBernoulli",
    "randChiSquared",
    "randStudentT",
    "randFisherF",
    "randBinomial",
    "randNegativeBinomial",
    "randPoisson",
    "arrayShuffle",
    "arrayPartialShuffle",
    "arrayRandomSample",
)
_PLACES = (
    "hostName",
    "hostname",
    "FQDN",
    "fullHostName",
    "version",
    "currentDatabase",
    "DATABASE",
    "SCHEMA",
    "currentUser",
    "user",
    "current_user",
    "blockNumber",
    "rowNumberInAllBlocks",
    "rowNumberInBlock",
    "sleep",
    "sleepEachRow",
    "serverUUID",
    "throwIf",
    "timezone",
    "serverTimezone",
    "tcpPort",
    "getSetting",
    "blockSize",
    "connectionId",
    "queryID",
    "initialQueryID",
    "filesystemAvailable",
)
_LEFT_OPEN = (
    "bitmapBuild",
    "arrayPartialSort",
    "arrayPartialReverseSort",
    "runningDifference",
    "runningAccumulate",
    "neighbor",
)
_UNSTEADY = frozenset((*_MOMENTS, *_CHANCE, *_PLACES, *_LEFT_OPEN))
_NEAR = {"int": ("float", "decimal", "text", "time"), "float": ("int", "decimal"), "decimal": ("int", "float")}
_NEAR |= {
    "time": ("text", "int"),
    "text": ("int", "uuid"),
    "[int]": ("[float]", "[text]"),
    "[text]": ("[int]", "[time]"),
}


class CallGenerator:
    """Queries that ask for one call, of constants or over a few rows."""

    def __init__(self, source: random.Random) -> None:
        functions.load()
        self._random = source
        self._calls = recorded_calls()
        self._names = [name for name in self._calls if name in SCALARS and name not in _UNSTEADY]

    def query(self) -> RandomQuery:
        call = self._call(self._random.choice(self._names), 1)
        if self._chance(0.45):
            return RandomQuery(f"SELECT {self._written(*call)}", True)
        return self._over_rows(*call)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _call(self, name: str, depth: int) -> tuple[str, list[str]]:
        arguments = list(self._random.choice(self._calls[name]))
        for place in range(len(arguments)):
            if self._chance(0.4):
                arguments[place] = self._changed(name, place, arguments[place], depth)
        return name, arguments

    def _written(self, name: str, arguments: Sequence[str]) -> str:
        return f"{name}({', '.join(arguments)})"

    def _changed(self, name: str, place: int, argument: str, depth: int) -> str:
        """Another argument: one that was given there before, one of the same kind, or of one near to it."""
        chance, kind = self._random.random(), family_of(argument)
        if chance < 0.25 or kind is None:
            others = [call[place] for call in self._calls[name] if len(call) > place]
            return self._random.choice(others)
        if chance < 0.35:
            return f"{self._random.choice(('materialize', 'toNullable', 'materialize'))}({argument})"
        if chance < 0.45 and depth > 0:
            return self._nested(kind) or argument
        type_, values = self._values(kind)
        return f"CAST({self._random.choice(values)} AS {type_})" if values else argument

    def _values(self, kind: str) -> tuple[str, tuple[str, ...]]:
        if self._chance(0.1) and kind in _NEAR:
            kind = self._random.choice(_NEAR[kind])
        return self._random.choice(TYPED[kind]) if kind in TYPED else ("", ())

    def _nested(self, kind: str) -> str | None:
        """A call that gives a value of the kind."""
        for name in self._random.choices(self._names, k=8):
            text = self._written(*self._call(name, 0))
            if family_of(text) == kind:
                return text
        return None

    def _over_rows(self, name: str, arguments: list[str]) -> RandomQuery:
        places = [place for place, argument in enumerate(arguments) if family_of(argument) in TYPED]
        if not places:
            return RandomQuery(f"SELECT {self._written(name, arguments)} FROM numbers(2)", False)
        structure, columns = [], []
        for place in self._random.sample(places, min(len(places), self._random.choice((1, 1, 2)))):
            type_, values = self._values(family_of(arguments[place]) or "")
            column = "xyz"[len(columns)]
            structure.append(f"{column} {type_}")
            columns.append([self._random.choice(values) for _ in range(3)])
            arguments[place] = column
        rows = ", ".join(f"({', '.join(row)})" for row in zip(*columns, strict=True))
        types = ", ".join(structure).replace("'", "\\'")
        call = self._written(name, arguments)
        source = f"values('{types}', {rows})"
        if self._chance(0.1):
            return RandomQuery(f"SELECT {call} AS r, count() FROM {source} GROUP BY r", False)
        return RandomQuery(f"SELECT x, {call} FROM {source}", False)
