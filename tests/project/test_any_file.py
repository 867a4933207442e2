"""Whatever a file holds, loading tells of it and never raises."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tbpy.project import load_project
from tests.conformance.cases import load

CASES = [(case["kind"], case["text"]) for case in load("datafile_cases.jsonl")]
PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "'",
    "`",
    '"',
    "(",
    ")",
    "\n",
    ">",
    "#",
    "--",
    ",",
    "%",
    "é",
    "\x00",
    " IN a",
    " FROM a",
]


def test_all_recorded_files_in_one_project(tmp_path: Path) -> None:
    for number, (kind, text) in enumerate(CASES):
        (tmp_path / f"f{number}.{kind}").write_text(text)
    project = load_project(tmp_path)
    assert len({told.file for told in project.errors}) > 100
    assert all(told.span is not None and told.source is not None for told in project.diagnostics)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=st.sampled_from(CASES), piece=st.sampled_from(PIECES), place=st.floats(0, 1))
def test_damaged_files(tmp_path: Path, case: tuple[str, str], piece: str, place: float) -> None:
    kind, text = case
    at = int(len(text) * place)
    for other in tmp_path.iterdir():
        other.unlink()
    (tmp_path / f"a.{kind}").write_text(text[:at] + piece + text[at:])
    for told in load_project(tmp_path).diagnostics:
        assert told.file == f"a.{kind}" and told.span is not None
