"""Deployments beside the live one. What is true of them is told by workspaces that never had them: going back gives
what was never left, and what became live is what a build in place makes of the same rows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tbpy.errors import ConflictError, DiagnosticsError, NotFoundError
from tbpy.project import Project, load_project
from tbpy.workspace import BuildReport, Stage, Workspace
from tbpy.workspace.deployments import keeping_up, staging
from tbpy.workspace.deployments.folders import write_datafiles
from tbpy.workspace.deployments.journal import followed, length
from tests.workspace.conftest import Folder

Files = dict[str, str]


def datasource(columns: str, rest: str = 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n') -> str:
    return "SCHEMA >\n" + ",\n".join(f"    {column.strip()}" for column in columns.split(";")) + f"\n\n{rest}"


def pipe(sql: str, rest: str = "TYPE endpoint\n") -> str:
    return f"NODE n\nSQL >\n    {sql}\n\n{rest}"


COLUMNS = "id Int32 `json:$.id`; k Int32 `json:$.k`; name String `json:$.name`"
SUMS = "k Int32; n AggregateFunction(count); top AggregateFunction(max, Int32)"
FIRST: Files = {
    "datasources/events.datasource": datasource(COLUMNS),
    "datasources/passing.datasource": datasource("id Int32 `json:$.id`", 'ENGINE "Null"\n'),
    "datasources/passed.datasource": datasource("id Int32; twice Int64"),
    "datasources/sums.datasource": datasource(SUMS, 'ENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "k"\n'),
    "datasources/chain.datasource": datasource("n AggregateFunction(count)", 'ENGINE "AggregatingMergeTree"\n'),
    "datasources/copied.datasource": datasource("k Int32; n UInt64", 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "k"\n'),
    "pipes/pass.pipe": pipe("SELECT id, id * 2 AS twice FROM passing", "TYPE materialized\nDATASOURCE passed\n"),
    "pipes/sum.pipe": pipe(
        "SELECT k, countState() AS n, maxState(id) AS top FROM events GROUP BY k",
        "TYPE materialized\nDATASOURCE sums\n",
    ),
    "pipes/link.pipe": pipe("SELECT countMergeState(n) AS n FROM sums", "TYPE materialized\nDATASOURCE chain\n"),
    "pipes/copy.pipe": pipe(
        "SELECT k, count() AS n FROM events GROUP BY k ORDER BY k", "TYPE copy\nTARGET_DATASOURCE copied\n"
    ),
    "pipes/all.pipe": pipe("SELECT id, k, name FROM events ORDER BY id, name"),
    "pipes/by_k.pipe": pipe("SELECT k, countMerge(n) AS n, maxMerge(top) AS top FROM sums GROUP BY k ORDER BY k"),
    "pipes/whole.pipe": pipe("SELECT countMerge(n) AS n FROM chain"),
    "pipes/doubled.pipe": pipe("SELECT id, twice FROM passed ORDER BY id"),
    "pipes/copies.pipe": pipe("SELECT k, n FROM copied ORDER BY k, n"),
}


def changed(file: str, old: str, new: str) -> Files:
    text = FIRST[file]
    assert old in text
    return {**FIRST, file: text.replace(old, new)}


EVENTS, SUM = "datasources/events.datasource", "pipes/sum.pipe"
NAME = "name String `json:$.name`"
PLAIN = 'ENGINE "MergeTree"\nENGINE_SORTING_KEY "id"'
REPLACING = 'ENGINE "ReplacingMergeTree"\nENGINE_SORTING_KEY "id, k, name"'
FORWARD = "FORWARD_QUERY >\n    SELECT id, k, upper(name) AS name\n"
VARIANTS: Mapping[str, Files] = {
    "column added": changed(EVENTS, NAME, f"{NAME}, more Int32 DEFAULT id + 1"),
    "column dropped": {
        **changed(EVENTS, f",\n    {NAME}", ""),
        "pipes/all.pipe": pipe("SELECT id, k FROM events ORDER BY id"),
    },
    "type changed": changed(EVENTS, "id Int32", "id Int64"),
    "sorting changed": changed(EVENTS, '"id"', '"k, id"'),
    "engine changed": changed(EVENTS, PLAIN, REPLACING),
    "forward query": {**FIRST, EVENTS: FIRST[EVENTS].replace("name String", "name LowCardinality(String)") + FORWARD},
    "node changed": changed(SUM, "SELECT k,", "SELECT toInt32(k % 2) AS k,"),
    "node and source changed": {
        **changed(EVENTS, "k Int32", "k Int64"),
        SUM: FIRST[SUM].replace("SELECT k,", "SELECT toInt32(k + 1) AS k,"),
    },
    "end of a chain changed": changed("pipes/link.pipe", "FROM sums", "FROM sums WHERE k > 0"),
    "node of Null changed": changed("pipes/pass.pipe", "id * 2", "id * 3"),
    "view added": {
        **FIRST,
        "datasources/names.datasource": datasource(
            "name String; n UInt64", 'ENGINE "SummingMergeTree"\nENGINE_SORTING_KEY "name"\n'
        ),
        "pipes/count_names.pipe": pipe(
            "SELECT name, count() AS n FROM events GROUP BY name", "TYPE materialized\nDATASOURCE names\n"
        ),
        "pipes/named.pipe": pipe("SELECT name, sum(n) AS n FROM names GROUP BY name ORDER BY name"),
    },
    "copied has more": changed("datasources/copied.datasource", "n UInt64", "n UInt64, at DateTime DEFAULT 0"),
    "endpoint removed": {name: text for name, text in FIRST.items() if name != "pipes/doubled.pipe"},
    "nothing that moves data": changed("pipes/all.pipe", "SELECT id,", "SELECT id + 0 AS id,"),
}


class Deployed:
    """A workspace in memory, and projects for it in folders."""

    def __init__(self, root: Path, files: Files) -> None:
        root.mkdir(parents=True)
        self.root, self.workspace = root, Workspace.in_memory(root / "data")
        self._ids = 0
        self.promote(self.deploy(files))

    def project(self, files: Files) -> Project:
        self._ids += 1
        write_datafiles(folder := self.root / f"project{self._ids}", files)
        return load_project(folder)

    def deploy(self, files: Files) -> int:
        return self.workspace.deploy(self.project(files), files, lambda report: {}).id

    def promote(self, number: int) -> None:
        self.workspace.promote(number)

    def build(self, files: Files) -> None:
        self.workspace.build(self.project(files))

    def answers(self) -> dict[str, object]:
        return {found.name: self.workspace.endpoint(found.name).rows for found in self.workspace.endpoints()}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are moved, and journals emptied, a few at a time."""
    monkeypatch.setattr(staging, "_PIECE", 3)
    monkeypatch.setattr(keeping_up, "_LONG_JOURNAL", 10)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Deployed]]:
    made: list[Deployed] = []

    def one() -> Deployed:
        made.append(Deployed(tmp_path / str(len(made)), FIRST))
        return made[-1]

    yield one
    for deployed in made:
        deployed.workspace.close()


