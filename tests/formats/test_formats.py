"""Results written by `tbpy.clickhouse.formats` against what ClickHouse printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tbpy.clickhouse import formats
from tbpy.clickhouse.types import parse_type
from tbpy.errors import QueryError
from tests.conformance.comparison import same
from tests.conformance.stored import stored

CASES = Path(__file__).parents[1] / "cases" / "formats"


def _cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().split("\n"), start=1):
            if line:
                found.append(pytest.param(json.loads(line), id=f"{path.stem}:{number}"))
    return found


@pytest.mark.parametrize("case", _cases())
def test_prints_what_clickhouse_prints(case: dict[str, Any]) -> None:
    columns = [formats.Column(name, parse_type(type_)) for name, type_ in case["columns"]]
    rows = [_row(columns, row) for row in case["rows"]]
    totals = _row(columns, case["totals"]) if "totals" in case else None
    printed = {
        name: b"".join(
            formats.write(
                name, columns, rows, totals=totals, rows_before_limit_at_least=case.get("rows_before_limit_at_least")
            )
        ).decode()
        for name in case["answers"]
    }
    assert printed == case["answers"], case["query"]


def _row(columns: list[formats.Column], row: list[Any]) -> list[Any]:
    return [stored(value, column.type) for value, column in zip(row, columns, strict=True)]


def test_to_python_gives_what_a_json_reader_gets() -> None:
    for case in (param.values[0] for param in _cases()):
        if "JSON" not in case["answers"]:
            continue
        columns = [formats.Column(name, parse_type(type_)) for name, type_ in case["columns"]]
        rows = [_row(columns, row) for row in case["rows"]]
        got = [[formats.to_python(v, c.type) for v, c in zip(row, columns, strict=True)] for row in rows]
        assert same([list(row.values()) for row in json.loads(case["answers"]["JSON"])["data"]], got)


def test_settings_quote_what_json_readers_lose() -> None:
    columns = [formats.Column(name, parse_type(name)) for name in ("UInt64", "Int32", "Float64", "Float32")]
    settings = {"output_format_json_quote_64bit_integers": "1", "output_format_json_quote_denormals": 1}
    chunks = formats.write("JSONEachRow", columns, [(1, 2, float("inf"), float("nan"))], settings=settings)
    assert b"".join(chunks) == b'{"UInt64":"1","Int32":2,"Float64":"inf","Float32":"nan"}\n'


def test_null_where_the_type_has_none_is_shown() -> None:
    columns = [formats.Column("a", parse_type("UInt8")), formats.Column("b", parse_type("String"))]
    assert b"".join(formats.write("JSONEachRow", columns, [(1, "x"), (None, None)])).endswith(b'{"a":null,"b":null}\n')


def test_long_results_come_in_chunks() -> None:
    columns = [formats.Column("a", parse_type("UInt32"))]
    for name in ("JSON", "CSV", "Values"):
        assert len(list(formats.write(name, columns, ((n,) for n in range(10_000))))) > 2


def test_statistics_are_read_after_the_last_row() -> None:
    statistics = formats.Statistics()

    def rows() -> Any:
        yield (1,)
        statistics.rows_read = 7

    columns = [formats.Column("a", parse_type("UInt8"))]
    text = b"".join(formats.write("JSON", columns, rows(), statistics=statistics))
    assert json.loads(text)["statistics"] == {"elapsed": 0, "rows_read": 7, "bytes_read": 0}


@pytest.mark.parametrize("name", ["tsv", "TabSeparated", "TSV", "tabseparated"])
def test_format_names_have_aliases_and_no_case(name: str) -> None:
    assert formats.find_format(name).name == "TabSeparated"


@pytest.mark.parametrize("name", ["Nope", "Parquet"])
def test_refuses_formats_that_it_cannot_write(name: str) -> None:
    with pytest.raises(QueryError) as caught:
        list(formats.write(name, [], []))
    assert caught.value.code == 73
