"""Tables of each engine, in tbpy and in ClickHouse, which get the same blocks of rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.differential.oracle import Oracle
from tests.workspace.conftest import Folder

Row = tuple[Any, ...]

_KEYS = st.integers(1, 4)
_TEXTS = st.sampled_from(["", "a", "b", "c"])
_MAYBE = st.sampled_from([None, "", "a", "b"])
_SIGN = st.sampled_from([1, -1])
_DAYS = st.sampled_from(["2024-01-01", "2024-01-09", "2024-02-01"])


def _maps(*values: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    """Arrays of keys and of values, as nested columns hold them."""
    pairs = st.lists(st.tuples(st.sampled_from("abc"), *values), max_size=3)
    return pairs.map(lambda found: tuple(map(list, zip(*found, strict=True))) or ([],) * (1 + len(values)))


@dataclass(frozen=True)
class Engine:
    """`columns` are (name, type); `options` are the ENGINE_ lines of a datafile; `clause` is what ClickHouse gets.

    `wild` draws rows that ClickHouse must only survive, `tame` changes as an application would send them: with those a
    merge at any time changes no answer.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    options: str
    clause: str
    wild: st.SearchStrategy[Row]
    tame: st.SearchStrategy[Row] | None = None

    @property
    def schema(self) -> str:
        """A name with a dot has no JSON path, for that would be one into an object."""
        paths = ("" if "." in name else f"`json:$.{name}`" for name, _ in self.columns)
        return "; ".join(f"`{name}` {type_} {path}" for (name, type_), path in zip(self.columns, paths, strict=True))

    @property
    def sets(self) -> frozenset[int]:
        """The places of the columns whose arrays are in no order."""
        return frozenset(place for place, (_, type_) in enumerate(self.columns) if "groupUniq" in type_)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]


_STATES = (
    ("k", "Int32"),
    ("low", "LowCardinality(Nullable(String))"),
    ("total", "SimpleAggregateFunction(sum, Int64)"),
    ("top", "SimpleAggregateFunction(max, Nullable(String))"),
    ("newest", "SimpleAggregateFunction(anyLast, Nullable(String))"),
    ("oldest", "SimpleAggregateFunction(any, String)"),
    ("plain", "Nullable(String)"),
    ("seen", "SimpleAggregateFunction(groupUniqArrayArray, Array(Int32))"),
)

