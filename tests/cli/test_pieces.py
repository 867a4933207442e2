"""Parts of the command line that need no process: the root, secrets, excerpts, JSON, names of inputs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tbpy.cli.inputs import choose_inputs
from tbpy.cli.output import plain
from tbpy.cli.parameters import parse_parameters
from tbpy.cli.root import find_root
from tbpy.cli.secrets import parse_env
from tbpy.cli.trouble import diagnostic_lines, summary
from tbpy.errors import Diagnostic, Severity, Span, UsageError

FOLDERS: list[tuple[tuple[str, ...], str, str]] = [
    # files of the tree, where the person stands, where the project is
    (("datasources/a.datasource",), ".", "."),
    (("datasources/a.datasource",), "datasources", "."),
    (("datasources/a.datasource", "docs/x.md"), "docs", "."),
    (("datasources/.keep", "endpoints/.keep"), "endpoints", "."),
    (("a.pipe",), ".", "."),
    (("strange/a.pipe",), ".", "."),
    (("tinybird.config.json", "tb/datasources/a.datasource"), ".", "tb"),
    (("tinybird.config.json", "tb/datasources/a.datasource"), "tb/datasources", "tb"),
    (("outer/pipes/a.pipe", "outer/inner/.tbpy/x", "outer/inner/s/b.pipe"), "outer/inner/s", "outer/inner"),
    (("outer/pipes/a.pipe", "outer/inner/.tbpy/x"), "outer/inner", "outer"),
]


@pytest.mark.parametrize(("files", "here", "root"), FOLDERS)
def test_the_root_is_found_upward(tmp_path: Path, files: tuple[str, ...], here: str, root: str) -> None:
    for name in files:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"folder": "tb"}')
    assert find_root(tmp_path / here) == tmp_path / root


def test_no_root_is_told_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no project") as caught:
        find_root(tmp_path)
    assert "tbpy init" in (caught.value.hint or "")


def test_secrets_are_read_as_dotenv() -> None:
    text = "# c\nA=1\nexport B='x # y'\nC=\"a\\nb\" # c\nD = v # c\nE=\nnothing\n"
    assert parse_env(text) == {"A": "1", "B": "x # y", "C": "a\nb", "D": "v", "E": ""}


def test_a_diagnostic_shows_its_place() -> None:
    diagnostic = Diagnostic(
        "unknown-type",
        "Unknown data type family: string",
        file="datasources/a.datasource",
        span=Span.at(3, 6, 6),
        source="\t`a` string,",
        hint="String",
    )
    assert "\n".join(diagnostic_lines(diagnostic)) == (
        "datasources/a.datasource:3:6: error: Unknown data type family: string [unknown-type]\n"
        "    3 | \t`a` string,\n"
        "      | \t    ^^^^^^\n"
        "  hint: String"
    )


def test_a_summary_counts() -> None:
    warning = Diagnostic("w", "w", severity=Severity.WARNING, file="a")
    assert summary([]) == ""
    assert summary([warning]) == "1 warning in 1 file"
    assert summary([Diagnostic("e", "e", file="a"), Diagnostic("e", "e", file="b"), warning]) == (
        "2 errors and 1 warning in 2 files"
    )


@dataclass(frozen=True)
class Sample:
    path: Path
    import_: tuple[Severity, ...]
    _hidden: int = 1


def test_results_are_plain_json() -> None:
    assert plain({"a": Sample(Path("x"), (Severity.ERROR,))}) == {"a": {"path": "x", "import": ["error"]}}


@pytest.mark.parametrize(
    ("words", "piped", "expected"),
    [
        (["events.ndjson"], False, [("events", "events.ndjson")]),
        (["data/other.csv.gz"], False, [("other", "data/other.csv.gz")]),
        (["events", "data/other.csv.gz"], False, [("events", "data/other.csv.gz")]),
        (["unknown", "events.ndjson"], False, [("unknown", "events.ndjson")]),
        (["events.ndjson", "data/*"], False, [("events", "events.ndjson"), ("other", "data/other.csv.gz")]),
        (["http://host/a/events.csv?x=1.y"], False, [("events", "http://host/a/events.csv?x=1.y")]),
        (["events", "data/*"], False, [("events", "data/*")]),
        (["events", "-"], True, [("events", "-")]),
        (["events"], True, [("events", "-")]),
    ],
)
def test_inputs_find_their_data_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], piped: bool, expected: list[tuple[str, str]]
) -> None:
    (tmp_path / "data").mkdir()
    for name in ("events.ndjson", "data/other.csv.gz"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    found = choose_inputs(words, {"events"}, piped=piped)
    assert [(item.datasource, item.source) for item in found] == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to append"),
        (["events"], "no file to append"),
        (["-"], "standard input has no name"),
        (["*.csv"], "no file matches"),
    ],
)
def test_wrong_inputs_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(message)):
        choose_inputs(words, {"events"}, piped=False)


def test_parameters_are_names_with_values() -> None:
    assert parse_parameters(["--a", "1", "--b=x=y", "--a", "-2", "--c="], ["d=4"]) == {
        "a": ["1", "-2"],
        "b": "x=y",
        "c": "",
        "d": "4",
    }


@pytest.mark.parametrize("options", [["x"], ["--a"], ["--a", "--b", "1"], ["--"]])
def test_wrong_parameters_are_refused(options: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_parameters(options)
