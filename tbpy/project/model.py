"""A project as read: its resources by name, what each reads and writes, and everything wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tbpy.clickhouse.types import Type
from tbpy.datafiles import Connection, Datasource, Kind, Node, Pipe
from tbpy.errors import Diagnostic, Severity


class Key(NamedTuple):
    """What names a resource: `str(Key(Kind.PIPE, "top"))` is `pipe:top`."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class NodeKey(NamedTuple):
    """What names a node: its pipe and its own name."""

    pipe: str
    node: str

    def __str__(self) -> str:
        return f"{self.pipe}.{self.node}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One datafile in its place in the project.

    `fingerprint` (sha256, hexadecimal) changes when the resource would have to be built anew: by what its own file
    says, or by the schema of what it reads or writes. Descriptions, tokens and tags do not count.
    """

    key: Key
    content: Datasource | Pipe | Connection
    reads: tuple[Key, ...] = ()
    fingerprint: str = ""

    @property
    def file(self) -> str | None:
        return self.content.file


@dataclass(frozen=True, slots=True)
class OutputColumn:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class CheckedNode:
    """A node and what is known of it without data. `columns` is None when its SQL could not be compiled."""

    key: NodeKey
    node: Node
    reads: tuple[Key | NodeKey, ...] = ()
    columns: tuple[OutputColumn, ...] | None = None


@dataclass(frozen=True)
class Graph:
    """Which resource needs which: a pipe what it reads and what it writes to. `order` has what is needed first."""

    needs: Mapping[Key, tuple[Key, ...]]
    order: tuple[Key, ...]

    def dependencies(self, key: Key) -> tuple[Key, ...]:
        return self.needs.get(key, ())

    def dependents(self, key: Key) -> tuple[Key, ...]:
        return tuple(other for other in self.order if key in self.dependencies(other))


@dataclass(frozen=True)
class Project:
    """The datafiles of one folder, linked and checked. `diagnostics` holds every mistake and warning, in file order.

    `vendored` are data sources that other workspaces share, by `workspace.name`; `types` are the column types of every
    data source, those that only a DEFAULT says included. Resources whose file could not be read are not in the project,
    only in its diagnostics. `classic` projects are those of Tinybird Classic.
    """

    root: Path
    datasources: Mapping[str, Datasource]
    pipes: Mapping[str, Pipe]
    connections: Mapping[str, Connection]
    vendored: Mapping[str, Datasource]
    resources: Mapping[Key, Resource]
    nodes: Mapping[NodeKey, CheckedNode]
    graph: Graph
    types: Mapping[Key, Mapping[str, Type]] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    classic: bool = False

    @property
    def all_datasources(self) -> dict[str, Datasource]:
        """Those of the project and those that other workspaces share with it, by the names that SQL gives them."""
        return {**self.datasources, **self.vendored}

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def fingerprints(self) -> dict[str, str]:
        """By `str(key)`: what to keep beside a build, to compare the next project with."""
        return {str(key): resource.fingerprint for key, resource in self.resources.items()}
