"""Linking, fingerprints and plans of small projects."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tbpy.clickhouse.parser import parse_query
from tbpy.datafiles import Kind
from tbpy.project import Key, NodeKey, Project, load_project, plan
from tbpy.project.catalog import key_parts
from tbpy.project.graph import find_cycles, ordered
from tbpy.project.references import table_references

EVENTS = "SCHEMA >\n    `user` String,\n    `amount` Float64\n\nENGINE MergeTree\nENGINE_SORTING_KEY user\n"
Load = Callable[..., Project]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes files given as `{"pipes/a.pipe": text}`, on top of those of calls before, and loads the project."""

    def write(files: dict[str, str | None], **options: object) -> Project:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
        return load_project(tmp_path, **options)  # type: ignore[arg-type]

    return write


def pipe(*nodes: tuple[str, str], end: str = "") -> str:
    return "\n".join(f"NODE {name}\nSQL >\n    {sql}\n" for name, sql in nodes) + end


def datasource(name: str) -> Key:
    return Key(Kind.DATASOURCE, name)


def pipe_key(name: str) -> Key:
    return Key(Kind.PIPE, name)


def codes(project: Project) -> list[str]:
    return [diagnostic.code for diagnostic in project.diagnostics]


def test_names_mean_nodes_then_pipes_then_data_sources(load: Load) -> None:
    project = load(
        {
            "events.datasource": EVENTS,
            "pipes/a.pipe": pipe(("n", "SELECT user FROM events"), ("m", "SELECT user FROM n")),
            "pipes/b.pipe": pipe(
                ("events", "SELECT user FROM events"), ("m", "SELECT user FROM a"), ("k", "SELECT 1 FROM m")
            ),
        }
    )
    assert codes(project) == []
    assert {str(key): [str(read) for read in node.reads] for key, node in project.nodes.items()} == {
        "a.n": ["datasource:events"],
        "a.m": ["a.n"],
        "b.events": ["datasource:events"],
        "b.m": ["a.m"],
        "b.k": ["b.m"],
    }
    assert project.graph.order == (datasource("events"), pipe_key("a"), pipe_key("b"))
    assert project.graph.dependents(pipe_key("a")) == (pipe_key("b"),)


def test_an_endpoint_node_is_what_readers_of_the_pipe_get(load: Load) -> None:
    first = pipe(("e", "SELECT user FROM events"), end="TYPE endpoint\n\n") + pipe(
        ("last", "SELECT amount FROM events")
    )
    project = load({"events.datasource": EVENTS, "a.pipe": first, "b.pipe": pipe(("n", "SELECT user FROM a"))})
    assert project.nodes[NodeKey("b", "n")].reads == (NodeKey("a", "e"),)
    assert codes(project) == []


def test_columns_of_nodes(load: Load) -> None:
    sql = "SELECT user AS who, sum(amount) AS total FROM events GROUP BY user"
    project = load({"events.datasource": EVENTS, "a.pipe": pipe(("n", sql), ("m", "SELECT total FROM n"))})
    columns = project.nodes[NodeKey("a", "n")].columns or ()
    assert [(column.name, str(column.type)) for column in columns] == [("who", "String"), ("total", "Float64")]
    assert [column.name for column in project.nodes[NodeKey("a", "m")].columns or ()] == ["total"]


def test_fixed_tables_of_untaken_branches_are_dependencies(load: Load) -> None:
    sql = "%\n    SELECT user FROM {% if defined(x) %}{{TABLE('other')}}{% else %}events{% end %}"
    project = load({"events.datasource": EVENTS, "other.datasource": EVENTS, "a.pipe": pipe(("n", sql))})
    assert project.resources[pipe_key("a")].reads == (datasource("events"), datasource("other"))


def test_service_data_sources_are_no_mistake(load: Load) -> None:
    project = load({"a.pipe": pipe(("n", "SELECT * FROM tinybird.pipe_stats"), ("m", "SELECT 1 FROM n"))})
    assert codes(project) == []


def test_vendored_data_sources(load: Load) -> None:
    files = {"vendor/shop/datasources/orders.datasource": EVENTS, "a.pipe": pipe(("n", "SELECT user FROM shop.orders"))}
    project = load(files)
    assert (codes(project), project.resources[pipe_key("a")].reads) == ([], (datasource("shop.orders"),))


