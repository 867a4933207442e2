"""Files of all kinds: formats, compression, JSON paths, defaults, and inputs that are no input at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tbpy.errors import IngestError, UsageError
from tbpy.workspace.ingest.sources import open_inputs
from tests.ingest.conftest import Landing

MakeLanding = Callable[[dict[str, Any]], Landing]
SALES = {"id": "String", "at": "DateTime", "amount": "Float64"}
GOOD = {"id": "a", "at": "2024-01-02 03:04:05", "amount": 1.5}


def line(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes}) + "\n"


@pytest.mark.parametrize("late", [False, True], ids=["from the start", "behind the sample"])
def test_bad_rows_go_to_quarantine_with_their_reasons(landing: MakeLanding, late: bool) -> None:
    sales = landing(SALES)
    bad = [
        line(at="nope", amount="x"),
        '{"at": "2024-01-02 03:04:05", "amount": 1}\n',
        line(id=None),
        '{"id": "cut off\n',
        "[1, 2]\n",
        "{}\n",
    ]
    plain = line(id="p" * 80)
    text = plain * 9000 * late + "".join(plain * 3 + row for row in bad) + "\n  \n" + plain
    report = sales.append_text(text)
    assert report.rows == text.count("p" * 80)
    assert (report.quarantined, report.invalid_lines) == (6, 2)
    assert report.error_text == "There was an error with file contents: 6 rows in quarantine and 2 invalid lines."
    rows = sales.quarantine('c__error_column, c__error, c__import_id, id, "at", amount, c__line')
    by_line = {row[-1]: row for row in rows}
    assert set(by_line) == {row.rstrip("\n") for row in bad}
    assert by_line[bad[0].rstrip()][:6] == (
        ["at", "amount"],
        ["value 'nope' on column 'at' is not DateTime", "value 'x' on column 'amount' is not Float64"],
        "import-1", "a", "nope", "x",
    )  # fmt: skip
    assert by_line[bad[1].rstrip()][1] == [
        "Strict type checking failed. Object does not have column 'id', you should send a value or recreate the table "
        "with a Nullable column type. While accessing jsonpath '$.id'"
    ]
    assert by_line[bad[2].rstrip()][1] == ["value 'null' on column 'id' is not String"]
    assert by_line[bad[3].rstrip()][:2] == ([], ['Not a JSON object: {"id": "cut off'])
    assert {cause.column: cause.rows for cause in report.causes} == {"id": 3, "at": 2, "amount": 2, "": 2}


def test_the_right_lines_are_found_in_a_big_file(landing: MakeLanding) -> None:
    """Numbers of rows and lines must agree across the blocks that threads read, with blank lines between."""
    sales = landing(SALES)
    parts = []
    for number in range(60_000):
        parts.append(line(id=f"row {number} " + "x" * (number % 900), amount="bad" if number % 7 == 3 else number))
        if number % 1000 == 0:
            parts.append("\n \t\n")
    report = sales.append_text("".join(parts))
    bad = [number for number in range(60_000) if number % 7 == 3]
    assert (report.rows, report.quarantined) == (60_000 - len(bad), len(bad))
    found = sorted(int(row[0].split()[1]) for row in sales.quarantine("id"))
    assert found == bad


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("kind", ["ndjson", "csv"])
@pytest.mark.parametrize("named", [True, False], ids=["by extension", "by content"])
def test_compression(landing: MakeLanding, tmp_path: Path, compress: Any, kind: str, named: bool) -> None:
    sales = landing(SALES)
    text = {"ndjson": line() * 2 + line(at="x"), "csv": "id,at,amount\n" + "a,2024-01-02 03:04:05,1\n" * 2 + "a,x,1\n"}
    path = tmp_path / (f"data.{kind}.gz" if named else "data")
    path.write_bytes(compress(text[kind].encode()))
    report = sales.append(path)
    assert (report.rows, report.quarantined) == (2, 1)


def test_invalid_utf8_is_quarantined_and_visible(landing: MakeLanding, tmp_path: Path) -> None:
    sales = landing(SALES)
    (tmp_path / "a.ndjson").write_bytes(line().encode() + line(id="caf?").encode().replace(b"?", b"\xe9"))
    report = sales.append(tmp_path / "a.ndjson")
    assert (report.rows, report.quarantined) == (1, 1)
    assert r"caf\xe9" in sales.quarantine("c__line")[0][0]


PATH_CASES = [
    ("String", "$.a.b", {"a": {"b": "x"}}, "x"),
    ("Int32", "$.a.b", {"a": {"b": 3}}, 3),
    ("String", '$.["a-b"]', {"a-b": "x"}, "x"),
    ("Array(Int32)", "$.a[:]", {"a": [1, 2]}, [1, 2]),
    ("Array(String)", "$.a[:].b", {"a": [{"b": "x"}, {"b": "y"}]}, ["x", "y"]),
    ("Int32", "$.a[0]", {"a": [7, 8]}, 7),
    ("String", "$.a[1].b", {"a": [{}, {"b": "z"}]}, "z"),
    ("String", "$", {"a": 1, "b": [2]}, '{"a":1,"b":[2],"end":"x"}'),
    ("JSON", "$.a", {"a": {"b": 1}}, '{"b":1}'),
]


@pytest.mark.parametrize(("type_", "path", "document", "stored"), PATH_CASES)
def test_json_paths(landing: MakeLanding, type_: str, path: str, document: Any, stored: Any) -> None:
    table = landing({"c": (type_, path), "end": "String"})
    report = table.append_rows([{**document, "end": "x"}, {"a": "other", "end": "x"} if path != "$" else 5])
    assert table.rows("SELECT c FROM t") == [(stored,)]
    assert report.quarantined == 1


def test_columns_that_read_the_same_value_differently(landing: MakeLanding) -> None:
    table = landing(
        {"a": ("String", "$.a"), "b": ("Int32", "$.a.b"), "upper": ("Int32", "$.A"), "first": ("Int8", "$.l[0]")}
    )
    table.append_rows([{"a": {"b": 1}, "A": 2, "l": [3]}])
    assert table.rows() == [('{"b":1}', 1, 2, 3)]


def test_defaults_and_nullable(landing: MakeLanding) -> None:
    table = landing({"n": "Nullable(Int32)", "d": ("Int32", "$.d", "41 + 1"), "s": ("String", "$.s", "'none'")})
    report = table.append_rows([{}, {"d": None, "n": 1}, {"d": 5, "s": "x"}, {"d": "wrong"}])
    assert set(table.rows()) == {(None, 42, "none"), (1, 42, "none"), (None, 5, "x")}
    assert report.quarantined == 1
    table.append_text("n,d,s\n,,\n1,2,x\n", "more.csv")
    assert table.rows("SELECT * FROM t OFFSET 3") == [(None, 42, "none"), (1, 2, "x")]


CSV_FILES = {
    "header": "id,at,amount\na,2024-01-02 03:04:05,1.5\n",
    "header in another order, with more columns": "x,amount,id,at\n1,1.5,a,2024-01-02 03:04:05\n",
    "no header": "a,2024-01-02 03:04:05,1.5\n",
    "header with other names": "one,two,three\na,2024-01-02 03:04:05,1.5\n",
    "semicolons": "id;at;amount\na;2024-01-02 03:04:05;1.5\n",
    "tabs": "id\tat\tamount\na\t2024-01-02 03:04:05\t1.5\n",
    "quotes and CRLF": '"id","at","amount"\r\n"a","2024-01-02 03:04:05","1.5"\r\n',
    "byte order mark": "\ufeffid,at,amount\na,2024-01-02 03:04:05,1.5\n",
    "no line end": "id,at,amount\na,2024-01-02 03:04:05,1.5",
}


@pytest.mark.parametrize("text", CSV_FILES.values(), ids=CSV_FILES.keys())
def test_csv_dialects(landing: MakeLanding, text: str) -> None:
    sales = landing(SALES)
    report = sales.append_text(text, "a.csv")
    assert (report.rows, report.quarantined) == (1, 0)
    assert sales.rows("SELECT id, amount, epoch(t.at) FROM t") == [("a", 1.5, 1704164645.0)]


def test_csv_records_that_are_none(landing: MakeLanding) -> None:
    sales = landing(SALES)
    good = "a,2024-01-02 03:04:05,1\n"
    report = sales.append_text(f"id,at,amount\n{good}a,b\n{good}a,2024-01-02 03:04:05,1,2\n{good}a,x,y\n", "a.csv")
    assert (report.rows, report.quarantined, report.invalid_lines) == (3, 3, 2)
    assert {"a,b", "a,2024-01-02 03:04:05,1,2"} <= {row[0] for row in sales.quarantine("c__line")}


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6))
def test_every_csv_record_lands_somewhere(landing: MakeLanding, records: list[tuple[str, str, str]]) -> None:
    sales = landing(SALES)
    try:
        text = io.StringIO(newline="")
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([tuple(SALES), tuple(GOOD.values()), *records])
        report = sales.append_text(text.getvalue(), "wild.csv")
        assert report.rows + report.quarantined == 1 + len(records)
        assert (len(sales.rows()), len(sales.quarantine())) == (report.rows, report.quarantined)
    finally:
        sales.engine.run('DROP TABLE "t"')
        sales.engine.run('DROP TABLE "t_quarantine"')


def test_parquet(landing: MakeLanding, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(
        "COPY (SELECT 'a' || i AS id, TIMESTAMP '2024-01-02 03:04:05.5' AS at, "
        "CASE WHEN i % 3 <> 0 THEN i END AS amount, i::BIGINT AS small, [i, i + 1] AS list, {'x': i} AS obj "
        f"FROM range(300) t(i)) TO '{path}'"
    )
    table = landing({**SALES, "small": "UInt8", "list": "Array(Int32)", "x": ("Int32", "$.obj.x")})
    report = table.append(path)
    assert (report.rows, report.quarantined) == (
        len([i for i in range(256) if i % 3]),
        300 - len([i for i in range(256) if i % 3]),
    )
    assert table.rows("SELECT list, x, epoch(t.at) FROM t WHERE id = 'a1'") == [([1, 2], 1, 1704164645.0)]
    errors = dict(table.quarantine("id, c__error_column"))
    assert errors["a256"] == ["small"]
    assert errors["a297"] == ["amount", "small"]


NO_INPUT = [
    ("missing.ndjson", None, UsageError, "No such file"),
    ("*.nothing", None, UsageError, "No file matches"),
    ("empty.ndjson", b"", IngestError, "is empty"),
    ("text.ndjson", b"hello\nworld\n", IngestError, "is not NDJSON"),
    ("array.json", b'[{"id": "a"}]\n', IngestError, "is not NDJSON"),
    ("binary.csv", b"\x00\x01\x02\xff" * 100, IngestError, "is not CSV"),
    ("text.parquet", b"hello", IngestError, "is not a Parquet file"),
    ("damaged.ndjson.gz", gzip.compress(b'{"a":1}\n' * 1000, mtime=0)[:40], IngestError, "is damaged"),
]


@pytest.mark.parametrize(("name", "content", "error", "message"), NO_INPUT)
def test_what_is_no_input_changes_nothing(
    landing: MakeLanding, tmp_path: Path, name: str, content: bytes | None, error: type[Exception], message: str
) -> None:
    sales = landing(SALES)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message):
        sales.append(tmp_path / name)
    assert sales.rows() == sales.quarantine() == []


def test_a_glob_is_one_transaction(landing: MakeLanding, tmp_path: Path) -> None:
    sales = landing(SALES)
    for name in ("1.ndjson", "2.ndjson"):
        (tmp_path / name).write_text(line())
    assert len(sales.append(tmp_path / "*.ndjson").files) == 2
    (tmp_path / "3.ndjson").write_text("no json")
    with pytest.raises(IngestError):
        sales.append(tmp_path / "*.ndjson")
    assert len(sales.rows()) == 2


def test_standard_input() -> None:
    with open_inputs("-", stdin=io.BytesIO(b"x")) as inputs:
        assert [(item.label, item.path.read_bytes()) for item in inputs] == [("standard input", b"x")]
    assert not inputs[0].path.exists()


@pytest.fixture
def web() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/rows.ndjson"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(line().encode() if found else b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_url(landing: MakeLanding, web: str) -> None:
    sales = landing(SALES)
    assert sales.append(f"{web}/rows.ndjson").rows == 1
    with pytest.raises(IngestError, match="the server answered 404"):
        sales.append(f"{web}/none.ndjson")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
LINES = st.one_of(
    st.fixed_dictionaries({}, optional={"id": VALUES, "at": VALUES, "amount": VALUES, "n": VALUES, "l": VALUES}).map(
        json.dumps
    ),
    st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1, max_size=20),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=8))
def test_every_row_lands_somewhere(landing: MakeLanding, lines: list[str]) -> None:
    table = landing({**SALES, "n": "Nullable(Int64)", "l": ("Array(UInt8)", "$.l[:]", "[]")})
    try:
        total = [line(), *lines]
        report = table.append_text("\n".join(total) + "\n")
        expected = sum(1 for text in "\n".join(total).encode().split(b"\n") if text.strip())
        assert report.rows + report.quarantined == expected
        assert (len(table.rows()), len(table.quarantine())) == (report.rows, report.quarantined)
    finally:
        table.engine.run('DROP TABLE "t"')
        table.engine.run('DROP TABLE "t_quarantine"')
