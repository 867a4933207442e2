"""Merges in the background: nothing is lost or doubled by what happens meanwhile, and nobody fails by them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest

from tbpy.engines import DuckDBEngine
from tbpy.errors import QueryError
from tbpy.workspace import Workspace, maintenance
from tbpy.workspace.merging import drop_unfinished, merge_beside
from tests.workspace.conftest import Folder

SCHEMA = "k Int32 `json:$.k`; n UInt64 `json:$.n`"
SUMMING = 'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "k"\n'


@pytest.fixture
def sums(folder: Folder, workspace: Workspace) -> Workspace:
    folder.datasource("sums", SCHEMA, SUMMING)
    folder.datasource("source", SCHEMA)
    folder.pipe("to_sums", "SELECT k, sum(n) AS n FROM source GROUP BY k", "TYPE materialized\nDATASOURCE sums\n")
    folder.build(workspace)
    return workspace


@pytest.fixture
def by_hand(sums: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """`sums` with 300 rows, which are only merged when a test does it."""
    monkeypatch.setattr(sums.maintenance, "note", lambda names, rows: None)
    sums.append_events({"sums": lines(300)})
    return sums


def lines(count: int, k: int | None = None) -> list[str]:
    return [f'{{"k": {i % 10 if k is None else k}, "n": 1}}' for i in range(count)]


def total(workspace: Workspace, rows: str = "sums") -> tuple[int, int]:
    ((count, n),) = workspace.query(f"SELECT count(), sum(n) FROM {rows}").rows
    return count, n


def merged_while(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> bool:
    """Merges `sums`; something happens after its rows were merged and before they take the place of the others."""
    enter = DuckDBEngine.transaction

    def transaction(self: DuckDBEngine, *arguments: object, **named: object) -> object:
        monkeypatch.setattr(DuckDBEngine, "transaction", enter)
        happens()
        return enter(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBEngine, "transaction", transaction)
    return merge_beside(workspace._engine, workspace._catalogue.datasources["sums"], lambda session: None)


def test_rows_that_come_meanwhile_are_kept(by_hand: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"sums": lines(7), "source": lines(20, k=77)}
    assert merged_while(by_hand, monkeypatch, lambda: by_hand.append_events(more))
    assert total(by_hand) == (10 + 7 + 1, 300 + 7 + 20)
    assert total(by_hand, "sums FINAL") == (11, 327)


@pytest.mark.parametrize(
    "happens, left",
    [
        (lambda workspace: workspace.delete("sums", "k = 3"), (270, 270)),
        (lambda workspace: workspace.truncate("sums"), (0, 0)),
        (lambda workspace: workspace.compact("sums"), (10, 300)),
    ],
    ids=["delete", "truncate", "compact"],
)
def test_a_merge_gives_way_to_other_changes(
    by_hand: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Workspace], object],
    left: tuple[int, int],
) -> None:
    assert not merged_while(by_hand, monkeypatch, lambda: happens(by_hand))
    assert total(by_hand) == left
    assert tables(by_hand) == ["sums", "source"]


def tables(workspace: Workspace) -> list[str]:
    sql = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY table_name DESC"
    return [name for (name,) in workspace._engine.run(sql)]


def test_what_a_killed_process_left_is_dropped(by_hand: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def end() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merged_while(by_hand, monkeypatch, end)
    assert len(tables(by_hand)) == 3 and total(by_hand) == (300, 300)
    drop_unfinished(by_hand._engine)
    assert tables(by_hand) == ["sums", "source"]
    assert merge_beside(by_hand._engine, by_hand._catalogue.datasources["sums"], lambda session: None)
    assert total(by_hand) == (10, 300)


def test_an_append_neither_waits_for_a_merge_nor_fails_by_it(sums: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = Event(), Event()

    def merge_slowly_and_fail(*_: object) -> bool:
        begun.set()
        assert end.wait(30)
        raise QueryError("no room for it", code=243, name="NOT_ENOUGH_SPACE")

    monkeypatch.setattr(maintenance, "merge_beside", merge_slowly_and_fail)
    sums.append_events({"sums": lines(1000)})
    assert begun.wait(30)
    sums.append_events({"sums": lines(10)})
    end.set()
    assert sums.maintenance.settle()
    assert total(sums) == (1010, 1010)


def test_writers_and_merges_at_once(sums: Workspace) -> None:
    def append() -> None:
        for _ in range(40):
            sums.append_events({"sums": lines(30), "source": lines(5)})

    writers = [Thread(target=append) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sums.maintenance.settle()
    count, n = total(sums)
    assert n == 2 * 40 * 35 and count < n
    assert total(sums, "sums FINAL") == (10, n)


def test_what_is_left_is_merged_when_the_workspace_is_closed(folder: Folder) -> None:
    folder.datasource("sums", SCHEMA, SUMMING)
    with folder.open() as workspace:
        folder.build(workspace)
        workspace.append_events({"sums": lines(240)})
        assert total(workspace) == (240, 240)
    with folder.open() as workspace:
        assert total(workspace) == (10, 240)