def rows(first: int, count: int = 7) -> list[str]:
    return [json.dumps({"id": i, "k": i % 3, "name": f"n{i % 4}"}) for i in range(first, first + count)]


def come(workspace: Workspace, first: int) -> None:
    workspace.append_events({"events": rows(first), "passing": rows(first)})


def test_going_back_is_as_if_nothing_was(make: Callable[[], Deployed]) -> None:
    left, stayed = make(), make()
    for deployed in (left, stayed):
        come(deployed.workspace, 0)
        deployed.workspace.copy("copy")
    for number, (name, files) in enumerate(VARIANTS.items()):
        before = left.answers()
        live = left.workspace.live.id
        left.promote(left.deploy(files))
        left.promote(live)
        assert left.answers() == before, name
        left.promote(left.workspace.deployments()[-1].id)
        for deployed in (left, stayed):
            come(deployed.workspace, 100 * number)
        left.promote(live)
        # Who has no such column keeps none for who has.
        lost = {"all"} if name == "column dropped" else set()
        assert without(left.answers(), lost) == without(stayed.answers(), lost), name
        for deployed in (left, stayed):
            deployed.workspace.truncate("events")


@pytest.mark.parametrize("name", VARIANTS)
def test_rows_that_come_while_data_is_moved(make: Callable[[], Deployed], name: str) -> None:
    """A build in place of all rows that came until then is what a promotion must be."""
    staged, built = make(), make()
    for deployed in (staged, built):
        come(deployed.workspace, 0)
        deployed.workspace.copy("copy")
    number = staged.deploy(VARIANTS[name])
    for deployed in (staged, built):
        come(deployed.workspace, 10)
        deployed.workspace.copy("copy")
        deployed.workspace.append_events({"events": ['{"id": "x"}']})
    built.build(VARIANTS[name])
    beside = staged.workspace.beside("staging")
    assert beside is not None
    told = {found.name: beside.endpoint(found.name).rows for found in beside.endpoints()}
    staged.promote(number)
    # Beside, the node runs for what comes; in place, only the old one did, and that cannot be had again.
    other = {"doubled"} if name == "node of Null changed" else set()
    assert without(staged.answers(), other) == without(built.answers(), other)
    assert staged.answers() == told, "asked before it was live"
    assert staged.workspace.quarantine("events").rows == 1
    for deployed in (staged, built):
        come(deployed.workspace, 20)
    assert without(staged.answers(), other) == without(built.answers(), other)


