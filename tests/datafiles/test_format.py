"""The formatter keeps what a file means, and formatting twice changes nothing."""

from __future__ import annotations

import dataclasses
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tbpy.datafiles import format_datafile, parse_connection, parse_datasource, parse_pipe
from tbpy.errors import DatafileError, Span
from tests.conformance.cases import RECORDED, load

PARSERS = {"datasource": parse_datasource, "pipe": parse_pipe, "connection": parse_connection}


def meaning(text: str, kind: str) -> Any:
    """What a file says, without places, and without how far the lines of a template or of prose are indented."""
    return _plain(PARSERS[kind](text, name="x"))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field for field in dataclasses.fields(value) if field.name not in ("lines", "warnings", "type_text")]
        return {field.name: _plain(getattr(value, field.name)) for field in fields if not _is_span(value, field.name)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        first, _, rest = value.partition("\n")
        # How deep a line of a template stands says nothing: the formatter leaves strings over several lines alone.
        lines = "\n".join(line.lstrip() for line in rest.split("\n")) if first.startswith("%") else dedent(rest)
        return first.strip() + lines
    return value


def _is_span(value: Any, name: str) -> bool:
    return isinstance(getattr(value, name), Span)


def check(text: str, kind: str) -> None:
    try:
        before = meaning(text, kind)
    except DatafileError:
        return
    once = format_datafile(text, kind)
    assert meaning(once, kind) == before
    assert format_datafile(once, kind) == once
    assert _comments(text) == _comments(once)


def _comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def test_recorded_files_keep_their_meaning() -> None:
    assert RECORDED.exists()
    for case in load("datafile_cases.jsonl"):
        check(case["text"], case["kind"])


LINES = {
    "pipe": [
        "NODE n",
        '  node "a b" # c',
        "SQL >",
        "SQL >   ",
        "    %",
        "%",
        "    SELECT {{String(a)}}",
        "\tSELECT 1,",
        "        'two",
        "  lines' AS x",
        "FROM t",
        "",
        "# comment",
        "    # comment",
        "    -- comment",
        "TYPE endpoint",
        "type Standard",
        "DESCRIPTION it's >",
        "DESCRIPTION >",
        "      some  words",
        "TOKEN t read",
        "TAGS a, b=c",
    ],
    "datasource": [
        "SCHEMA >",
        "    `a` String `json:$.a`,",
        "  b  Nullable(Int32) DEFAULT 1, -- why",
        "    c DateTime64(3, 'UTC') CODEC(ZSTD(1)),",
        "",
        "# comment",
        "ENGINE MergeTree",
        'ENGINE_SORTING_KEY "a, c"',
        "ENGINE_TTL >",
        "   c + toIntervalDay(1)",
        "INDEXES >",
        "    INDEX i a TYPE minmax GRANULARITY 1",
        "SHARED_WITH >",
        "    w1,",
        "FORWARD_QUERY >",
        "    SELECT a",
        "TOKEN 'x y' APPEND",
        "KAFKA_STORE_HEADERS {{ tb_secret('s', 'd') }}",
    ],
    "connection": [
        "TYPE Kafka",
        "KAFKA_KEY k",
        "KAFKA_SSL_CA_PEM >",
        "-----BEGIN",
        "  abc",
        "",
        "# c",
        "DESCRIPTION >",
    ],
}


@pytest.mark.parametrize("kind", LINES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_order_of_lines_keeps_its_meaning(kind: str, data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(LINES[kind]), max_size=14))
    start = {"pipe": ["NODE n", "SQL >", "  SELECT 1"], "datasource": ["SCHEMA >", " a String"], "connection": []}[kind]
    check("\n".join([*start, *lines]), kind)


def test_layout() -> None:
    text = dedent(
        """\
        description What people buy
        NODE n
        SQL >
          %
          SELECT *
            FROM t
        # the public one
        node e
        sql >
        SELECT * FROM n
        type endpoint
        TOKEN read_it READ


        """
    )
    assert format_datafile(text, "pipe") == dedent(
        """\
        DESCRIPTION What people buy

        NODE n
        SQL >
            %
            SELECT *
              FROM t

        # the public one
        NODE e
        SQL >
            SELECT * FROM n

        TYPE ENDPOINT
        TOKEN "read_it" READ
        """
    )


def test_schema_is_one_column_a_line() -> None:
    text = "SCHEMA >\n  a String, b Nullable(Int32) `json:$.b`\nENGINE MergeTree\n"
    assert format_datafile(text, "datasource") == (
        "SCHEMA >\n    `a` String,\n    `b` Nullable(Int32) `json:$.b`\n\nENGINE MergeTree\n"
    )


def test_comments_in_a_schema_stay() -> None:
    text = "SCHEMA >\n  a String, -- who\n  # and when\n  b DateTime\n"
    assert format_datafile(text, "datasource") == "SCHEMA >\n    a String, -- who\n    # and when\n    b DateTime\n"
