"""What the names of a project are to the compiler: stored tables, and the nodes that queries read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tbpy.clickhouse.compiler.catalog import JoinStorage, Table, TableColumn, TableEngine, View
from tbpy.clickhouse.types import STRING, Type
from tbpy.datafiles import Datasource, Engine, Node, Pipe
from tbpy.project.datasources import engine_name, join_arguments
from tbpy.project.model import Key, NodeKey
from tbpy.project.names import Names


def table_engine(datasource: Datasource) -> TableEngine:
    """What FINAL and merges need to know of a data source's engine."""
    engine = datasource.engine
    if engine is None:
        return TableEngine()
    return TableEngine(
        engine_name(engine),
        key_parts(engine.get("sorting_key") or ""),
        engine.get("ver") or engine.get("version"),
        engine.get("is_deleted"),
        engine.get("sign"),
        key_parts(engine.get("columns") or ""),
        key_parts(engine.get("partition_key") or ""),
        join=join_storage(engine),
    )


def join_storage(engine: Engine) -> JoinStorage | None:
    """What `Join(strictness, kind, key, ...)` is made for; None for any other engine, and where it does not say it."""
    parts = join_arguments(engine)
    if engine_name(engine) != "Join" or len(parts) < 3:
        return None
    strictness, kind, *keys = parts
    return JoinStorage(strictness.lower(), kind.lower(), tuple(key.strip("`") for key in keys))


def key_parts(text: str) -> tuple[str, ...]:
    """The expressions of a key: `tuple()` has none, `(a, f(b, c))` and `a, f(b, c)` have two."""
    text = text.strip()
    inner = text.removeprefix("tuple").strip() if text.startswith("tuple") else text
    if inner.startswith("(") and _closes_at_end(inner):
        text = inner[1:-1]
    parts, depth, start = [], 0, 0
    for offset, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(text[start:offset].strip())
            start = offset + 1
    return tuple(part for part in [*parts, text[start:].strip()] if part)


def _closes_at_end(text: str) -> bool:
    depth = 0
    for offset, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return offset == len(text) - 1
    return False


def stored_table(datasource: Datasource, types: Mapping[str, Type], physical: str) -> Table:
    """A data source as a table whose data is in `physical`; a column without a known type counts as text."""
    columns = tuple(TableColumn(column.name, types.get(column.name, STRING)) for column in datasource.columns)
    return Table(datasource.name, physical, columns, table_engine(datasource))


@dataclass(frozen=True)
class NodeCatalog:
    """What the SQL of `node` of `pipe` can read. With neither of them it is what a query from outside can read.

    `table` makes the table of a data source, `view` what another node is; `missing` is asked about names that are no
    resource of the project.
    """

    known: Names
    table: Callable[[Key], Table | View | None]
    view: Callable[[NodeKey], Table | View | None]
    pipe: Pipe | None = None
    node: Node | None = None
    missing: Callable[[str, str | None], Table | View | None] = lambda name, database: None

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        target = self.known.resolve(name, database, self.pipe, self.node)
        if target is None:
            return self.missing(name, database)
        return self.view(target) if isinstance(target, NodeKey) else self.table(target)

    def names(self) -> tuple[str, ...]:
        return tuple(self.known.all(self.pipe))
