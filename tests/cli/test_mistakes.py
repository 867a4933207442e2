"""Wrong input of every kind: what is said, where, and the exit code. Never a traceback (the shell looks for one)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

OUTSIDE: list[tuple[str, int, str]] = [
    ("build", 2, "no project in"),
    ("-C missing build", 2, "no such folder"),
    ("bild", 2, "build"),
    ("build --nope", 2, "--nope"),
    ("init full", 2, "full is not empty"),
    ("init full/a.txt", 2, "is a file"),
]

INSIDE: list[tuple[tuple[str, ...], int, str]] = [
    (("query",), 2, "no query"),
    (("query", "--file", "missing.sql"), 2, "no such file: missing.sql"),
    (("query", "SELECT 1", "--file", "more.csv"), 2, "given twice"),
    (
        ("query", "SELECT 1,\n  nope FROM customer_transactions"),
        4,
        "    2 |   nope FROM customer_transactions\n      |   ^^^^\n",
    ),
    (("query", "SELECT 1", "--format", "foo"), 4, "foo"),
    (("query", "SELECT * FROM customer_transaction"), 4, "customer_transaction"),
    (("query", "SELECT now()", "--now", "soon"), 2, "--now is no time: soon"),
    (("append", "customer_transactions", "missing.csv"), 2, "missing.csv"),
    (("append", "nope", "more.csv"), 3, "no data source nope"),
    (("append", "customer_transactions", "more.csv", "--format", "xml"), 5, "xml"),
    (("append", "customer_transactions", "more.csv", "--format", "parquet"), 5, "more.csv"),
    (("append", "customer_transactions", "*.nothing"), 2, "*.nothing"),
    (("append", "-"), 2, "standard input has no name"),
    (("endpoint", "data", "nope"), 3, "no endpoint nope"),
    (("endpoint", "data", "customer_cltv", "--customer_id"), 2, "--customer_id has no value"),
    (("endpoint", "data", "customer_cltv", "cust_1"), 2, "unexpected argument 'cust_1'"),
    (("endpoint", "url", "nope"), 3, "no endpoint nope"),
    (("datasource", "data", "nope"), 4, "nope"),
    (("datasource", "truncate", "customer_transactions"), 2, "--yes"),
    (("datasource", "truncate", "nope", "--yes"), 3, "nope"),
    (("datasource", "delete", "customer_transactions", "--sql-condition", "nope = 1", "--yes"), 4, "nope"),
    (("fmt", "more.csv"), 2, "is no datafile"),
    (("fmt", "missing.pipe"), 2, "no such file"),
    (("test", "run", "nope"), 3, "no tests of nope"),
]


@pytest.mark.parametrize(("line", "code", "said"), OUTSIDE)
def test_mistakes_outside_a_project(shell: Shell, line: str, code: int, said: str) -> None:
    shell.write("full/a.txt", "")
    ran = shell.tbpy(*line.split())
    assert (ran.code, said in ran.err, ran.out) == (code, True, ""), ran.err


@pytest.mark.parametrize(("words", "code", "said"), INSIDE, ids=[" ".join(words) for words, _, _ in INSIDE])
def test_mistakes_inside_a_project(cltv: Shell, words: tuple[str, ...], code: int, said: str) -> None:
    ran = cltv.tbpy(*words)
    assert (ran.code, said in ran.err, ran.out) == (code, True, ""), ran.err


def test_an_error_is_a_json_document_too(cltv: Shell) -> None:
    ran = cltv.tbpy("query", "SELECT nope", "--json")
    assert ran.code == 4
    assert (ran.json["type"], ran.json["name"], ran.json["place"]["start"]) == ("QueryError", "UNKNOWN_IDENTIFIER", 7)


BROKEN = Path(__file__).parents[1] / "cases" / "ten_mistakes"


def test_ten_mistakes_in_ten_files_are_told_in_one_build(shell: Shell) -> None:
    shutil.copytree(BROKEN, shell.folder, dirs_exist_ok=True)
    wrong = {file.relative_to(BROKEN).as_posix() for file in BROKEN.rglob("*.*") if file.stem != "good"}
    assert len(wrong) == 10
    ran = shell.tbpy("build")
    assert (ran.code, ran.out) == (1, "")
    assert [name for name in wrong if f"{name}:" not in ran.err] == []
    assert ran.err.endswith("10 errors in 10 files\n")
    assert "endpoints/unknown_column.pipe:3:12: error:" in ran.err
    assert "    3 |     SELECT b\n      |            ^\n" in ran.err
    assert not (Path(shell.folder) / ".tbpy" / "built").exists()
    told = shell.tbpy("check", "--json")
    assert (told.code, {found["file"] for found in told.json["diagnostics"]}) == (1, wrong)


def test_a_mended_project_builds(shell: Shell) -> None:
    shell.write("datasources/a.datasource", "SCHEMA >\n    `a` string\n")
    assert shell.tbpy("build").code == 1
    shell.write("datasources/a.datasource", "SCHEMA >\n    `a` String\n")
    assert "datasource a created" in shell.tbpy("build").out
    assert "No changes" in shell.tbpy("build").out
