"""The parser reads what ClickHouse reads, refuses what it refuses, and says where."""

from __future__ import annotations

import pytest

from tbpy.clickhouse import ast
from tbpy.clickhouse.parser import parse_expression, parse_query, parse_statement
from tbpy.errors import QueryError
from tests.clickhouse.recorded import statements


def test_every_recorded_statement_parses() -> None:
    refused = {}
    for case in statements():
        try:
            parse_statement(case["query"])
        except QueryError as error:
            refused[case["id"]] = error.message
    assert refused == {}


def select(sql: str) -> ast.Select:
    query = parse_query(sql)
    assert isinstance(query, ast.Select)
    return query


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1", -1),
        ("- 2.5", -2.5),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("-9223372036854775808", -9223372036854775808),
        ("-9223372036854775809", -9223372036854775809.0),
        ("inf", float("inf")),
        ("TRUE", True),
        ("Null", None),
        (r"'a\n\x41\d\\'", "a\nA\\d\\"),
        ("'it''s'", "it's"),
        ("$$it's$$", "it's"),
        ("$t$a$$b$t$", "a$$b"),
        ("x'4142'", "AB"),
        ("b'01000001'", "A"),
    ],
)
def test_literals(text: str, value: object) -> None:
    node = parse_expression(text)
    assert isinstance(node, ast.Literal)
    assert node.value == value
    assert type(node.value) is type(value)


@pytest.mark.parametrize("comment", ["-- c\n", "# c\n", "#! c\n", "/* a /* b */ c */", "// c\n", "--1\n"])
def test_comments(comment: str) -> None:
    assert parse_expression(f"1 {comment} + 2") == parse_expression("1 + 2")


