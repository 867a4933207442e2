"""Running suites: every case is asked, in parallel, and its answer judged to the byte."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tbpy.testing.difference import difference
from tbpy.testing.model import Case, Suite
from tbpy.testing.update import Answer

_SHOWN = 10  # rows that break a rule

Ask = Callable[[Case], Answer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case judged. `message` says in a line what is wrong, `difference` shows it; both empty when it passed."""

    case: Case
    answer: Answer
    message: str = ""
    difference: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.message


@dataclass(frozen=True, slots=True)
class Report:
    """`skipped` are suites that cannot be run, with the reason in each. `elapsed` in seconds."""

    outcomes: tuple[Outcome, ...]
    skipped: tuple[Suite, ...] = ()
    elapsed: float = 0.0

    @property
    def passed(self) -> int:
        return sum(outcome.passed for outcome in self.outcomes)

    @property
    def failed(self) -> bool:
        return self.passed < len(self.outcomes)


def run(suites: Sequence[Suite], pipes: Iterable[str], ask: Ask, *, workers: int | None = None) -> Report:
    """Ask and judge all cases, in the order of the files. `ask` runs on `workers` threads, one a core unless said."""
    started = time.perf_counter()
    known = {"", *pipes}
    judged = [
        suite if suite.skipped or suite.pipe in known else replace(suite, skipped=f"there is no pipe {suite.pipe}")
        for suite in suites
    ]
    cases = [case for suite in judged if not suite.skipped for case in suite.cases]
    with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        outcomes = tuple(pool.map(lambda case: judge(case, ask(case)), cases))
    skipped = tuple(suite for suite in judged if suite.skipped)
    return Report(outcomes, skipped, time.perf_counter() - started)


def judge(case: Case, answer: Answer) -> Outcome:
    """As `tb test run` does: an error is a failure unless its status is expected, and then its text counts."""
    if answer.is_error and case.expected_http_status is None:
        return Outcome(case, answer, f"expected not to fail, but got an error ({answer.status}): {answer.text}")
    if answer.is_error and case.expected_http_status != answer.status:
        message = f"expected status {case.expected_http_status}, but got {answer.status}: {answer.text}"
        return Outcome(case, answer, message)
    if case.expected_result == answer.text:
        return Outcome(case, answer)
    if case.is_rule:
        return Outcome(case, answer, "rows break the rule", tuple(answer.text.splitlines()[:_SHOWN]))
    lines = difference(case.expected_result, answer.text, first_line=case.result_line)
    return Outcome(case, answer, "the result is another", lines)