ENGINES = (
    Engine(
        "replacing",
        (("k", "Int32"), ("v", "String"), ("n", "Nullable(String)")),
        'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k"',
        "ReplacingMergeTree ORDER BY k",
        st.tuples(_KEYS, _TEXTS, _MAYBE),
    ),
    Engine(
        "versioned",
        (("k", "Int32"), ("g", "LowCardinality(String)"), ("ver", "UInt32"), ("v", "String")),
        'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k, g"\nENGINE_VER "ver"',
        "ReplacingMergeTree(ver) ORDER BY (k, g)",
        st.tuples(_KEYS, _TEXTS, st.integers(0, 3), _TEXTS),
    ),
    Engine(
        "deleting",
        (("k", "Int32"), ("ver", "UInt32"), ("gone", "UInt8"), ("v", "String")),
        'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_VER "ver"\nENGINE_IS_DELETED "gone"',
        "ReplacingMergeTree(ver, gone) ORDER BY k",
        st.tuples(_KEYS, st.integers(0, 4), st.integers(0, 1), _TEXTS),
    ),
    Engine(
        "parted",
        (("k", "Int32"), ("day", "Date"), ("v", "String")),
        'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_PARTITION_KEY "toYYYYMM(day)"',
        "ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY k",
        st.tuples(_KEYS, st.sampled_from(["2024-01-01", "2024-02-01"]), _TEXTS),
    ),
    Engine(
        "collapsing",
        (("k", "Int32"), ("sign", "Int8"), ("v", "String")),
        'ENGINE "CollapsingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_SIGN "sign"',
        "CollapsingMergeTree(sign) ORDER BY k",
        st.tuples(_KEYS, _SIGN, _TEXTS),
        st.tuples(_KEYS, st.just(0), _TEXTS),
    ),
    Engine(
        "versions",
        (("k", "Int32"), ("sign", "Int8"), ("ver", "UInt32"), ("v", "String")),
        'ENGINE "VersionedCollapsingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_SIGN "sign"\nENGINE_VERSION "ver"',
        "VersionedCollapsingMergeTree(sign, ver) ORDER BY k",
        st.tuples(_KEYS, _SIGN, st.integers(0, 2), _TEXTS),
    ),
    Engine(
        "summing",
        (("k", "Int32"), ("a", "Int64"), ("b", "Nullable(Int32)"), ("f", "Float64"), ("t", "Nullable(String)")),
        'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"',
        "SummingMergeTree ORDER BY k",
        st.tuples(_KEYS, st.integers(-1, 1), st.sampled_from([None, -1, 0, 1]), st.integers(-1, 1), _MAYBE),
        st.tuples(_KEYS, st.integers(1, 2), st.sampled_from([None, 1]), st.integers(0, 1), _MAYBE),
    ),
    Engine(
        "small_sums",
        (("k", "String"), ("day", "Date"), ("a", "UInt8"), ("b", "Int32")),
        'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k, toYYYYMM(day)"\nENGINE_COLUMNS "a"',
        "SummingMergeTree(a) ORDER BY (k, toYYYYMM(day))",
        st.tuples(_TEXTS, _DAYS, st.just(100), _KEYS),
    ),
    Engine(
        "parted_sums",
        (("k", "Int32"), ("day", "Date"), ("a", "Int64"), ("d", "Decimal(9, 2)"), ("b", "Bool")),
        'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_PARTITION_KEY "toYYYYMM(day)"',
        "SummingMergeTree PARTITION BY toYYYYMM(day) ORDER BY k",
        st.tuples(_KEYS, st.just("2024-01-01"), st.integers(-1, 1), st.sampled_from([0, -1.25, 1.25]), st.just(True)),
        st.tuples(_KEYS, st.just("2024-01-01"), st.integers(1, 2), st.just(0.5), st.just(True)),
    ),
    Engine(
        "map_sums",
        (
            ("k", "Int32"),
            ("a", "Int32"),
            ("xMap.key", "Array(String)"),
            ("xMap.n", "Array(Int8)"),
            ("xMap.f", "Array(Float64)"),
            ("other.key", "Array(String)"),
            ("other.n", "Array(Int32)"),
        ),
        'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"',
        "SummingMergeTree ORDER BY k",
        st.builds(
            lambda k, a, summed, other: (k, a, *summed, *other),
            _KEYS,
            st.integers(-1, 1),
            _maps(st.integers(-100, 100), st.integers(-1, 1)),
            _maps(st.integers(0, 1)),
        ),
    ),
    Engine(
        "chosen_sums",
        (
            ("k", "Int32"),
            ("a", "Int32"),
            ("b", "Int32"),
            ("xMap.keyID", "Array(UInt8)"),
            ("xMap.n", "Array(Int32)"),
            ("top", "SimpleAggregateFunction(max, Int32)"),
        ),
        'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_COLUMNS "a"',
        "SummingMergeTree(a) ORDER BY k",
        st.builds(
            lambda k, a, b, pairs, top: (k, a, b, [p[0] for p in pairs], [p[1] for p in pairs], top),
            _KEYS,
            st.integers(-1, 1),
            _KEYS,
            st.lists(st.tuples(_KEYS, st.integers(-1, 1)), max_size=3),
            _KEYS,
        ),
    ),
    Engine(
        "state_sums",
        (("k", "Int32"), ("a", "Int32"), ("top", "SimpleAggregateFunction(max, Int32)")),
        'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"',
        "SummingMergeTree ORDER BY k",
        st.tuples(_KEYS, st.integers(-1, 1), st.integers(-1, 1)),
    ),
    Engine(
        "coalescing",
        (("k", "Int32"), ("a", "Nullable(Int32)"), ("t", "Nullable(String)"), ("s", "String")),
        'ENGINE "CoalescingMergeTree"\nENGINE_SORTING_KEY "k"',
        "CoalescingMergeTree ORDER BY k",
        st.tuples(_KEYS, st.sampled_from([None, 0, 1]), _MAYBE, _TEXTS),
    ),
    Engine(
        "expiring",
        (("k", "Int32"), ("day", "Date"), ("v", "String")),
        'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_TTL "day + toIntervalDay(7)"',
        "ReplacingMergeTree ORDER BY k TTL day + toIntervalDay(7)",
        # ClickHouse may drop a part whose rows are all over before it merges the others, or merge first.
        st.tuples(_KEYS, _TEXTS).map(lambda row: (row[0], "2001-01-01" if row[0] % 2 else "2099-01-01", row[1])),
    ),
    Engine(
        "expiring_some",
        (("k", "Int32"), ("day", "Date"), ("v", "String")),
        'ENGINE "MergeTree"\nENGINE_SORTING_KEY "k"\nENGINE_TTL "day + toIntervalDay(7) DELETE WHERE v = \'a\'"',
        "MergeTree ORDER BY k TTL day + toIntervalDay(7) DELETE WHERE v = 'a'",
        st.tuples(_KEYS, st.sampled_from(["2001-01-01", "2099-01-01"]), _TEXTS),
    ),
    Engine(
        "aggregating",
        _STATES,
        'ENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "k, low"',
        "AggregatingMergeTree ORDER BY (k, low)"
        " SETTINGS allow_nullable_key = 1, allow_dimensions_outside_sorting_key = 1",
        st.tuples(_KEYS, _MAYBE, st.integers(-3, 3), _MAYBE, _MAYBE, _TEXTS, _MAYBE, st.lists(_KEYS, max_size=2)),
    ),
)


