"""Which values each type takes and what it stores: the matrix of Tinybird's ingestion, in `coercion_{json,csv}.txt`.

JSON cases run twice: alone in a file, and behind thousands of plain rows, so that the fast reading of the column is
chosen and must come to the same verdict.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.conftest import Landing

QUARANTINE = "-> quarantine"
ID = "61f0c404-5cb3-11e7-907b-a6006ad3dba0"
PLAIN = {
    "Int8": 7, "Int16": 7, "Int32": 7, "Int64": 7, "UInt8": 7, "UInt64": 7, "Int128": 7, "Float32": 1.5, "Float64": 1.5,
    "Bool": True, "String": "a", "UUID": ID, "Date": "2024-01-02", "DateTime": "2024-01-02 03:04:05",
    "DateTime64(3)": "2024-01-02 03:04:05.123", "Decimal(9, 2)": 1.5, "LowCardinality(String)": "a",
}  # fmt: skip
SHOWN = "SELECT coalesce(replace(CAST(a AS VARCHAR), chr(0), '\\0'), 'NULL') FROM t WHERE b = 'last'"


def cases(name: str) -> list[tuple[str, ...]]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").split("\n")
    return [tuple(line.split(" | ", 2)) for line in lines if line and not line.startswith("#")]


# Twelve thousand good rows before it bring a row to the fast reading, which only the types of PLAIN have.
JSON_CASES = [(*case, 0) for case in cases("coercion_json.txt")] + [
    (*case, 12_000) for case in cases("coercion_json.txt") if case[0] in PLAIN
]


@pytest.mark.parametrize(("type_", "value", "expected", "behind"), JSON_CASES)
def test_json(landing: Callable[..., Landing], type_: str, value: str, expected: str, behind: int) -> None:
    target = landing({"a": type_, "b": "String"})
    plain = json.dumps({"a": PLAIN.get(type_), "b": "x" * 100}) + "\n"
    line = f'{{"a": {value}, "b": "last"}}'
    report = target.append_text(plain * behind + line + "\n")
    if expected == QUARANTINE:
        assert (report.rows, report.quarantined) == (behind, 1)
        assert target.quarantine("c__error_column, c__line") == [(["a"], line)]
    else:
        assert (report.rows, report.quarantined) == (behind + 1, 0)
        assert target.rows(SHOWN) == [(expected,)]


@pytest.mark.parametrize(("type_", "text", "expected"), cases("coercion_csv.txt"))
def test_csv(landing: Callable[..., Landing], type_: str, text: str, expected: Any) -> None:
    target = landing({"a": type_, "b": "String"})
    report = target.append_text(f'a,b\n"{text}",last\n', "rows.csv")
    if expected == QUARANTINE:
        assert (report.rows, report.quarantined) == (0, 1)
        assert target.quarantine("c__error, a") == [([f"value '{text}' on column 'a' is not {type_}"], text)]
    else:
        assert (report.rows, report.quarantined) == (1, 0)
        assert target.rows(SHOWN) == [(expected,)]
