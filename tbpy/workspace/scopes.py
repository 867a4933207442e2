"""What the names in a query mean in a workspace: stored tables, their quarantines, and the nodes of its pipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import Table, TableColumn, View
from tbpy.datafiles import Node, Pipe
from tbpy.errors import NotFoundError
from tbpy.project import Key, NodeCatalog, NodeKey, Project, names_of, table_engine
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.services.columns import DATABASE, ORGANIZATION
from tbpy.workspace.services.tables import ServiceCatalog

Render = Callable[[Pipe, Node], str]

_QUARANTINE_HEAD = (
    TableColumn("c__error_column", t.Array(t.STRING)),
    TableColumn("c__error", t.Array(t.STRING)),
    TableColumn("c__import_id", t.Nullable(t.STRING)),
)
_QUARANTINE_END = TableColumn("insertion_date", t.DateTime())


@dataclass
class Scope:
    """The names of a project over what is stored. `render` gives the SQL of a node, its template rendered.

    `replaced` are relations that stand for the data of some data sources, as DuckDB SQL.
    """

    project: Project
    stored: Mapping[str, StoredDatasource]
    render: Render
    replaced: Mapping[str, str] = field(default_factory=dict)

    def catalog(self, pipe: Pipe | None = None, node: Node | None = None) -> NodeCatalog:
        """What can be read from the SQL of a node, or from outside when there is none."""
        return NodeCatalog(names_of(self.project), self.table, self.view, pipe, node, self._missing)

    def view(self, key: NodeKey) -> View:
        pipe = self.project.pipes[key.pipe]
        node = pipe.node(key.node)
        assert node is not None
        return View(key.node, self.render(pipe, node), self.catalog(pipe, node))

    def table(self, key: Key) -> Table:
        """Raises `NotFoundError` for a data source that was not built yet."""
        stored = self.stored.get(key.name)
        if stored is None:
            raise NotFoundError(f"The data source {key.name} is not built yet", hint="run: tbpy build")
        columns = tuple(TableColumn(c.name, c.parsed_type, c.physical) for c in stored.columns)
        engine = table_engine(self.project.all_datasources[key.name])
        return Table(key.name, self.replaced.get(key.name, stored.table), columns, engine)

    def _missing(self, name: str, database: str | None) -> Table | View | None:
        if database in (DATABASE, ORGANIZATION):
            return ServiceCatalog(self.stored).resolve(name, database)
        base = names_of(self.project).quarantined(name) if database in (None, "default") else None
        if base is None or base.name not in self.stored:
            return None
        return quarantine_table(self.stored[base.name])


def quarantine_table(stored: StoredDatasource) -> Table:
    texts = (TableColumn(column.name, t.Nullable(t.STRING), column.physical) for column in stored.columns)
    return Table(f"{stored.name}_quarantine", stored.quarantine, (*_QUARANTINE_HEAD, *texts, _QUARANTINE_END))
