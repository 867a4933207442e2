"""A pytest plugin that counts recorded cases by area and keeps the counts from falling.

A test takes the fixture `record` and calls `record(area, ok, case)` once for each case. A case that does not match does
not fail its test: what fails the run is an area whose count is below its floor in `floors.json`. The run ends with a
line `area passed/total` for each area, `-v` lists the cases that do not match, and `--raise-floors` writes today's
counts into `floors.json` where they are higher. Floors hold for the cases beside this module and for whole areas: they
are not applied when `TBPY_CASES` names another folder, or when `-k`, `-m`, `--lf` or a test id narrows the run.

Counts travel in the reports of the tests, so they add up under `pytest -n` too.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

FLOORS = Path(__file__).with_name("floors.json")
PROPERTY = "conformance"

Record = Callable[..., None]


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """`record(area, ok, case="")`: counts one case of `area`; `case` is how it is listed when it does not match."""

    def add(area: str, ok: bool, case: object = "") -> None:
        request.node.user_properties.append((PROPERTY, [area, bool(ok), str(case)]))

    return add


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--raise-floors", action="store_true", help="write higher conformance counts into floors.json")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Counts(config), "conformance-counts")


class _Counts:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.passed: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self.unmatched: list[str] = []
        self.below: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, list):
                self._count(*value)

    def _count(self, area: str, ok: bool, case: str) -> None:
        self.total[area] += 1
        self.passed[area] += ok
        if not ok:
            self.unmatched.append(f"{area}: {case}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self.total or not self._floors_apply():
            return
        floors: dict[str, int] = json.loads(FLOORS.read_text()) if FLOORS.exists() else {}
        if self.config.getoption("--raise-floors"):
            floors |= {area: max(count, floors.get(area, 0)) for area, count in self.passed.items()}
            FLOORS.write_text(json.dumps(floors, indent=2, sort_keys=True) + "\n")
        # An area without a floor could fall to nothing unseen.
        wanted = {area: floors.get(area, "a floor (--raise-floors writes it)") for area in self.total}
        self.below = [
            f"{area}: {self.passed[area]} < {floor}"
            for area, floor in wanted.items()
            if isinstance(floor, str) or self.passed[area] < floor
        ]
        if self.below:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _floors_apply(self) -> bool:
        option = self.config.option
        narrowed = option.keyword or option.markexpr or option.lf or any("::" in arg for arg in self.config.args)
        return not narrowed and not os.environ.get("TBPY_CASES")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.total:
            return
        terminalreporter.section("conformance")
        if self.config.option.verbose >= 0:  # the repository's own default is -q
            for line in self.unmatched:
                terminalreporter.line(f"no match  {line}")
        for area in sorted(self.total):
            terminalreporter.line(f"{area} {self.passed[area]}/{self.total[area]}")
        for line in self.below:
            terminalreporter.line(f"BELOW ITS FLOOR  {line}", red=True)
