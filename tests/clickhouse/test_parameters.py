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
        ("Date", "2024-01-01", "_CAST(19723, 'Date')"),
        ("Date32", "2024-01-01", "_CAST(19723, 'Date32')"),
        ("DateTime", "2024-01-01 10:00:00", "_CAST(1704103200, 'DateTime')"),
        ("DateTime('UTC')", "2024-01-01 10:00:00", r"_CAST(1704103200, 'DateTime(\'UTC\')')"),
        ("DateTime64(3)", "2024-01-01 10:00:00", "_CAST('1704103200', 'DateTime64(3)')"),
        ("Decimal(9, 2)", "1.5", "_CAST('1.5', 'Decimal(9, 2)')"),
        ("UInt256", "5", "_CAST('5', 'UInt256')"),
        ("LowCardinality(String)", "5", "_CAST('5', 'LowCardinality(String)')"),
        ("Nullable(UInt8)", r"\N", "_CAST(NULL, 'Nullable(UInt8)')"),
        ("Array(UInt8)", "[1,2]", "_CAST([1, 2], 'Array(UInt8)')"),
        ("Array(String)", "['a','b']", "_CAST(['a', 'b'], 'Array(String)')"),
        ("Array(Nullable(Int32))", "[1,2]", "_CAST([1, 2], 'Array(Nullable(Int32))')"),
        ("Tuple(UInt8, String)", "(1,'x')", "_CAST((1, 'x'), 'Tuple(UInt8, String)')"),
    ],
)
def test_columns_are_named_by_the_value(type_: str, text: str, name: str) -> None:
    sql = f"SELECT {{n:{type_}}}, toString({{n:{type_}}})"
    compiled = compile_query(sql, StaticCatalog({}), parameters={"n": text})
    assert [column.name for column in compiled.columns] == [name, f"toString({name})"]
    assert str(compiled.columns[0].type) == type_


def test_a_parameter_may_name_a_column_or_a_table() -> None:
    sql = "SELECT {c:Identifier}, {c:Identifier} + 1 FROM (SELECT 1 AS a)"
    compiled = compile_query(sql, StaticCatalog({}), parameters={"c": "a"})
    assert [column.name for column in compiled.columns] == ["a", "plus(a, 1)"]
    compiled = compile_query(
        "WITH t AS (SELECT 1 AS a) SELECT a FROM {t:Identifier}", StaticCatalog({}), parameters={"t": "t"}
    )
    assert [column.name for column in compiled.columns] == ["a"]


def test_a_parameter_without_a_value_is_an_error() -> None:
    with pytest.raises(QueryError) as caught:
        compile_query("SELECT {n:UInt8}", StaticCatalog({}))
    assert caught.value.code == 456