def test_an_altered_node_keeps_what_it_made(make: Callable[[], Deployed]) -> None:
    altered = changed(SUM, "maxState(id)", "maxState(id * 100)")
    altered[SUM] += "DEPLOYMENT_METHOD alter\n"
    staged, built = make(), make()
    for deployed in (staged, built):
        come(deployed.workspace, 0)
    number = staged.deploy(altered)
    for deployed in (staged, built):
        come(deployed.workspace, 10)
    built.build(altered)
    staged.promote(number)
    tops = "SELECT maxMerge(top) FROM sums"
    assert [deployed.workspace.query(tops).rows for deployed in (staged, built)] == [[(16,)]] * 2
    for deployed in (staged, built):
        come(deployed.workspace, 20)
    assert staged.answers() == built.answers()
    assert staged.workspace.query(tops).rows == [(2600,)]


def kept(report: BuildReport, reports: list[BuildReport]) -> dict[str, object]:
    reports.append(report)
    return {}


def test_a_check_tells_what_a_deployment_does(make: Callable[[], Deployed]) -> None:
    deployed = make()
    come(deployed.workspace, 0)
    narrow = FIRST[EVENTS].replace("k Int32", "k Enum('none' = 0, 'one' = 1)")
    for files in [*VARIANTS.values(), {**FIRST, EVENTS: narrow}]:
        foreseen, done = deployed.workspace.check_deployment(deployed.project(files)), list[BuildReport]()
        made = deployed.workspace.deploy(deployed.project(files), files, lambda report: kept(report, done))  # noqa: B023
        assert (foreseen.added, foreseen.changed, foreseen.removed) == (
            done[-1].added,
            done[-1].changed,
            done[-1].removed,
        )
        assert (foreseen.migrated, foreseen.populated) == (done[-1].migrated, done[-1].populated)
        deployed.workspace.discard(made.id)
    assert foreseen.migrated[0].quarantined == 2


CHANGES: Mapping[str, Callable[[Workspace, Path], object]] = {
    "events": lambda workspace, _: come(workspace, 50),
    "delete": lambda workspace, _: workspace.delete("events", "id % 5 = 1"),
    "truncate": lambda workspace, _: workspace.truncate("events"),
    "append": lambda workspace, file: workspace.append("events", file),
    "replace": lambda workspace, file: workspace.replace("events", file),
    "replace some": lambda workspace, file: workspace.replace("events", file, condition="k = 1"),
    "copy": lambda workspace, _: workspace.copy("copy"),
    "copy anew": lambda workspace, _: workspace.copy("copy", mode="replace"),
    "merge": lambda workspace, _: workspace.compact(),
}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(sorted(VARIANTS)), min_size=1, max_size=3, unique=True),
    changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=6),
    chance=st.randoms(use_true_random=False),
)
def test_any_changes_while_others_are_live(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], changes: list[str], chance: random.Random
) -> None:
    if {"column dropped", "forward query"} <= set(names):  # a column that is gone cannot be carried forward
        assume(names.index("forward query") < names.index("column dropped"))
    root = tmp_path_factory.mktemp("any")
    left, stayed = Deployed(root / "left", FIRST), Deployed(root / "stayed", FIRST)
    (file := root / "rows.ndjson").write_text("\n".join(rows(200)))
    try:
        first = left.workspace.live.id
        for name in names:
            left.promote(left.deploy(VARIANTS[name]))
        for change in changes:
            for deployed in (left, stayed):
                CHANGES[change](deployed.workspace, file)
            others = [found.id for found in left.workspace.deployments() if found.stage is Stage.KEPT]
            if chance.random() < 0.3 and others:
                left.promote(chance.choice([number for number in others if number]))
        left.promote(first)
        # What a copy found depends on the deployment that ran it, and so do targets that all of them share.
        shared = {"copies", "doubled", "all"} if {"column dropped", "node of Null changed"} & set(names) else set()
        assert without(left.answers(), shared) == without(stayed.answers(), shared)
    finally:
        left.workspace.close()
        stayed.workspace.close()


