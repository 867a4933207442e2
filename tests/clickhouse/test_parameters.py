"""Query parameters: their values and the names that ClickHouse gives columns with them (recorded from 26.9)."""

import pytest

from tbpy.clickhouse.compiler import StaticCatalog, compile_query
from tbpy.errors import QueryError


@pytest.mark.parametrize(
    ("type_", "text", "name"),
    [
        ("UInt8", "1", "_CAST(1, 'UInt8')"),
        ("Int64", "-5", "_CAST(-5, 'Int64')"),
        ("Float64", "1.5", "_CAST(1.5, 'Float64')"),
        ("String", "a'b", r"'a\'b'"),
        ("Nullable(String)", "x", "_CAST('x', 'Nullable(String)')"),
        ("Bool", "true", "_CAST('true', 'Bool')"),
    ],
)
def test_columns_are_named_by_the_value(type_: str, text: str, name: str) -> None:
    sql = f"SELECT {{n:{type_}}}, length(toString({{n:{type_}}}))"
    compiled = compile_query(sql, StaticCatalog({}), parameters={"n": text})
    assert [column.name for column in compiled.columns] == [name, f"length(toString({name}))"]
    assert str(compiled.columns[0].type) == type_


def test_a_parameter_without_a_value_is_an_error() -> None:
    with pytest.raises(QueryError) as caught:
        compile_query("SELECT {n:UInt8}", StaticCatalog({}))
    assert caught.value.code == 456
