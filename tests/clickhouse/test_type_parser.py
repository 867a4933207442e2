"""Types are read, spelled and refused as ClickHouse does."""

from __future__ import annotations

import pytest

from tbpy.clickhouse import types as t
from tbpy.clickhouse.types import parse_type
from tbpy.errors import QueryError
from tests.clickhouse.recorded import own

RECORDED = own("parser/types.jsonl")


def test_spelling() -> None:
    accepted = [case for case in RECORDED if "type" in case]
    assert {case["text"]: str(parse_type(case["text"])) for case in accepted} == {
        case["text"]: case["type"] for case in accepted
    }


@pytest.mark.parametrize("case", [case for case in RECORDED if "error" in case], ids=lambda case: str(case["text"]))
def test_refusals(case: dict[str, str]) -> None:
    with pytest.raises(QueryError) as caught:
        parse_type(case["text"])
    assert f"{caught.value.code} {caught.value.message}" == f"{case['code']} {case['error']}"


def test_every_type_spells_a_type() -> None:
    for case in RECORDED:
        if "type" in case:
            assert parse_type(case["type"]) == parse_type(case["text"])


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("Nested(a UInt8, b String)", t.Array(t.Tuple((t.UINT8, t.STRING), ("a", "b")))),
        ("Decimal64(3)", t.Decimal(18, 3)),
        ("Enum('x', 'y')", t.Enum(8, (("x", 1), ("y", 2)))),
        ("DateTime64(3, 'Europe/Madrid')", t.DateTime64(3, "Europe/Madrid")),
        (
            "AggregateFunction(quantiles(0.5, 0.90), Float64)",
            t.AggregateFunction("quantiles", (t.FLOAT64,), ("0.5", "0.9")),
        ),
        ("Nullable(SimpleAggregateFunction(any, String))", t.SimpleAggregateFunction("any", t.Nullable(t.STRING))),
        ("Object('json')", t.Json(legacy=True)),
        ("JSON(max_dynamic_paths=10, SKIP b, a UInt8)", t.Json((("a", t.UINT8),), ("b",), max_dynamic_paths=10)),
    ],
)
def test_values(text: str, type_: t.Type) -> None:
    assert parse_type(text) == type_
