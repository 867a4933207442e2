"""The thread that stores events, with a store that fails as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from threading import Event

import pytest

from tbpy.api.errors import BusyError, MaterializationError
from tbpy.api.writer import EventWriter, Stored
from tbpy.errors import QueryError, TbpyError


class Store:
    """Keeps lines. `bad` go to quarantine, `poison` makes a commit fail, `full` makes all of them fail."""

    def __init__(self) -> None:
        self.commits: list[dict[str, list[str]]] = []
        self.tries = 0
        self.open = Event()
        self.open.set()
        self.refused: list[tuple[str, str]] = []

    def failed(self, datasource: str, error: TbpyError) -> None:
        self.refused.append((datasource, type(error).__name__))

    def __call__(self, events: Mapping[str, Sequence[str]]) -> dict[str, frozenset[int]]:
        self.open.wait(5)
        self.tries += 1
        lines = [line for group in events.values() for line in group]
        if "full" in lines:
            raise OSError("no space left")
        if "poison" in lines:
            raise QueryError("division", code=153, name="ILLEGAL_DIVISION")
        self.commits.append({name: list(group) for name, group in events.items()})
        return {
            name: frozenset(place for place, line in enumerate(group) if line == "bad")
            for name, group in events.items()
        }


async def send(writer: EventWriter, *requests: tuple[str, list[str]]) -> list[object]:
    sent = [writer.submit(name, lines, sum(map(len, lines))) for name, lines in requests]
    return list(await asyncio.gather(*sent, return_exceptions=True))


def run(store: Store, *requests: tuple[str, list[str]], queue_bytes: int = 1000) -> list[object]:
    """All requests but the first wait in the queue together."""

    async def scenario() -> list[object]:
        writer = EventWriter(store, queue_bytes=queue_bytes, on_failure=store.failed)
        store.open.clear()
        first = asyncio.ensure_future(send(writer, requests[0]))
        await asyncio.sleep(0.05)
        rest = asyncio.ensure_future(send(writer, *requests[1:]))
        await asyncio.sleep(0.05)
        store.open.set()
        answers = [*await first, *await rest]
        writer.close()
        return answers

    return asyncio.run(scenario())


def test_what_queued_during_a_commit_is_the_next_one() -> None:
    store = Store()
    answers = run(store, ("a", ["1"]), ("a", ["2", "bad"]), ("b", ["bad"]), ("a", ["3"]))
    assert answers == [Stored(1, 0), Stored(1, 1), Stored(0, 1), Stored(1, 0)]
    assert store.commits == [{"a": ["1"]}, {"a": ["2", "bad", "3"], "b": ["bad"]}]


def test_a_request_that_cannot_be_stored_fails_alone() -> None:
    store = Store()
    answers = run(store, ("a", ["1"]), ("a", ["2"]), ("a", ["poison"]), ("b", ["3"]), ("a", ["4"]))
    assert [answers[place] for place in (0, 1, 3, 4)] == [Stored(1, 0)] * 4
    assert isinstance(answers[2], MaterializationError)
    assert store.refused == [("a", "MaterializationError")]
    assert sum(len(group) for commit in store.commits for group in commit.values()) == 4


def test_a_full_disk_is_full_for_all() -> None:
    store = Store()
    answers = run(store, ("a", ["1"]), ("a", ["2"]), ("b", ["full"]), ("a", ["3"]))
    assert answers[0] == Stored(1, 0)
    assert all(isinstance(answer, BusyError) for answer in answers[1:])
    assert store.tries == 2
    assert store.refused == [("a", "BusyError"), ("b", "BusyError")]


def test_a_full_queue_refuses_and_drops_nothing() -> None:
    store = Store()
    answers = run(store, ("a", ["1"]), ("a", ["x" * 900]), ("a", ["y" * 200]), ("a", ["2"]), queue_bytes=1000)
    assert answers[:2] == [Stored(1, 0), Stored(1, 0)] and answers[3] == Stored(1, 0)
    assert isinstance(answers[2], BusyError)


def test_closing_stores_what_is_queued() -> None:
    store = Store()

    async def scenario() -> list[object]:
        writer = EventWriter(store)
        waiting = asyncio.ensure_future(send(writer, ("a", ["1"]), ("a", ["2"])))
        await asyncio.sleep(0.02)
        await asyncio.to_thread(writer.close)
        with pytest.raises(BusyError):
            await writer.submit("a", ["3"], 1)
        return await waiting

    assert asyncio.run(scenario()) == [Stored(1, 0), Stored(1, 0)]
