"""Tables of ENGINE Join hold, join and look up what ClickHouse's do, merged or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbpy.errors import DiagnosticsError, QueryError
from tbpy.project import load_project
from tbpy.workspace import Workspace
from tests.differential.oracle import Oracle, OracleError
from tests.workspace import engines
from tests.workspace.conftest import Folder
from tests.workspace.test_merges import _SETTINGS

COLUMNS = (("k", "UInt32"), ("v", "Int64"), ("s", "Nullable(String)"))
JOINS = (
    *(f"ANY {kind}" for kind in ("LEFT", "INNER", "RIGHT")),
    *(f"ALL {kind}" for kind in ("LEFT", "INNER", "RIGHT", "FULL")),
    *(f"{strictness} {kind}" for strictness in ("SEMI", "ANTI") for kind in ("LEFT", "RIGHT")),
)
ROWS = st.tuples(st.integers(1, 4), st.integers(0, 9), st.sampled_from([None, "", "a", "b"]))
NUMBERS = "(SELECT toUInt32(number) AS n FROM numbers(6)) AS numbers"
# Answers of single rows and of groups, as filters, over keys that are there and that are not.
LOOK_UPS = (
    f"SELECT n, joinGet('any_left', 'v', n), joinGet('any_left', 's', n) FROM {NUMBERS}",
    f"SELECT n, joinGetOrNull('any_left', 'v', n), toTypeName(joinGetOrNull('any_left', 'v', n)) FROM {NUMBERS}",
    f"SELECT joinGet('any_left', 'v', n) AS v, count(), sum(joinGet('any_left', 'v', n)) FROM {NUMBERS} GROUP BY v",
    f"SELECT n FROM {NUMBERS} WHERE joinGet('any_left', 'v', n) > 4",
    "SELECT joinGet('any_left', 'v', CAST(NULL AS Nullable(UInt32))), joinGetOrNull('any_left', 's', toUInt32(9))",
)
MISTAKES = (
    "SELECT joinGet('any_left', 'v', 1)",
    "SELECT joinGet('any_left', 'k', toUInt32(1))",
    "SELECT joinGet('any_left', 'v', toUInt32(1), toUInt32(1))",
    "SELECT joinGet('any_left', 'v')",
    "SELECT joinGet('all_left', 'v', toUInt32(1))",
    "SELECT joinGet('nowhere', 'v', toUInt32(1))",
    "SELECT * FROM any_left FINAL",
    f"SELECT * FROM {NUMBERS} LEFT JOIN any_left ON n = k",
    f"SELECT * FROM {NUMBERS} ANY LEFT JOIN any_left ON n = v",
)


def name_of(join: str) -> str:
    return join.lower().replace(" ", "_")


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Oracle]]:
    folder = Folder(Path(tmp_path_factory.mktemp("joins")))
    schema = "; ".join(f"{name} {type_} `json:$.{name}`" for name, type_ in COLUMNS)
    for join in JOINS:
        folder.datasource(name_of(join), schema, f'ENGINE "Join({join.replace(" ", ", ")}, k)"\n')
    with folder.open() as workspace, Oracle() as oracle:
        folder.build(workspace)
        yield workspace, oracle


def insert(workspace: Workspace, oracle: Oracle, rows: list[engines.Row]) -> None:
    lines = [json.dumps(dict(zip((name for name, _ in COLUMNS), row, strict=True))) for row in rows]
    for join in JOINS:
        oracle.answer(f"INSERT INTO {name_of(join)} FORMAT JSONEachRow {' '.join(lines)}")
        workspace.append_events({name_of(join): lines})


def create(oracle: Oracle) -> None:
    columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS)
    for join in JOINS:
        oracle.answer(f"DROP TABLE IF EXISTS {name_of(join)}")
        oracle.answer(f"CREATE TABLE {name_of(join)} ({columns}) ENGINE = Join({join.replace(' ', ', ')}, k)")


@_SETTINGS
@given(st.lists(st.tuples(st.lists(ROWS, min_size=1, max_size=4), st.booleans()), min_size=1, max_size=4))
def test_join_tables_answer_as_clickhouse(
    joined: tuple[Workspace, Oracle], steps: list[tuple[list[engines.Row], bool]]
) -> None:
    workspace, oracle = joined
    create(oracle)
    for join in JOINS:
        workspace.truncate(name_of(join))
    for rows, compacts in steps:
        insert(workspace, oracle, rows)
        if compacts:
            workspace.compact()
    queries = [f"SELECT * FROM {name_of(join)}" for join in JOINS]
    # Of the rows that a RIGHT or SEMI join may choose from, ClickHouse takes any one.
    queries += [f"SELECT * FROM {NUMBERS} {join} JOIN {name_of(join)} ON n = k" for join in JOINS]
    for query in (*queries, *LOOK_UPS):
        assert engines.ordered(workspace.query(query).rows) == engines.answer(oracle, query), query


def test_mistakes_have_clickhouses_codes(joined: tuple[Workspace, Oracle]) -> None:
    workspace, oracle = joined
    create(oracle)
    for query in MISTAKES:
        with pytest.raises(OracleError) as wanted:
            oracle.answer(query)
        with pytest.raises(QueryError) as error:
            workspace.query(query)
        assert f"Code: {error.value.code}." in str(wanted.value), query


@pytest.mark.parametrize(
    "engine, code",
    [("Join", "missing-parameter"), ("Join(ANY, FULL, k)", "invalid-value"), ("Join(ANY, LEFT, x)", "unknown-column")],
)
def test_a_join_engine_says_what_it_is_for(folder: Folder, workspace: Workspace, engine: str, code: str) -> None:
    folder.datasource("j", "k UInt32; v Int64", f'ENGINE "{engine}"\n')
    with pytest.raises(DiagnosticsError) as error:
        workspace.build(load_project(folder.root))
    assert [diagnostic.code for diagnostic in error.value.diagnostics] == [code]


def test_rows_that_are_not_shown_do_not_come_back(joined: tuple[Workspace, Oracle]) -> None:
    workspace, oracle = joined
    create(oracle)
    workspace.truncate("any_left")
    insert(workspace, oracle, [(1, 1, "first"), (1, 2, "second")])
    workspace.delete("any_left", "k = 1")
    assert workspace.query("SELECT count() FROM any_left").rows == [(0,)]


def test_classic_spells_it_by_instructions(folder: Folder, workspace: Workspace) -> None:
    rest = 'ENGINE "Join"\nENGINE_JOIN_STRICTNESS "ANY"\nENGINE_JOIN_TYPE "LEFT"\nENGINE_KEY_COLUMNS "k, s"\n'
    folder.datasource("j", "k UInt32 `json:$.k`; s String `json:$.s`; v Int64 `json:$.v`", rest)
    folder.build(workspace)
    workspace.append_events({"j": ['{"k": 1, "s": "a", "v": 7}', '{"k": 1, "s": "a", "v": 8}']})
    assert workspace.query("SELECT joinGet('j', 'v', toUInt32(1), 'a'), joinGet('j', 'v', toUInt32(1), 'b')").rows == [
        (7, 0)
    ]
