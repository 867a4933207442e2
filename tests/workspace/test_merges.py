"""Engines that merge rows answer as ClickHouse does, whenever rows are merged.

`TBPY_EXAMPLES=1000 pytest tests/workspace/test_merges.py` looks longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tbpy.workspace import Workspace
from tests.differential.oracle import Oracle
from tests.workspace import engines
from tests.workspace.conftest import Folder
from tests.workspace.engines import ENGINES, Engine

_EXAMPLES = int(os.environ.get("TBPY_EXAMPLES", "6"))
_SETTINGS = settings(
    max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=_EXAMPLES < 100
)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as oracle:
        yield oracle


@pytest.fixture(scope="module")
def merging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with a table of each engine."""
    folder = Folder(Path(tmp_path_factory.mktemp("engines")))
    engines.write(folder)
    with folder.open() as workspace:
        folder.build(workspace)
        yield workspace


def changes_of(engine: Engine) -> st.SearchStrategy[engines.Row]:
    return engine.wild if engine.tame is None else engine.tame


def rows(workspace: Workspace, sql: str, sets: frozenset[int] | None = None) -> list[object]:
    return engines.ordered(workspace.query(sql).rows, sets)


# Which of two rows in different partitions was inserted last, FINAL of ClickHouse does not know; and when a TTL takes
# rows away is free.
WHENEVER = pytest.mark.parametrize(
    "engine", [e for e in ENGINES if e.name != "parted" and "TTL" not in e.options], ids=lambda engine: engine.name
)


@WHENEVER
def test_final_answers_as_clickhouse(engine: Engine, merging: Workspace, oracle: Oracle) -> None:
    @_SETTINGS
    @given(st.lists(st.lists(engine.wild, min_size=1, max_size=4), min_size=1, max_size=6))
    def check(blocks: list[list[engines.Row]]) -> None:
        engines.create(oracle, engine)
        merging.truncate(engine.name)
        for block in blocks:
            engines.insert(oracle, engine, block)
            assert merging.append_events({engine.name: engines.lines(engine, block)}) == {engine.name: frozenset()}
        for query in (f"SELECT * FROM {engine.name}", f"SELECT * FROM {engine.name} FINAL"):
            assert rows(merging, query, engine.sets) == engines.answer(oracle, query, engine.sets)

    check()


@WHENEVER
def test_a_merge_changes_no_answer(engine: Engine, merging: Workspace, oracle: Oracle) -> None:
    @_SETTINGS
    @given(st.lists(st.tuples(st.lists(changes_of(engine), min_size=1, max_size=4), st.booleans()), max_size=6))
    def check(steps: list[tuple[list[engines.Row], bool]]) -> None:
        engines.create(oracle, engine)
        merging.truncate(engine.name)
        changes = iter(engines.as_changes(engine, [row for drawn, _ in steps for row in drawn]))
        for drawn, compacts in steps:
            block = list(islice(changes, len(drawn) + 1))
            if block:
                engines.insert(oracle, engine, block)
                merging.append_events({engine.name: engines.lines(engine, block)})
            if compacts:
                merging.compact(engine.name)
        query = f"SELECT * FROM {engine.name} FINAL"
        assert rows(merging, query, engine.sets) == engines.answer(oracle, query, engine.sets)

    check()


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_merge_leaves_what_clickhouse_leaves(engine: Engine, merging: Workspace, oracle: Oracle) -> None:
    @_SETTINGS
    @given(st.lists(st.lists(engine.wild, min_size=1, max_size=4), min_size=2, max_size=5))
    def check(blocks: list[list[engines.Row]]) -> None:
        engines.create(oracle, engine)
        merging.truncate(engine.name)
        for block in blocks:
            engines.insert(oracle, engine, block)
            merging.append_events({engine.name: engines.lines(engine, block)})
        oracle.answer(f"SYSTEM START MERGES {engine.name}")
        oracle.answer(f"OPTIMIZE TABLE {engine.name} FINAL")
        merging.compact(engine.name)
        every = f"SELECT * FROM {engine.name}"
        assert rows(merging, every, engine.sets) == engines.answer(oracle, every, engine.sets)

    check()


def test_many_inserts_are_merged_on_the_way(folder: Folder, workspace: Workspace) -> None:
    folder.datasource(
        "latest", "k Int32 `json:$.k`; v Int32 `json:$.v`", 'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k"\n'
    )
    folder.datasource("plain", "k Int32 `json:$.k`; v Int32 `json:$.v`", 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "k"\n')
    folder.build(workspace)
    for block in range(9):
        lines = [f'{{"k": {i % 10}, "v": {block * 1000 + i}}}' for i in range(1000)]
        workspace.append_events({"latest": lines, "plain": lines})
    assert workspace.maintenance.settle()
    ((count,),) = workspace.query("SELECT count() FROM latest").rows
    assert count < 9000
    assert rows(workspace, "SELECT v FROM latest FINAL") == [[8990 + i] for i in range(10)]
    assert workspace.query("SELECT count() FROM plain").rows == [(9000,)]


def test_a_fixture_is_not_merged_away(folder: Folder, workspace: Workspace) -> None:
    folder.datasource(
        "latest", "k Int32 `json:$.k`; v Int32 `json:$.v`", 'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "k"\n'
    )
    folder.build(workspace)
    workspace.append_events({"latest": ['{"k": 1, "v": 1}', '{"k": 2, "v": 1}']})
    fixture = folder.write("fixtures/latest.ndjson", '{"k": 1, "v": 2}\n')
    folder.build(workspace)
    workspace.compact()
    assert rows(workspace, "SELECT * FROM latest FINAL") == [[1, 2], [2, 1]]
    fixture.unlink()
    folder.build(workspace)
    assert rows(workspace, "SELECT * FROM latest FINAL") == [[1, 1], [2, 1]]
