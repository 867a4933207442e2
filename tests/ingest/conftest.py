"""A data source of any columns in memory, and files of any rows to append to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tbpy.clickhouse.documents import reading_functions
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.types import is_nullable, parse_type
from tbpy.engines import DuckDBEngine
from tbpy.workspace.ingest import AppendReport, append_files
from tbpy.workspace.ingest.paths import parse_path
from tbpy.workspace.ingest.quarantine import Import, quarantine_ddl
from tbpy.workspace.ingest.sources import open_inputs
from tbpy.workspace.ingest.target import Target, TargetColumn

IMPORT = Import("import-1", datetime(2024, 5, 6, 7, 8, 9))


class Landing:
    """A table `t` and its quarantine. Columns are `name: "Type"` or `name: ("Type", "$.path", "default SQL")`."""

    def __init__(self, engine: DuckDBEngine, folder: Path, columns: dict[str, Any]) -> None:
        self.engine = engine
        self.folder = folder
        self.target = Target("t", '"t"', '"t_quarantine"', tuple(_column(n, c) for n, c in columns.items()))
        self.functions = reading_functions(column.type for column in self.target.columns)
        types = ", ".join(
            f"{duckdb_name(c.name)} {duckdb_type(c.type)}{'' if is_nullable(c.type) else ' NOT NULL'}"
            for c in self.target.columns
        )
        engine.run(f'CREATE TABLE "t" ({types})')
        engine.run(quarantine_ddl('"t_quarantine"', [c.name for c in self.target.columns]))

    def append(self, source: str | Path, **options: Any) -> AppendReport:
        with open_inputs(source) as inputs, self.engine.transaction(self.functions) as session:
            return append_files(session, self.target, inputs, source, IMPORT, **options)

    def append_text(self, text: str, name: str = "rows.ndjson") -> AppendReport:
        path = self.folder / name
        path.write_text(text, encoding="utf-8", newline="")
        return self.append(path)

    def append_rows(self, rows: list[Any]) -> AppendReport:
        return self.append_text("".join(json.dumps(row) + "\n" for row in rows))

    def rows(self, sql: str = 'SELECT * FROM "t"') -> list[tuple[Any, ...]]:
        return self.engine.run(sql)

    def quarantine(self, columns: str = "*") -> list[tuple[Any, ...]]:
        return self.engine.run(f'SELECT {columns} FROM "t_quarantine"')


def _column(name: str, spec: Any) -> TargetColumn:
    type_, path, default = (spec, None, None) if isinstance(spec, str) else (*spec, None, None)[:3]
    return TargetColumn(name, parse_type(type_), parse_path(path or f"$.{name}"), default)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as engine:
        yield engine


@pytest.fixture
def landing(engine: DuckDBEngine, tmp_path: Path) -> Callable[[dict[str, Any]], Landing]:
    return lambda columns: Landing(engine, tmp_path, columns)