def without(answers: dict[str, object], names: set[str]) -> dict[str, object]:
    return {name: found for name, found in answers.items() if name not in names}


def test_what_cannot_be_followed_cannot_be_gone_back_to(make: Callable[[], Deployed]) -> None:
    deployed = make()
    first = deployed.workspace.live.id
    deployed.promote(deployed.deploy(VARIANTS["column added"]))
    come(deployed.workspace, 0)
    assert deployed.workspace.delete("events", "more > 3") == 4
    with pytest.raises(ConflictError, match=r"cannot become live.*more"):
        deployed.promote(first)
    assert len(deployed.workspace.query("SELECT * FROM events").rows) == 3


def test_rows_that_cannot_be_converted_hold_up_nobody(make: Callable[[], Deployed]) -> None:
    deployed = make()
    come(deployed.workspace, 0)
    wrong = FIRST[EVENTS].replace("name String", "name Int32")
    forward = "FORWARD_QUERY >\n    SELECT id, k, throwIf(id = 12) AS name\n"
    number = deployed.deploy({**FIRST, EVENTS: wrong + forward})
    assert deployed.workspace.beside("staging") is not None
    come(deployed.workspace, 10)
    assert len(deployed.answers()["all"]) == 14  # type: ignore[arg-type]
    for ask in (deployed.workspace.beside, deployed.workspace.promote):
        with pytest.raises(ConflictError, match=r"New rows cannot be taken over.*throwIf"):
            ask(number)
    assert deployed.workspace.discard("staging").stage is Stage.DELETED
    come(deployed.workspace, 20)
    deployed.promote(deployed.deploy(VARIANTS["type changed"]))
    assert len(deployed.answers()["all"]) == 21  # type: ignore[arg-type]


