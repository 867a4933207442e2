"""What is read out of materialized states is what a recomputation from the source gives.

ClickHouse recomputes; tbpy reads the views, one and two levels deep, whenever blocks come and tables are merged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbpy.workspace import Workspace
from tests.differential.oracle import Oracle
from tests.workspace import engines
from tests.workspace.conftest import Folder
from tests.workspace.test_merges import _SETTINGS

EVENTS = (
    ("id", "Int32"),
    ("k", "LowCardinality(Nullable(String))"),
    ("g", "Int32"),
    ("v", "Int64"),
    ("f", "Nullable(Float64)"),
    ("s", "LowCardinality(String)"),
    ("m", "Map(String, Int64)"),
)
# What is aggregated: the column's name, its function, its arguments, and their types.
AGGREGATES = (
    ("n", "count", "", ""),
    ("total", "sum", "v", "Int64"),
    ("mean", "avg", "f", "Nullable(Float64)"),
    ("kinds", "uniq", "s", "LowCardinality(String)"),
    ("pairs", "uniqExact", "s, g", "LowCardinality(String), Int32"),
    ("best", "argMax", "s, (v, id)", "LowCardinality(String), Tuple(Int64, Int32)"),
    ("worst", "argMin", "f, (v, id)", "Nullable(Float64), Tuple(Int64, Int32)"),
    ("middle", "quantile(0.5)", "v", "Int64"),
    ("tails", "quantiles(0.1, 0.9)", "v", "Int64"),
    ("low", "min", "f", "Nullable(Float64)"),
    ("high", "max", "s", "LowCardinality(String)"),
    ("spread", "stddevPop", "v", "Int64"),
    ("gains", "sumIf", "v, v > 1", "Int64, UInt8"),
    ("winners", "countIf", "v > 0", "UInt8"),
    ("few", "uniqIf", "s, v > 0", "LowCardinality(String), UInt8"),
    ("texts", "groupUniqArray", "s", "LowCardinality(String)"),
    ("values", "groupArray", "v", "Int64"),
    ("maps", "sumMap", "m", "Map(String, Int64)"),
)
KEYS = {"by_key": "k, g", "by_k": "k", "by_label": "label"}


def split(function: str) -> tuple[str, str]:
    name, bracket, rest = function.partition("(")
    return name, bracket + rest


def state_type(function: str, types: str) -> str:
    name, parameters = split(function)
    return f"AggregateFunction({name}{parameters}{', ' if types else ''}{types})"


def combined(function: str, suffix: str, arguments: str) -> str:
    name, parameters = split(function)
    return f"{name}{suffix}{parameters}({arguments})"


def columns(form: str) -> str:
    """The aggregates as their states, as their states merged, or as results; made comparable where order is free."""
    made = []
    for name, function, arguments, _ in AGGREGATES:
        value = {
            "state": combined(function, "State", arguments),
            "merge state": combined(function, "MergeState", name),
            "merge": combined(function, "Merge", name),
            "direct": combined(function, "", arguments),
        }[form]
        made.append(f"{value} AS {name}" if "state" in form else f"{value} AS r_{name}")
    return ", ".join(made)


def write(folder: Folder) -> None:
    states = [(name, state_type(function, types)) for name, function, _, types in AGGREGATES]
    plain = [("newest", "SimpleAggregateFunction(max, Int32)")]
    folder.datasource("events", "; ".join(f"{name} {type_} `json:$.{name}`" for name, type_ in EVENTS))
    folder.datasource("names", "g Int32 `json:$.g`; label String `json:$.label`")
    types = {"k": dict(EVENTS)["k"], "g": "Int32", "label": "String"}
    for target, keys in KEYS.items():
        found = [*((key, types[key]) for key in keys.split(", ")), *states, *plain]
        schema = "; ".join(f"{name} {type_}" for name, type_ in found)
        folder.datasource(target, schema, f'ENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "{keys}"\n')
    to = "TYPE materialized\nDATASOURCE "
    first = f"SELECT k, g, {columns('state')}, max(id) AS newest FROM events GROUP BY k, g"
    second = f"SELECT k, {columns('merge state')}, max(newest) AS newest FROM by_key GROUP BY k"
    joined = f"SELECT label, {columns('state')}, max(id) AS newest FROM events LEFT JOIN names USING (g) GROUP BY label"
    folder.pipe("to_key", first, f"{to}by_key\n")
    folder.pipe("to_k", second, f"{to}by_k\n")
    folder.pipe("to_label", joined, f"{to}by_label\n")


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as oracle:
        yield oracle


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory, oracle: Oracle) -> Iterator[Workspace]:
    folder = Folder(Path(tmp_path_factory.mktemp("views")))
    write(folder)
    oracle.answer("CREATE TABLE names (g Int32, label String) ENGINE = MergeTree ORDER BY g")
    names = [{"g": 1, "label": "one"}, {"g": 2, "label": "two"}]
    oracle.answer(f"INSERT INTO names FORMAT JSONEachRow {' '.join(map(json.dumps, names))}")
    with folder.open() as workspace:
        folder.build(workspace)
        workspace.append_events({"names": list(map(json.dumps, names))})
        yield workspace


ROW = st.tuples(
    st.sampled_from([None, "", "a", "b"]),
    st.integers(1, 3),
    st.integers(-5, 5),
    st.sampled_from([None, 0, 0.5, -1, 2]),
    st.sampled_from(["", "x", "y", "ü"]),
    st.dictionaries(st.sampled_from(["p", "q"]), st.integers(-2, 2), max_size=2),
)


# The rows of a block, how often they come (nodes have SQL of their own for few rows), and whether tables are merged.
STEP = st.tuples(st.lists(ROW, min_size=1, max_size=5), st.sampled_from([1, 1, 400]), st.booleans())


@_SETTINGS
@given(steps=st.lists(STEP, min_size=1, max_size=5))
def test_views_equal_a_recomputation(
    views: Workspace, oracle: Oracle, steps: list[tuple[list[engines.Row], int, bool]]
) -> None:
    for name in ("events", *KEYS):
        views.truncate(name)
    schema = ", ".join(f"{name} {type_}" for name, type_ in EVENTS)
    oracle.answer("DROP TABLE IF EXISTS events")
    oracle.answer(f"CREATE TABLE events ({schema}) ENGINE = Memory")
    number = 0
    for block, times, compacts in steps:
        lines = []
        for row in block * times:
            number += 1
            lines.append(json.dumps(dict(zip((name for name, _ in EVENTS), (number, *row), strict=True))))
        oracle.answer(f"INSERT INTO events FORMAT JSONEachRow {' '.join(lines)}")
        views.append_events({"events": lines})
        if compacts:
            views.compact()
    for target, keys in KEYS.items():
        read = f"SELECT {keys}, {columns('merge')}, max(newest) AS r_newest FROM {target} GROUP BY {keys}"
        source = "events LEFT JOIN names USING (g)" if keys == "label" else "events"
        want = f"SELECT {keys}, {columns('direct')}, max(id) AS r_newest FROM {source} GROUP BY {keys}"
        assert rounded(engines.ordered(views.query(read).rows)) == rounded(engines.answer(oracle, want)), target


def rounded(rows: list[object]) -> list[object]:
    """Floats to twelve digits: sums of another order end in other bits. Maps as pairs, NaN as ClickHouse writes it."""

    def plain(value: object) -> object:
        if isinstance(value, float):
            return None if value != value else float(f"{value:.12g}")
        if isinstance(value, dict):
            return sorted([key, item] for key, item in value.items())
        return [plain(item) for item in value] if isinstance(value, list) else value

    return [plain(row) for row in rows]


def test_what_a_node_looks_up_is_filled_before_its_target(folder: Folder) -> None:
    folder.datasource("a_sales", "id Int32 `json:$.id`")
    folder.datasource("names", "id Int32 `json:$.id`; name String `json:$.name`")
    folder.datasource("sold", "id Int32; name String")
    folder.datasource("zz_latest", "id Int32; name String")
    latest = "SELECT id, upper(name) AS name FROM names"
    folder.pipe("make_latest", latest, "TYPE materialized\nDATASOURCE zz_latest\n")
    sold = "SELECT id, name FROM a_sales LEFT JOIN zz_latest USING (id)"
    folder.pipe("make_sold", sold, "TYPE materialized\nDATASOURCE sold\n")
    folder.write("fixtures/a_sales.ndjson", '{"id": 1}\n')
    folder.write("fixtures/names.ndjson", '{"id": 1, "name": "pen"}\n')
    with folder.open() as workspace:
        folder.build(workspace)
        assert list(workspace.query("SELECT * FROM sold").rows) == [(1, "PEN")]
