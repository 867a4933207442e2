"""The recorded queries in ClickHouse's dialect, and the tables that they read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbpy.clickhouse import storage
from tbpy.clickhouse.compiler import StaticCatalog, Table, TableColumn, TableEngine
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.types import Type, parse_type
from tests.conformance import cases
from tests.conformance.comparison import Answer
from tests.conformance.stored import literal, stored

OWN = Path(__file__).parents[1] / "cases" / "dialect"
RECORDED_FILES = ("dialect_cases.jsonl", "dialect_atoms.jsonl")
_ENGINE = re.compile(r"(\w+)(?:\((.*)\))?\Z")


@dataclass(frozen=True, slots=True)
class DialectCase:
    """`file` is the stem of the file it stands in; `error` is the code with which ClickHouse refuses the query."""

    file: str
    id: str
    area: str
    query: str
    want: Answer
    ordered: bool
    oracle_suspect: bool = False
    error: int | None = None


def recorded() -> list[DialectCase]:
    """The cases of the recorded sets, or of the folder that `TBPY_CASES` names."""
    return [_case(Path(name).stem, line) for name in RECORDED_FILES for line in cases.load(name)]


def own(path: Path = OWN) -> list[DialectCase]:
    """The cases of a `.jsonl` file, or of all of a folder."""
    paths = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return [_case(file.stem, line) for file in paths for line in _lines(file)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            yield json.loads(line)


def _case(file: str, line: dict[str, Any]) -> DialectCase:
    """Recorded lines hold FORMAT JSON under `chdb_json`, our own the shorter `meta`, `rows`, `totals`."""
    if "chdb_json" in line:
        want = Answer.of_json(line["chdb_json"])
    elif "error" in line:
        want = Answer((), [])
    else:
        want = Answer(tuple((name, type_) for name, type_ in line["meta"]), line["rows"], line.get("totals"))
    ordered = line.get("ordered", True)
    suspect = line.get("oracle_suspect", False)
    return DialectCase(file, line["id"], line["area"], line["query"], want, ordered, suspect, line.get("error"))


# --- tables -----------------------------------------------------------------------------------------------------------


def fixtures() -> dict[str, dict[str, Any]]:
    """The tables of the recorded cases and our own: `columns`, `engine`, `order_by`, `ddl` and `rows` of each."""
    own_tables = json.loads((OWN / "fixtures.json").read_text(encoding="utf-8"))
    return {**cases.load("dialect_fixtures.json"), **own_tables}


def fixture_catalog() -> StaticCatalog:
    return StaticCatalog({name: _table(name, found) for name, found in fixtures().items()})


def fixture_sql() -> Iterator[str]:
    """DuckDB statements that create and fill the tables, in the order of their sorting keys as MergeTree does."""
    for name, found in fixtures().items():
        columns = _columns(found)
        physical = ", ".join(f"{duckdb_name(column)} {storage.duckdb_type(type_)}" for column, type_ in columns)
        yield f"CREATE TABLE {duckdb_name(name)} ({physical})"
        rows = ", ".join(_row(columns, row) for row in _sorted(found))
        yield f"INSERT INTO {duckdb_name(name)} VALUES {rows}"


def _sorted(found: dict[str, Any]) -> list[dict[str, Any]]:
    types = dict(_columns(found))
    key = [name.strip() for name in found["order_by"].split(",")]
    return sorted(found["rows"], key=lambda row: [stored(row[name], types[name]) for name in key])


def _columns(found: dict[str, Any]) -> list[tuple[str, Type]]:
    return [(name, parse_type(type_)) for name, type_ in found["columns"]]


def _row(columns: list[tuple[str, Type]], row: dict[str, Any]) -> str:
    return "(" + ", ".join(literal(stored(row[name], type_), type_) for name, type_ in columns) + ")"


def _table(name: str, found: dict[str, Any]) -> Table:
    match = _ENGINE.match(found["engine"])
    assert match is not None
    arguments = [part.strip() for part in (match[2] or "").split(",") if part.strip()]
    engine = TableEngine(match[1], tuple(part.strip() for part in found["order_by"].split(",")))
    if match[1] == "ReplacingMergeTree":
        version = arguments[0] if arguments else None
        deleted = arguments[1] if len(arguments) > 1 else None
        engine = TableEngine(engine.name, engine.sorting_key, version=version, is_deleted=deleted)
    elif "Collapsing" in match[1]:
        engine = TableEngine(engine.name, engine.sorting_key, sign=arguments[0])
    elif match[1] == "SummingMergeTree":
        engine = TableEngine(engine.name, engine.sorting_key, summed=tuple(arguments))
    columns = tuple(TableColumn(column, type_) for column, type_ in _columns(found))
    return Table(name, duckdb_name(name), columns, engine)