def test_plans(load: Load) -> None:
    materialized = "TYPE materialized\nDATASOURCE sums\n"
    sums = EVENTS.replace("amount", "total")
    files = {
        "datasources/events.datasource": EVENTS,
        "datasources/sums.datasource": sums,
        "pipes/into.pipe": pipe(("n", "SELECT user, amount AS total FROM events"), end=materialized),
        "pipes/top.pipe": pipe(("n", "SELECT user FROM sums"), end="TYPE endpoint\n"),
        "pipes/free.pipe": pipe(("n", "SELECT 1")),
    }
    first = load(files)
    into, top, free = (pipe_key(name) for name in ("into", "top", "free"))
    assert plan(None, first).added == first.graph.order
    assert not plan(first, load({}))
    assert not plan(first, load({"datasources/events.datasource": "DESCRIPTION all of them\n\n" + EVENTS}))

    second = load({"datasources/sums.datasource": sums.replace("Float64", "Float32")})
    assert plan(first, second).rebuild == plan(first.fingerprints, second).changed == (datasource("sums"), into, top)

    third = load({"pipes/free.pipe": None, "pipes/new.pipe": pipe(("n", "SELECT user FROM top"))})
    told = plan(second, third)
    assert (told.added, told.changed, told.removed) == ((pipe_key("new"),), (), (free,))


def test_removed_pipes_go_before_what_they_read(load: Load) -> None:
    first = load(
        {"e.datasource": EVENTS, "a.pipe": pipe(("n", "SELECT 1 FROM e")), "b.pipe": pipe(("n", "SELECT 1 FROM a"))}
    )
    second = load({"e.datasource": None, "a.pipe": None, "b.pipe": None})
    assert plan(first, second).removed == (pipe_key("b"), pipe_key("a"), datasource("e"))
    assert plan(first.fingerprints, second).removed[-1] == datasource("e")


def test_secrets(load: Load) -> None:
    text = 'TYPE kafka\nKAFKA_KEY {{ tb_secret("k") }}\nKAFKA_SECRET {{ tb_secret("s", "d") }}\n'
    kept = load({"c.connection": text})
    assert kept.connections["c"].settings.having("kafka_") == {"key": '{{ tb_secret("k") }}', "secret": "d"}
    assert load({}, secrets={"k": "v"}).connections["c"].settings.get("kafka_key") == "v"
    assert codes(load({}, ignore_secrets=False)) == ["secret"]


def test_files_that_cannot_be_read_are_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a.pipe").write_bytes(b"NODE n\nSQL >\n    SELECT '\xff'\n")
    assert codes(load({"b.pipe": pipe(("n", "SELECT 1"))})) == ["unreadable"]


def test_a_hundred_pipes_load_quickly(load: Load) -> None:
    files: dict[str, str | None] = {f"datasources/d{i}.datasource": EVENTS for i in range(20)}
    for i in range(100):
        sql = (
            f"%\n    SELECT user, sum(amount) AS total FROM d{i % 20} WHERE user = {{{{String(u, 'x')}}}} GROUP BY user"
        )
        files[f"pipes/p{i}.pipe"] = pipe(("n", sql), ("e", "SELECT user, total * 2 AS twice FROM n ORDER BY total"))
    load(files)
    started = time.perf_counter()
    project = load({})
    assert time.perf_counter() - started < 2.0
    assert (codes(project), len(project.pipes)) == ([], 100)


REFERENCES = {
    "SELECT * FROM a JOIN b USING x": "a b",
    "SELECT * FROM a, db.c": "a db.c",
    "WITH a AS (SELECT * FROM a) SELECT * FROM a JOIN b ON 1": "a b",
    "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b": "",
    "WITH a AS (SELECT 1) SELECT * FROM (SELECT * FROM a UNION ALL SELECT * FROM c)": "c",
    "WITH a AS (SELECT 1) SELECT 1 UNION ALL SELECT * FROM a": "",
    "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a": "",
    "SELECT (SELECT max(x) FROM a), x IN (SELECT x FROM b) FROM c": "a b c",
    "SELECT x FROM a WHERE x IN b": "a b?",
    "SELECT joinGet('j', 'v', 1)": "j",
    "SELECT joinGet('db.j', 'v', 1)": "db.j",
    "SELECT 'a' AS b, c FROM numbers(10)": "",
}


