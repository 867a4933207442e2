"""Whole columns are written as their values are, one after the other."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tbpy.clickhouse.formats.cells import JsonStyle, json_cell
from tbpy.clickhouse.formats.columns import by_cell, json_column
from tbpy.clickhouse.types import parse_type

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "UInt64": st.integers(0, 2**64 - 1),
    "UInt128": st.integers(0, 2**128 - 1),
    "Float64": st.floats() | st.sampled_from([1e-6, 1e-7, 1e16, 1e20, 1e21, 1e-300, 123456789012345680.0, -0.0]),
    "Float32": st.floats(width=32),
    "Date": st.dates(date(1970, 1, 1), date(2149, 6, 6)) | st.just("2149-06-06"),
    "Date32": st.dates(date(1900, 1, 1), date(2299, 12, 31)),
    "DateTime": st.datetimes(datetime(1970, 1, 1), datetime(2106, 2, 7)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    "DateTime('Europe/Berlin')": st.datetimes(datetime(1970, 1, 1), datetime(2106, 2, 6)),
    "String": st.text() | st.binary(),
    "Bool": st.booleans(),
}
_STYLES = (JsonStyle(), JsonStyle(quote_64bit_integers=True), JsonStyle(quote_denormals=True))


@pytest.mark.parametrize("name", _VALUES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_column_is_its_cells(name: str, data: st.DataObject) -> None:
    type_ = parse_type(name)
    values = tuple(data.draw(st.lists(st.none() | _VALUES[name], max_size=6)))
    for style in _STYLES:
        expected = list(by_cell(json_cell(type_, style), "null")(values))
        assert list(json_column(type_, style)(values)) == expected