@pytest.mark.parametrize("at", ["_take_out_of", "_write_errors"])
def test_a_crash_while_rows_are_taken_out(folder: Folder, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Of a change that happened, or may have, no deployment is left behind that does not know of it."""
    for files in (FIRST, VARIANTS["column added"]):
        write_datafiles(folder.root / "project", files)
        with folder.open() as workspace:
            made = workspace.deploy(load_project(folder.root / "project"), files, lambda report: {})
            workspace.promote(made.id)
            come(workspace, 0)
    with folder.open() as workspace, monkeypatch.context() as patched:
        patched.setattr(workspace, at, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            workspace.truncate("events")
        happened = workspace.query("SELECT count() FROM events").rows == [(0,)]
    assert happened == (at == "_take_out_of")
    with folder.open() as workspace:
        if happened:
            with pytest.raises(ConflictError, match="taken out"):
                workspace.promote(1)
        else:
            workspace.promote(1)
        assert workspace.query("SELECT count() FROM events").rows == [(0 if happened else 14,)]


def test_the_last_five_can_be_gone_back_to(make: Callable[[], Deployed]) -> None:
    deployed, numbers = make(), []
    for number in range(7):
        more = f"{NAME}, more{number} Int32 DEFAULT {number}"
        numbers.append(deployed.deploy(changed(EVENTS, NAME, more)))
        deployed.promote(numbers[-1])
        come(deployed.workspace, number)
    with pytest.raises(ConflictError, match="was deleted"):
        deployed.promote(numbers[0])
    tables = [name for (name,) in deployed.workspace._engine.run("SELECT table_name FROM duckdb_tables()")]
    assert sorted({name for name in tables if name.startswith("events")}) == [f"events@{n}" for n in numbers[-6:]]
    deployed.promote(numbers[1])
    assert deployed.workspace.query("SELECT count(), max(more1) FROM events").rows == [(49, 1)]


def test_journals_do_not_grow(make: Callable[[], Deployed]) -> None:
    deployed = make()
    deployed.promote(deployed.deploy(VARIANTS["node and source changed"]))
    for number in range(6):
        come(deployed.workspace, 10 * number)
    live = deployed.workspace._catalogue
    (kept,) = [found for found in deployed.workspace.deployments() if found.stage is Stage.KEPT and found.id]
    with deployed.workspace._engine.session() as session:
        assert all(length(session, live.datasources[name]) < 10 for name in followed(kept, live))
    deployed.promote(kept.id)
    assert len(deployed.answers()["all"]) == 42  # type: ignore[arg-type]


def test_a_failed_deployment_says_why_and_leaves_nothing(make: Callable[[], Deployed]) -> None:
    deployed = make()
    come(deployed.workspace, 0)
    before, live = deployed.answers(), deployed.workspace.live
    wrong = (
        FIRST[EVENTS].replace("name String", "name Int32")
        + "FORWARD_QUERY >\n    SELECT id, k, throwIf(id = 3) AS name\n"
    )
    with pytest.raises(Exception, match=r"throwIf|Value"):
        deployed.deploy({**FIRST, EVENTS: wrong})
    *_, failed = deployed.workspace.deployments()
    assert failed.stage is Stage.FAILED and failed.errors and deployed.workspace.live == live
    assert deployed.answers() == before
    tables = deployed.workspace._engine.run("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%@%'")
    assert not [name for (name,) in tables if name.endswith(f"@{failed.id}")]
    with pytest.raises(DiagnosticsError, match="columns don't match"):
        deployed.deploy({**FIRST, EVENTS: wrong.replace("throwIf(id = 3) AS name", "id AS other")})
    with pytest.raises(NotFoundError):
        deployed.workspace.beside("staging")


def test_builds_in_place_end_what_is_beside(make: Callable[[], Deployed]) -> None:
    deployed = make()
    first = deployed.workspace.live.id
    deployed.promote(deployed.deploy(VARIANTS["column added"]))
    come(deployed.workspace, 0)
    deployed.build(VARIANTS["view added"])
    assert deployed.answers()["named"] == [("n0", 2), ("n1", 2), ("n2", 2), ("n3", 1)]
    with pytest.raises(ConflictError, match="was deleted"):
        deployed.promote(first)
    come(deployed.workspace, 10)
    deployed.promote(deployed.deploy(FIRST))
    assert len(deployed.answers()["all"]) == 14  # type: ignore[arg-type]


def test_rows_that_come_all_the_time(make: Callable[[], Deployed], tmp_path: Path) -> None:
    """Writers never stop while data is moved and deployments become live: no row is lost, none is there twice."""
    deployed, stop, numbers = make(), Event(), count()
    workspace, failures, seen = deployed.workspace, list[BaseException](), [0]

    def events() -> None:
        workspace.append_events({"events": rows(10 * next(numbers), 10)})

    def file() -> None:
        (path := tmp_path / "rows.ndjson").write_text("\n".join(rows(10 * next(numbers), 10)))
        workspace.append("events", path)

    def others() -> None:
        workspace.copy("copy", mode="replace")
        workspace.truncate("copied")
        workspace.delete("passed", "id > 0")

    def ask() -> None:
        ((found,),) = workspace.query("SELECT count() FROM events").rows
        assert found >= seen[0], "rows that were there are gone"
        assert len(workspace.endpoint("all").rows) >= found
        seen[0] = found

    def again_and_again(work: Callable[[], None]) -> None:
        while not stop.is_set() and not failures:
            try:
                work()
            except BaseException as error:
                failures.append(error)

    writers = [Thread(target=again_and_again, args=(work,)) for work in (events, file, others, ask)]
    for writer in writers:
        writer.start()
    try:
        for name in ("column added", "node and source changed", "sorting changed", "type changed"):
            deployed.promote(deployed.deploy(VARIANTS[name]))
            workspace.rollback()
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not failures
    sent = 10 * next(numbers)
    assert sent > 100
    for found in workspace.deployments():
        if found.stage is Stage.KEPT and found.id:
            deployed.promote(found.id)
        if found.live or (found.stage is Stage.KEPT and found.id):
            assert workspace.query("SELECT count(), uniqExact(id) FROM events").rows == [(sent, sent)]
            assert deployed.answers()["whole"] == [(sent,)]
