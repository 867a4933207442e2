"""The counting of recorded cases: a count below its floor fails the run, a case alone does not."""

from __future__ import annotations

import json

import pytest

from tests.conformance import floors

TEST = """
def test_cases(record):
    record("area", True, "good")
    record("area", False, "bad")
"""


@pytest.fixture
def run(pytester, monkeypatch, tmp_path):
    """Runs a test file with one case of two matching, over a floor, and gives exit status and output."""
    monkeypatch.delenv("TBPY_CASES", raising=False)
    monkeypatch.setattr(floors, "FLOORS", tmp_path / "floors.json")
    pytester.makepyfile(TEST)

    def go(floor, *options):
        kept = {"area": floor} if floor is not None else {}
        floors.FLOORS.write_text(json.dumps({**kept, "another": 9}))
        result = pytester.runpytest_inprocess("-p", "tests.conformance.floors", *options)
        return result.ret, result.stdout.str()

    return go


def test_a_count_at_its_floor_passes(run):
    status, output = run(1)
    assert status == 0
    assert "area 1/2" in output


def test_a_count_below_its_floor_fails_the_run(run):
    status, output = run(2, "-v")
    assert status == 1
    assert "BELOW ITS FLOOR  area: 1 < 2" in output
    assert "no match  area: bad" in output


def test_an_area_without_a_floor_fails_the_run(run):
    status, output = run(None)
    assert status == 1
    assert "area: 1 < a floor (--raise-floors writes it)" in output


def test_floors_hold_for_whole_runs_over_the_recorded_cases(run, monkeypatch):
    assert run(2, "-k", "cases")[0] == 0
    monkeypatch.setenv("TBPY_CASES", ".")
    assert run(2)[0] == 0


@pytest.mark.parametrize(("floor", "kept"), [(0, 1), (2, 2)])
def test_floors_only_rise(run, floor, kept):
    run(floor, "--raise-floors")
    assert json.loads(floors.FLOORS.read_text()) == {"area": kept, "another": 9}
