"""Judging answers, and running suites in parallel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tbpy.testing.model import Case, Suite
from tbpy.testing.runner import judge, run
from tbpy.testing.update import Answer


def case(expected: str, status: int | None = None, *, pipe: str = "p", name: str = "n") -> Case:
    return Case(pipe, f"tests/{pipe}.yaml", name, "", "", expected, status, 1, 5)


@pytest.mark.parametrize(
    ("expected", "status", "answer", "message"),
    [
        ('{"a":1}\n', None, Answer(200, '{"a":1}\n'), ""),
        ('{"a":1}\n', 200, Answer(200, '{"a":1}\n'), ""),
        ("", None, Answer(200, ""), ""),
        ("bad", 400, Answer(400, "bad"), ""),
        ('{"a":1}', None, Answer(200, '{"a":1}\n'), "the result is another"),
        ("bad\n", 400, Answer(400, "bad"), "the result is another"),
        ("bad", None, Answer(400, "bad"), "expected not to fail"),
        ("bad", 400, Answer(404, "bad"), "expected status 400, but got 404"),
    ],
)
def test_answers_are_judged_as_tb_does(expected: str, status: int | None, answer: Answer, message: str) -> None:
    outcome = judge(case(expected, status), answer)
    assert outcome.message.startswith(message)
    assert outcome.passed is not bool(message)


def test_a_report_keeps_the_order_and_names_what_it_skipped() -> None:
    first = Suite("p", "tests/p.yaml", tuple(case(str(i % 2), name=str(i)) for i in range(20)))
    unknown = Suite("gone", "tests/gone.yaml", (case("", pipe="gone"),))
    report = run([first, unknown], {"p"}, lambda asked: Answer(200, "1"), workers=4)
    assert [outcome.case.name for outcome in report.outcomes] == [str(i) for i in range(20)]
    assert (report.passed, report.failed, report.skipped) == (
        10,
        True,
        (replace(unknown, skipped="there is no pipe gone"),),
    )
