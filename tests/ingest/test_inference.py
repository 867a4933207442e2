"""Inferred data sources: their text, and that an append of the same file fits."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tbpy.datafiles import parse_datasource
from tbpy.workspace.ingest.inference import infer_datasource

ROWS = [
    {"user_id": 1, "at": "2024-01-02T03:04:05.123Z", "ok": True, "v": 1.5, "t": ["a"], "o": {"x": 70000, "a-b": "z"}},
    {"user_id": 2, "at": "2024-01-02T03:04:06.000Z", "ok": False, "v": 2, "t": [], "o": {"x": 1}, "n": None, "é": 1},
]
NDJSON = """\
SCHEMA >
    `user_id` Int16 `json:$.user_id`,
    `at` DateTime64(3) `json:$.at`,
    `ok` Bool `json:$.ok`,
    `v` Float64 `json:$.v`,
    `t` Array(String) `json:$.t[:]`,
    `o_x` Int32 `json:$.o.x`,
    `o_a_b` Nullable(String) `json:$.o.["a-b"]`,
    `n` Nullable(String) `json:$.n`,
    `_` Nullable(Int16) `json:$.é`

ENGINE "MergeTree"
ENGINE_PARTITION_KEY "toYYYYMM(at)"
ENGINE_SORTING_KEY "user_id, at"
"""
CSV = """\
SCHEMA >
    `day` Date `json:$.day`,
    `big_number` Int64 `json:$.big_number`,
    `word` String `json:$.word`,
    `amount` Nullable(Float64) `json:$.amount`

ENGINE "MergeTree"
ENGINE_PARTITION_KEY "toYYYYMM(day)"
ENGINE_SORTING_KEY "day"
"""


def test_ndjson(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    assert infer_datasource(path) == NDJSON


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("day;big number;word;amount\n2024-01-02;3000000000;x;1.5\n2024-01-03;1;;\n")
    assert infer_datasource(path) == CSV


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT 1::UINTEGER AS a, [1.5::DOUBLE] AS b, NULL::VARCHAR AS c) TO '{path}'")
    columns = parse_datasource(infer_datasource(path), name="a").columns
    assert [(c.name, c.declared_type) for c in columns] == [
        ("a", "UInt32"),
        ("b", "Array(Float64)"),
        ("c", "Nullable(String)"),
    ]


@pytest.mark.parametrize("text", [NDJSON, CSV])
def test_the_text_is_a_datafile(text: str) -> None:
    assert parse_datasource(text, name="a").columns
