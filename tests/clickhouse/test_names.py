"""Result names are those that ClickHouse gave."""

from __future__ import annotations

import pytest

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler.parameters import parameter_name
from tbpy.clickhouse.names import column_name, float_name
from tbpy.clickhouse.parser import parse_expression, parse_statement
from tbpy.errors import QueryError
from tests.clickhouse.recorded import own, statements


def test_names_of_expressions() -> None:
    names = own("parser/names.jsonl")
    found = {case["expression"]: column_name(parse_expression(case["expression"])) for case in names}
    assert found == {case["expression"]: case["name"] for case in names}


def _named_columns(case: dict) -> list[tuple[ast.Expression, str]]:  # type: ignore[type-arg]
    """The columns of a recorded statement that have no alias, with their names; those with `*` have none here."""
    query = parse_statement(case["query"]).query
    while isinstance(query, ast.SetOperation):
        query = query.left
    names = [column["name"] for column in case["chdb_json"]["meta"]]
    if not isinstance(query, ast.Select) or len(names) != len(query.columns):
        return []
    if any(isinstance(column, ast.Asterisk | ast.ColumnsMatcher) for column in query.columns):
        return []
    return [
        (column, name) for column, name in zip(query.columns, names, strict=True) if not isinstance(column, ast.Alias)
    ]


def test_names_of_recorded_statements() -> None:
    """A qualifier may be left out: that depends on the scope."""
    wrong = {}
    for case in statements():
        for column, name in _named_columns(case):
            if name not in (column_name(column), column_name(column, resolve=lambda node: node.parts[-1])):
                wrong[case["id"]] = (name, column_name(column))
    assert wrong == {}


def test_hooks_name_what_depends_on_scope() -> None:
    expression = parse_expression("t.a + (SELECT 1)")
    name = column_name(expression, resolve=lambda node: node.parts[-1], subquery=lambda _: "_subquery_7")
    assert name == "plus(a, _subquery_7)"


def test_a_chain_too_long_to_follow_is_an_error_of_the_query() -> None:
    expression = parse_expression(" + ".join("a" * 2000))
    with pytest.raises(QueryError) as caught:
        column_name(expression)
    assert caught.value.code == 306


def test_parameters_are_named_by_their_values() -> None:
    values = {"a": "5", "b": "it's", "c": "1.5"}
    expression = parse_expression("f({a:UInt8}, {b:String}, {c: Nullable(Float64)})")
    name = column_name(expression, parameter=lambda node: parameter_name(node, values[node.name]))
    assert name == r"f(_CAST(5, 'UInt8'), 'it\'s', _CAST(1.5, 'Nullable(Float64)'))"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1e20, "100000000000000000000."),
        (1e21, "1e21"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (-0.0, "-0."),
        (0.1, "0.1"),
    ],
)
def test_floats(value: float, name: str) -> None:
    assert float_name(value) == name