@pytest.mark.parametrize("sql", REFERENCES)
def test_references(sql: str) -> None:
    found = [
        (f"{one.database}." if one.database else "") + one.name + ("" if one.certain else "?")
        for one in table_references(parse_query(sql))
    ]
    assert sorted(found) == REFERENCES[sql].split()


def test_cycles_and_orders() -> None:
    needs = {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": [], "e": ["e"]}
    assert list(find_cycles(needs)) == [("a", "b", "c"), ("e",)]
    assert list(find_cycles({"a": ["b", "c"], "b": ["c"], "c": []})) == []
    assert ordered({"a": ["b", "c"], "b": ["c"], "c": [], "d": ["a"]}) == ("c", "b", "a", "d")


KEYS = {
    "tuple()": (),
    "": (),
    "a": ("a",),
    "(a, f(b, c))": ("a", "f(b, c)"),
    "tuple(a, b)": ("a", "b"),
    "(a), (b)": ("(a)", "(b)"),
    "toDate(t), a": ("toDate(t)", "a"),
}


@pytest.mark.parametrize("text", KEYS)
def test_key_parts(text: str) -> None:
    assert key_parts(text) == KEYS[text]


def test_types_of_columns(load: Load) -> None:
    text = "SCHEMA >\n    a Nullable(LowCardinality(String)),\n    b DEFAULT now(),\n    c Nullable(Int32)\n"
    project = load({"e.datasource": text})
    types = project.types[datasource("e")]
    assert {name: str(type_) for name, type_ in types.items()} == {"b": "DateTime", "c": "Nullable(Int32)"}
    assert codes(project) == ["type"]


def test_a_broken_file_does_not_make_others_wrong(load: Load) -> None:
    project = load(
        {
            "e.datasource": EVENTS + "ENGIN MergeTree\n",
            "a.pipe": pipe(("n", "SELECT x FROM e"), ("m", "SELECT y FROM n"), end="TYPE copy\nTARGET_DATASOURCE e\n"),
            "q.pipe": pipe(("n", "SELECT * FROM f_quarantine")),
            "f.datasource": EVENTS,
        }
    )
    assert codes(project) == ["unknown-instruction"]


def test_two_files_of_one_name(load: Load) -> None:
    project = load({"a/e.datasource": EVENTS, "b/e.pipe": pipe(("n", "SELECT user FROM e")), "c/e.datasource": EVENTS})
    told = [(diagnostic.code, diagnostic.file) for diagnostic in project.diagnostics]
    assert told == [("duplicate-name", "b/e.pipe"), ("duplicate-name", "c/e.datasource")]


FITS = [
    ("count() AS c, user AS u", "`c` UInt64, `u` LowCardinality(String)", []),
    ("count() AS c", "`c` AggregateFunction(count)", ["target-type"]),
    ("countState() AS c", "`c` AggregateFunction(count)", []),
    ("sumState(amount) AS c", "`c` AggregateFunction(avg, Float64)", ["target-type"]),
    ("sumState(amount) AS c", "`c` Float64", ["target-type"]),
    ("sum(amount) AS c", "`c` SimpleAggregateFunction(sum, Float64)", []),
    ("count() AS c", "`c` Array(UInt64)", ["target-type"]),
    ("groupArray(user) AS c", "`c` String", []),
    ("count() AS c", "`c` UInt64, `d` String", ["target-incomplete"]),
    ("count() AS c", "`c` UInt64, `d` String DEFAULT 'x'", []),
    ("count() AS d", "`c` UInt64", ["target-column", "target-incomplete"]),
]


@pytest.mark.parametrize(("select", "columns", "told"), FITS)
def test_targets_that_fit(load: Load, select: str, columns: str, told: list[str]) -> None:
    group = " GROUP BY user" if "user AS" in select else ""
    end = "TYPE materialized\nDATASOURCE t\n"
    files = {
        "e.datasource": EVENTS,
        "t.datasource": f"SCHEMA >\n    {columns}\n",
        "m.pipe": pipe(("n", f"SELECT {select} FROM e{group}"), end=end),
    }
    assert sorted(codes(load(files))) == told


KEPT = [
    ("user, countState() AS c", "MergeTree", "`user` String, `c` AggregateFunction(count)", "AggregatingMergeTree"),
    ("user, count() AS c", "AggregatingMergeTree", "`user` String, `c` UInt64", "SimpleAggregateFunction(sum, UInt64)"),
    ("user, max(amount) AS c", "AggregatingMergeTree", "`user` String, `c` Float64", "SimpleAggregateFunction(max, "),
    ("user, uniq(amount) AS c", "AggregatingMergeTree", "`user` String, `c` UInt64", "uniqState(...) AS c"),
    ("user, amount", "AggregatingMergeTree", "`user` String, `amount` Float64", "Add it to ENGINE_SORTING_KEY"),
    ("user, sumState(amount) AS c", "AggregatingMergeTree", "`user` String, `c` AggregateFunction(sum, Float64)", None),
    ("user, count() AS c", "SummingMergeTree", "`user` String, `c` UInt64", None),
]


@pytest.mark.parametrize(("select", "engine", "columns", "hint"), KEPT)
def test_targets_that_keep_what_is_made(load: Load, select: str, engine: str, columns: str, hint: str | None) -> None:
    group = ", amount" if "amount" in select.split(", ") else ""
    target = f'SCHEMA >\n    {columns}\n\nENGINE "{engine}"\nENGINE_SORTING_KEY "user"\n'
    sql = f"SELECT {select} FROM e GROUP BY user{group}"
    end = "TYPE materialized\nDATASOURCE t\n"
    project = load({"e.datasource": EVENTS, "t.datasource": target, "m.pipe": pipe(("n", sql), end=end)})
    assert codes(project) == ([] if hint is None else ["target-engine"])
    assert all(hint in (one.hint or "") for one in project.diagnostics if hint is not None)


def test_expressions_of_data_sources(load: Load) -> None:
    columns = "SCHEMA >\n    a Int32 DEFAULT 1 +,\n    b Int32 DEFAULT f(1, 'x)')\n\n"
    text = columns + "FORWARD_QUERY >\n    SELECT a, FROM FROM\n"
    told = load({"e.datasource": text}).diagnostics
    assert [(one.code, one.span and one.span.line) for one in told] == [("sql-syntax", 2), ("sql-syntax", 6)]


REFUSED = {
    "SELECT usr FROM e": "error unknown-identifier",
    "SELECT user + 1 FROM e": "error illegal-type-of-argument",
    "SELECT sum(amount), user FROM e": "error not-an-aggregate",
    "SELECT conut() FROM e": "error unknown-function",
    "SELECT countt() FROM e": "error unknown-function",
    "SELECT stochasticLinearRegressionIf(amount, amount, 1) FROM e": "warning unsupported",
    "SELECT * FROM e, (SELECT 1) AS user ORDER BY amount LIMIT 1 BY user": "",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_refusals_of_the_compiler(load: Load, sql: str) -> None:
    told = load({"e.datasource": EVENTS, "a.pipe": pipe(("n", sql))}).diagnostics
    assert " ".join(f"{one.severity} {one.code}" for one in told) == REFUSED[sql]


@pytest.mark.parametrize(
    "engine, told",
    [
        ("MergeTree()", []),
        ("ReplacingMergeTree(amount)", ["engine-arguments"]),
        ("Join(ANY, LEFT, user)", []),
        ("Join(ALL, FULL, user)", []),
        ("Join(ANY, FULL, user)", ["invalid-value"]),
        ("Join(MOST, LEFT, user)", ["invalid-value"]),
        ("Join(ANY, LEFT)", ["missing-parameter"]),
    ],
)
def test_arguments_of_engines(load: Load, engine: str, told: list[str]) -> None:
    assert codes(load({"e.datasource": EVENTS.replace("ENGINE MergeTree", f'ENGINE "{engine}"')})) == told


def test_paths_of_documents_are_keys(tmp_path: Path) -> None:
    (tmp_path / "log.datasource").write_text("SCHEMA >\n    `event` JSON `json:$`\n", encoding="utf-8")
    sql = "SELECT event.kind AS kind, count() AS c FROM log GROUP BY kind"
    (tmp_path / "kinds.pipe").write_text(f"NODE n\nSQL >\n    {sql}\n\nTYPE endpoint\n", encoding="utf-8")
    project = load_project(tmp_path)
    assert project.diagnostics == ()
