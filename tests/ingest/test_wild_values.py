"""Values at the edges of every type: none stops an append, and both readings of a column judge them alike."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.ingest.conftest import Landing
from tests.ingest.test_coercion import PLAIN

MakeLanding = Callable[[dict[str, Any]], Landing]

TYPES = [
    "Int8", "UInt8", "Int64", "UInt64", "Int128", "UInt128", "Int256", "UInt256", "Float32", "Float64", "Bool",
    "String", "FixedString(3)", "UUID", "Date", "Date32", "DateTime", "DateTime('Europe/Madrid')", "DateTime64(0)",
    "DateTime64(3)", "DateTime64(6)", "DateTime64(9)", "DateTime64(3, 'America/New_York')", "Decimal(9, 2)",
    "Decimal(38, 10)", "Decimal(76, 5)", "Enum8('a' = 1, 'b' = 2)", "IPv4", "IPv6", "Array(Int32)",
    "Array(Nullable(Float64))", "Array(Array(String))", "Map(String, Int8)", "Map(Int32, Array(String))",
    "Tuple(Int8, String)", "Tuple(a Int8, b String)", "Nullable(Int32)", "Nullable(DateTime)",
    "LowCardinality(Nullable(String))", "JSON", "Point", "Time", "SimpleAggregateFunction(max, DateTime)",
]  # fmt: skip
TEXTS = [
    "", "a", "1", "-1", "1.5", "1e5", "1e400", "-0", "007", "+5", "9" * 20, "9" * 90, "0x10", "1_0", "true", "null",
    "NaN", "-inf", "epoch", "infinity", "2024-01-02", "2024-01-02 03:04:05", "2024-01-02T03:04:05Z",
    "2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05+02:00", "1704164645", "1704164645123", "-5",
    "99999999999.5", "9999-12-31", "9999-12-31 00:00:00", "0000-01-01", "2024-13-45", "2024-01-02 03:04:60",
    "294247-01-10 04:00:54", "290000-01-01", "2024-01-02 03:04:05 Foo/Bar", "2262-04-12 00:00:00", "1.2.3.4", "::1",
    "::ffff:1.2.3.4", "1::2::3", "[1,2]", "['a','b']", "[[1]]", "{'a':1}", "(1,'x')", "(1,2)", "[", "{", "(", "é",
    "\u2028", "'", '"', "\\", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "24:00:00",
]  # fmt: skip
NUMBERS = [0, 1, -1, 127, 128, 256, 2**31, 2**63, 2**64, 2**127, 2**255, 10**15, 19724, 1.0, 1.5, 1e300, 1e-300, 1e22]
OTHERS: list[Any] = [
    None,
    True,
    False,
    [],
    [1],
    [1.5, None],
    ["a", "1"],
    [[1], ["a"]],
    [0.5, 1],
    {},
    {"a": 1},
    {"a": "x"},
]
VALUES = [*TEXTS, *NUMBERS, *OTHERS, {"a": 1, "b": "x"}, {"1": ["a"]}, "\0"]


def lines(start: int = 0) -> list[str]:
    return [json.dumps({"a": value, "n": start + place}) + "\n" for place, value in enumerate(VALUES)]


@pytest.mark.parametrize("type_", TYPES)
def test_no_value_stops_an_append(landing: MakeLanding, type_: str) -> None:
    table = landing({"a": type_, "n": "Int32"})
    report = table.append_text("".join(lines()))
    assert report.rows + report.quarantined == len(VALUES)
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(
        [("a", "n"), *((cell, place) for place, cell in enumerate(TEXTS))]
    )
    report = table.append_text(text.getvalue(), "rows.csv")
    assert report.rows + report.quarantined == len(TEXTS)


@pytest.mark.parametrize("type_", PLAIN)
def test_the_fast_reading_judges_as_the_full_one(landing: MakeLanding, type_: str) -> None:
    table = landing({"a": type_, "n": "Int32"})
    table.append_text("".join(lines()))
    plain = json.dumps({"a": PLAIN[type_], "n": -1, "more": "x" * 200}) + "\n"
    table.append_text(plain * 6000 + "".join(lines(1000)))
    both = "SELECT n, CAST(a AS VARCHAR) FROM t WHERE n BETWEEN {} AND {} ORDER BY n"
    full, fast = table.rows(both.format(0, 999)), table.rows(both.format(1000, 1999))
    assert [(n + 1000, a) for n, a in full] == fast
