"""What a table name means where it stands: a node of the same pipe first, then a pipe or a data source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbpy.datafiles import Datasource, Kind, Node, Pipe
from tbpy.project.classic import RELEASE, VERSION
from tbpy.project.model import Key, NodeKey, Project

# Tables that the server itself keeps: usage statistics, system tables.
SERVICE_DATABASES = frozenset({"tinybird", "organization", "system", "information_schema", "INFORMATION_SCHEMA"})


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a project. Matching is by exact case. `broken` are names whose files could not be read.

    In a project of Tinybird `classic` a release such as `v1_0_2` before a name is the project itself, and a version
    behind it, as in `events__v2`, is that of the resource.
    """

    datasources: Mapping[str, Datasource]
    pipes: Mapping[str, Pipe]
    vendored: Mapping[str, Datasource]
    broken: frozenset[str] = frozenset()
    classic: bool = False

    def resolve(self, name: str, database: str | None, pipe: Pipe | None, node: Node | None) -> Key | NodeKey | None:
        """What `name` in the SQL of a node reads; None when nothing has that name.

        A node that reads its own name reads the table or pipe of that name, so a node may share the name of its source.
        """
        if database is not None and self.classic and RELEASE.fullmatch(database):
            database = None
        if database is not None and database != "default":
            if pipe is None and database in self.pipes and self.pipes[database].node(name):
                return NodeKey(database, name)  # a person's query may look into a pipe; datafiles may not
            shared = f"{database}.{name}"
            return Key(Kind.DATASOURCE, shared) if shared in self.vendored or shared in self.datasources else None
        if pipe and pipe.node(name) and not (node and node.name == name):
            return NodeKey(pipe.name, name)
        if self.classic and name not in self.datasources and name not in self.pipes:
            name = VERSION.sub("", name)
        if name in self.datasources:
            # A pipe of the same name is a mistake that is told where it is.
            return Key(Kind.DATASOURCE, name)
        return NodeKey(name, self.pipes[name].output_node.name) if name in self.pipes else None

    def quarantined(self, name: str) -> Key | None:
        """The data source whose quarantine has this name: it keeps the rows that did not fit."""
        base = name.removesuffix("_quarantine")
        return Key(Kind.DATASOURCE, base) if base != name and base in self.datasources else None

    def all(self, pipe: Pipe | None = None) -> list[str]:
        """Every name that could stand there, for suggestions."""
        nodes = [node.name for node in pipe.nodes] if pipe else []
        return [*nodes, *self.pipes, *self.datasources, *self.vendored]


def names_of(project: Project) -> Names:
    return Names(project.datasources, project.pipes, project.vendored, classic=project.classic)


def resource_of(target: Key | NodeKey) -> Key:
    return Key(Kind.PIPE, target.pipe) if isinstance(target, NodeKey) else target
