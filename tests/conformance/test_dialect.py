"""The recorded queries in ClickHouse's dialect, counted by area; wrong answers may only become fewer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance import dialect_cases
from tests.conformance.comparison import Answer, difference
from tests.conformance.dialect import DialectRunner
from tests.conformance.floors import Record


@pytest.fixture(scope="module")
def runner() -> Iterator[DialectRunner]:
    found = DialectRunner()
    yield found
    found.close()


def test_recorded_queries(runner: DialectRunner, record: Record) -> None:
    """Areas count full matches; `dialect/not wrong` counts every case that is right or refused, so it is a ceiling."""
    for case in dialect_cases.recorded():
        if case.oracle_suspect:
            continue
        outcome = runner.run(case)
        record(f"{case.file}/{case.area}", outcome.kind == "full", f"{case.id} {outcome.kind}: {outcome.detail}")
        record(case.file, outcome.kind == "full", case.id)
        record("dialect/not wrong", not outcome.wrong, f"{case.id} {outcome.kind}: {outcome.detail}")


def test_own_queries(runner: DialectRunner, record: Record) -> None:
    for case in dialect_cases.own():
        outcome = runner.run(case)
        record(f"own/{case.file}", outcome.kind == "full", f"{case.id} {outcome.kind}: {outcome.detail}")
        if case.error is None:
            record("own/not wrong", not outcome.wrong, f"{case.id} {outcome.kind}: {outcome.detail}")


_WANT = Answer((("a", "UInt8"), ("b", "Float64")), [[1, 0.5], [2, None]])


@pytest.mark.parametrize(
    ("got", "found"),
    [
        (Answer(_WANT.meta, [[1, 0.5 + 1e-12], [2, None]]), None),
        (Answer(_WANT.meta, [[2, None], [1, 0.5]]), None),
        (Answer(_WANT.meta, [[1, 0.5001], [2, None]]), "row 1, b: 0.5, got 0.5001"),
        (Answer(_WANT.meta, [[1, 0.5], [2, 0.0]]), "row 1, b: None, got 0.0"),
        (Answer(_WANT.meta, [[1, 0.5]]), "2 rows, got 1"),
        (Answer((("a", "UInt16"), ("b", "Float64")), _WANT.rows), "a: type UInt8, got UInt16"),
        (Answer((("x", "UInt8"), ("b", "Float64")), _WANT.rows), "name 'a', got 'x'"),
        (Answer(_WANT.meta, _WANT.rows, [0, 0.0]), "totals: None, got [0, 0.0]"),
        (Answer(_WANT.meta, [[True, 0.5], [2, None]]), "row 1, a: 1, got True"),
        (Answer(_WANT.meta, [["1", 0.5], [2, None]]), "row 1, a: 1, got '1'"),
    ],
)
def test_a_difference_is_found(got: Answer, found: str | None) -> None:
    assert difference(_WANT, got, ordered=False) == found


def test_order_counts_where_the_query_orders() -> None:
    turned = Answer(_WANT.meta, list(reversed(_WANT.rows)))
    assert difference(_WANT, turned, ordered=True) == "row 1, a: 1, got 2"