NAMES = """
date timestamp key name type format interval left right any first last end desc asc values columns index order limit
table offset sample final array join on using by
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_keywords_are_names_where_a_name_stands(name: str) -> None:
    assert parse_expression(f"t.{name} + 1") == parse_expression(f"t.`{name}` + 1")
    assert select(f"SELECT a AS {name}").columns == (ast.Alias(ast.Identifier(("a",)), name),)


@pytest.mark.parametrize(
    "name", ["date", "timestamp", "key", "name", "type", "format", "interval", "end", "from", "to"]
)
def test_columns_with_names_of_keywords(name: str) -> None:
    assert (
        select(f"SELECT {name}, {name} + 1 FROM t").columns == select(f"SELECT `{name}`, `{name}` + 1 FROM t").columns
    )


def test_places_are_offsets_in_the_text() -> None:
    sql = "SELECT a, sum(b + 1) AS s FROM (SELECT 1) AS t WHERE x IN (1, 2)"
    query = select(sql)
    aliased = query.columns[1]
    assert isinstance(aliased, ast.Alias)
    condition = query.where
    assert isinstance(condition, ast.Function)
    nodes: list[ast.Node] = [aliased, aliased.expression, condition, condition.arguments[1]]
    assert [sql[node.start : node.end] for node in nodes] == ["sum(b + 1) AS s", "sum(b + 1)", "x IN (1, 2)", "(1, 2)"]


def test_set_operations_bind_by_precedence() -> None:
    query = parse_query("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT (SELECT 4 UNION DISTINCT SELECT 5)")
    assert isinstance(query, ast.SetOperation)
    assert query.kind == "except"
    assert isinstance(query.left, ast.SetOperation)
    assert query.left.kind == "union all"
    assert isinstance(query.left.right, ast.SetOperation)
    assert (query.left.right.kind, isinstance(query.right, ast.SetOperation)) == ("intersect", True)


JOINS = [
    ("JOIN", "inner", None),
    ("LEFT OUTER JOIN", "left", None),
    ("GLOBAL ANY LEFT JOIN", "left", "any"),
    ("LEFT ANY JOIN", "left", "any"),
    ("ASOF JOIN", "inner", "asof"),
    ("ASOF LEFT JOIN", "left", "asof"),
    ("SEMI JOIN", "left", "semi"),
    ("RIGHT ANTI JOIN", "right", "anti"),
    ("ALL FULL OUTER JOIN", "full", "all"),
    ("CROSS JOIN", "cross", None),
    ("PASTE JOIN", "paste", None),
    (",", "comma", None),
]


@pytest.mark.parametrize(("words", "kind", "strictness"), JOINS)
def test_joins_in_every_order_of_words(words: str, kind: str, strictness: str | None) -> None:
    condition = "" if kind in ("cross", "paste", "comma") else "ON a.x = b.x"
    join = select(f"SELECT * FROM a {words} b {condition}").from_
    assert isinstance(join, ast.Join)
    assert (join.kind, join.strictness, join.global_) == (kind, strictness, words.startswith("GLOBAL"))


def test_limits_of_every_kind() -> None:
    query = select("SELECT a FROM t LIMIT 2, 1 BY u, v LIMIT 3 OFFSET 4")
    assert query.limit_by is not None
    numbers = [query.limit_by.limit, query.limit_by.offset, query.limit, query.offset]
    assert [node.value for node in numbers if isinstance(node, ast.Literal)] == [1, 2, 3, 4]
    fetched = select("SELECT a FROM t ORDER BY a OFFSET 5 ROWS FETCH FIRST 10 ROWS WITH TIES")
    assert (fetched.with_ties, fetched.limit, fetched.offset) == (
        True,
        ast.Literal(10, "10"),
        ast.Literal(5, "5"),
    )


def test_statement_around_a_query() -> None:
    statement = parse_statement("SELECT 1 SETTINGS max_threads = 1, a = 'x' FORMAT JSONEachRow;")
    assert isinstance(statement.query, ast.Select)
    assert statement.format == "JSONEachRow"
    assert [(one.name, one.value) for one in statement.query.settings] == [("max_threads", 1), ("a", "x")]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("EXPLAIN SYNTAX SELECT 1", "explain"),
        ("EXPLAIN indexes = 1 SELECT 1", "explain"),
        ("DESCRIBE TABLE t", "describe"),
        ("DESC (SELECT 1)", "describe"),
        ("SHOW TABLES FROM db LIKE '%x%'", "show tables"),
        ("SHOW CREATE TABLE t", "show create"),
        ("EXISTS TABLE db.t", "exists"),
    ],
)
def test_statements_that_describe(sql: str, kind: str) -> None:
    assert parse_statement(sql).kind == kind


ERRORS = [
    (
        "SELECT (1",
        9,
        "failed at position 10 (end of query): . Unmatched parentheses: '(' at position 8 is never closed",
    ),
    ("SELECT 1)", 8, "Unmatched parentheses: ')' at position 9 has no matching opening bracket"),
    ("SELECT [1, 2)", 12, "Unmatched parentheses: ')' at position 13 does not match '[' at position 8"),
    ("SELECT 1\n\n  )", 12, "failed at position 13 ()) (line 3, col 3): ). Unmatched parentheses: ')' at position 13"),
    ("SELECT 1\nFROM t WHERE\n  a b", 26, "Syntax error: failed at position 27 (b) (line 3, col 5): b. Expected"),
    ("SELECT 'abc", 7, "Single quoted string is not closed: Syntax error: failed at position 8 ('abc): 'abc"),
    ("SELECT `a", 7, "Back quoted string is not closed: Syntax error: failed at position 8 (`a): `a"),
    ("SELECT é", 7, "Unrecognized token: Syntax error: failed at position 8 (é): é"),
    ("SELECT 1 /* abc", 9, "Multiline comment is not closed: Syntax error: failed at position 10 (/* abc): /* abc"),
    ("SELECT a b c FROM t", 11, "failed at position 12 (c): c FROM t. Expected"),
    ("SELECT", 6, "failed at position 7 (end of query): . Expected"),
    ("SELECT a FROM t WHERE", 21, "failed at position 22 (end of query)"),
    ("SELECT plus(1, 2,)", 17, "failed at position 18 ()): ). Expected"),
    ("SELECT f(1 a)", 11, "failed at position 12 (a): a). Expected"),
    ("SELECT {'a': 1}", 8, "failed at position 9 ('a'): 'a': 1}. Expected substitution name (identifier)"),
    ("SELECT a NOT REGEXP 'b'", 9, "failed at position 10 (NOT)"),
    (";", 0, "Empty query"),
]


@pytest.mark.parametrize(("sql", "start", "message"), ERRORS)
def test_syntax_errors_name_their_place(sql: str, start: int, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_statement(sql)
    assert (caught.value.code, caught.value.name) == (62, "SYNTAX_ERROR")
    assert message in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.start == start


@pytest.mark.parametrize("sql", ["SELECT " + "(" * 5000 + "1" + ")" * 5000, "SELECT " + "NOT " * 5000 + "1"])
def test_deep_nesting_is_an_error_of_the_query(sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(sql)
    assert caught.value.code == 306


def test_hundred_brackets_are_fine() -> None:
    assert parse_expression("(" * 100 + "1" + ")" * 100) == ast.Literal(1, "1")
