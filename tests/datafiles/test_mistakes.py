"""Each mistake in a datafile is told once, with its place, its source line and what to do next."""

from __future__ import annotations

import pytest

from tbpy.datafiles import parse_connection, parse_datasource, parse_pipe
from tbpy.errors import DatafileError, Diagnostic

PARSERS = {"datasource": parse_datasource, "pipe": parse_pipe, "connection": parse_connection}


def mistake(kind: str, text: str) -> Diagnostic:
    with pytest.raises(DatafileError) as caught:
        PARSERS[kind](text, name="x", file=f"x.{kind}")
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


NODE = "NODE n\nSQL >\n    SELECT 1\n"
SCHEMA = "SCHEMA >\n    a String,\n    b Nullable(Int32)\n\n"

# kind, text, code, line:column, the part of the source line that the caret stands under, a part of the hint
MISTAKES = [
    ("pipe", "NODE n\nSQLL >\n    SELECT 1\n", "unknown-instruction", "2:1", "SQLL", "Did you mean SQL?"),
    ("pipe", NODE + "TYPE copy\nCOPY_MODE x\n", "missing-parameter", "1:6", "n", "TARGET_DATASOURCE"),
    ("pipe", NODE + "TYPE endpont\n", "invalid-value", "4:6", "endpont", ""),
    ("pipe", NODE + 'TOKEN "my token" APPEND\n', "token", "4:18", "APPEND", "data source"),
    ("pipe", NODE + "DATASOURCE 'd'\n", "invalid-attribute", "4:13", "d", "TYPE"),
    ("pipe", NODE + 'INCLUDE "x.incl"\n', "include", "4:1", "INCLUDE", "Classic"),
    ("pipe", NODE + "TYPE endpoint\nENGINE MergeTree\n", "unknown-instruction", "5:1", "ENGINE", ".datasource"),
    ("datasource", "\ufeff" + SCHEMA, "unknown-instruction", "1:1", "\ufeffSCHEMA", "byte order mark"),
    ("datasource", SCHEMA + "ENGINE_SORTING_KEY a, b\n", "sorting-key", "5:23", "b", "DEFAULT"),
    ("datasource", SCHEMA + "KAFKA_TOPIC t\n", "missing-parameter", "5:13", "t", "KAFKA_CONNECTION_NAME"),
    ("datasource", SCHEMA + 'ENGINE "MergeTree\n', "unclosed-quote", "5:8", '"MergeTree', ""),
    ("datasource", "SCHEMA >\n    a String,\n\n    # c\n    b$ Int32\n", "schema", "5:6", "$", "backticks"),
    ("datasource", "SCHEMA >\n    a String NOT NULL\n", "schema", "2:14", "NOT NULL", "Nullable"),
    ("datasource", "SCHEMA >\n    a String,\n    t DateTime64\n", "type", "3:7", "DateTime64", "DateTime64(3)"),
    ("datasource", "ENGINE MergeTree\n", "missing-schema", "1:1", "E", "SCHEMA >"),
    ("connection", "TYPE gcs\nGCS_SERVICE_ACCOUNT_CREDENTIALS_JSON {a}\n", "invalid-value", "2:38", "{a}", "one line"),
]


@pytest.mark.parametrize(("kind", "text", "code", "place", "under", "hint"), MISTAKES)
def test_mistake(kind: str, text: str, code: str, place: str, under: str, hint: str) -> None:
    told = mistake(kind, text)
    assert (told.code, told.location()) == (code, f"x.{kind}:{place}")
    assert told.span is not None and told.source == text.split("\n")[told.span.line - 1]
    assert told.source[told.span.column - 1 : told.span.end_column - 1] == under
    assert hint in (told.hint or "")


def test_sql_keeps_its_place() -> None:
    node = parse_pipe("NODE n\nSQL >\n\n    SELECT a,\n    # why\n      b\n", name="x").nodes[0]
    assert node.sql.text == "SELECT a,\n  b"
    span = node.sql.span(node.sql.text.index("b"), len(node.sql.text))
    assert (span.line, span.column, span.end_column) == (6, 7, 8)


def test_template_keeps_its_place() -> None:
    node = parse_pipe("NODE n\nSQL >\n    %\n    SELECT a\n", name="x").nodes[0]
    assert node.sql.is_template and node.sql.template == "\n    SELECT a"
    span = node.sql.span(node.sql.text.index("a"))
    assert (span.line, span.column) == (4, 12)


def test_secrets_are_put_in() -> None:
    text = "TYPE kafka\nKAFKA_KEY {{ tb_secret('k') }}\nKAFKA_SECRET {{ tb_secret('s', 'none') }}\n"
    connection = parse_connection(text, name="c", secrets={"k": "key"})
    assert connection.settings.having("kafka_") == {"key": "key", "secret": "none"}
    verbatim = parse_connection(text, name="c").settings.get("kafka_secret")
    assert verbatim == "{{ tb_secret('s', 'none') }}"


def test_places_survive_a_secret_of_several_lines() -> None:
    text = "TYPE kafka\nKAFKA_SSL_CA_PEM >\n    {{ tb_secret('pem') }}\nKAFKA_KEY >\n"
    with pytest.raises(DatafileError) as caught:
        parse_connection(text, name="c", file="c.connection", secrets={"pem": "a\n    b\n    c"})
    (told,) = caught.value.diagnostics
    assert (told.location(), told.source) == ("c.connection:4:1", "KAFKA_KEY >")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{% if tb_secret('env', 'dev') == 'dev' %}kafka{% else %}s3{% end %}", "kafka"),
        ("{% if not 1 %}a{% elif 'x' in 'xy' %}{{ 'b' + 'c' }}{% end %}", "bc"),
        ("{% set t = 'gcs' %}{{ t if t else 's3' }}", "gcs"),
    ],
)
def test_control_blocks(text: str, value: str) -> None:
    assert parse_connection(f"TYPE {text}\n", name="c", secrets={}).type == value


@pytest.mark.parametrize("expression", ["__import__('os')", "().__class__", "open('x')", "String(a)", "[1][0]", "1 +"])
def test_nothing_else_is_evaluated(expression: str) -> None:
    with pytest.raises(DatafileError, match="Error rendering template with secrets"):
        parse_connection(f"TYPE {{{{ {expression} }}}}\n", name="c", secrets={})


CRON = {
    "0 * * * *": True,
    "*/15 1-5 * JAN,MAR mon-fri": True,
    "0 0 * * 7": True,
    "* * * * * *": True,
    "0 0 1 1 * 0 2020": True,
    "@daily": True,
    "0 22-2 ? * L5": True,
    "0 0 L * 1#2": True,
    "61 * * * *": False,
    "* * * * *  60": False,
    "* * * *": False,
    "@once": False,
    "0 24 * * *": False,
    "*/0 * * * *": False,
    "? * * * *": False,
    "1,,2 * * * *": False,
    "1-2-3 * * * *": False,
}


@pytest.mark.parametrize("schedule", CRON)
def test_cron(schedule: str) -> None:
    text = NODE + f"TYPE copy\nTARGET_DATASOURCE d\nCOPY_SCHEDULE {schedule}\n"
    try:
        accepted = parse_pipe(text, name="x").nodes[0].schedule == schedule
    except DatafileError:
        accepted = False
    assert accepted is CRON[schedule]