def write(folder: Folder) -> None:
    for engine in ENGINES:
        folder.datasource(engine.name, engine.schema, engine.options + "\n")


def create(oracle: Oracle, engine: Engine) -> None:
    """A table that nothing merges unless it is told to."""
    columns = ", ".join(f"`{name}` {type_}" for name, type_ in engine.columns)
    oracle.answer(f"DROP TABLE IF EXISTS {engine.name}")
    oracle.answer(f"CREATE TABLE {engine.name} ({columns}) ENGINE = {engine.clause}")
    oracle.answer(f"SYSTEM STOP MERGES {engine.name}")


def lines(engine: Engine, rows: Sequence[Row]) -> list[str]:
    return [json.dumps(dict(zip(engine.names, row, strict=True))) for row in rows]


def insert(oracle: Oracle, engine: Engine, rows: Sequence[Row]) -> None:
    oracle.answer(f"INSERT INTO {engine.name} FORMAT JSONEachRow {' '.join(lines(engine, rows))}")


def answer(oracle: Oracle, sql: str, sets: frozenset[int] | None = None) -> list[Any]:
    """Rows without an order, see `ordered`."""
    text = oracle.answer(f"{sql} SETTINGS output_format_json_quote_64bit_integers = 0", "JSONCompactEachRow").decode()
    return ordered((json.loads(line) for line in text.splitlines()), sets)


def ordered(rows: Any, sets: frozenset[int] | None = None) -> list[Any]:
    """Rows without an order; those of their arrays have none, too, that are in the columns at `sets`, None is all."""

    def plain(value: Any, is_set: bool) -> Any:
        if isinstance(value, list | tuple):
            items = [plain(item, is_set) for item in value]
            return sorted(items) if is_set else items
        if isinstance(value, Decimal):
            return float(value)
        return value if value is None or isinstance(value, int | float | str) else str(value)

    return sorted(
        ([plain(value, sets is None or place in sets) for place, value in enumerate(row)] for row in rows), key=repr
    )


def as_changes(engine: Engine, drawn: Sequence[Row]) -> list[Row]:
    """Drawn rows as an application sends them: to CollapsingMergeTree a -1 row for the state that it takes back."""
    if "sign" not in engine.names:
        return list(drawn)
    sign, rows, states = engine.names.index("sign"), [], {}
    for row in drawn:
        key = row[:sign] + row[sign + 1 : -1]
        if key in states:
            rows.append(states.pop(key))
        if row[-1] != "":
            rows.append((*row[:sign], 1, *row[sign + 1 :]))
            states[key] = (*row[:sign], -1, *row[sign + 1 :])
    return rows
