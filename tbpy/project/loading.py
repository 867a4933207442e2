"""A folder to a `Project`: read every file, link names, check, and tell of every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tbpy.clickhouse.types import Type
from tbpy.datafiles import Connection, Datasource, Kind, Node, Pipe
from tbpy.project.classic import implied_datasource, implied_targets, untyped
from tbpy.project.connectors import tell_of_datasource, tell_of_pipe
from tbpy.project.datasources import check_datasource, check_types
from tbpy.project.fingerprint import definition_digest, fingerprints, schema_digest
from tbpy.project.graph import ordered
from tbpy.project.linking import Link, check_cycles, check_node_names, check_target, link_node
from tbpy.project.memory import Memory
from tbpy.project.model import CheckedNode, Graph, Key, NodeKey, Project, Resource
from tbpy.project.names import Names, resource_of
from tbpy.project.reading import Files, read_files
from tbpy.project.report import Report, did_you_mean
from tbpy.project.semantics import Semantics, default_type
from tbpy.project.statements import NodeSql, read_node
from tbpy.project.targets import check_target_fits


def load_project(
    root: Path | str,
    *,
    secrets: Mapping[str, str] | None = None,
    ignore_secrets: bool = True,
    memory: Memory | None = None,
) -> Project:
    """Reads, links and checks all datafiles below `root`. Mistakes in files never raise: they are in `diagnostics`.

    `ignore_secrets`: a secret that is neither given nor has a default is left as it stands; otherwise it is a mistake.
    `memory` makes the next load with it quicker.
    """
    memory = memory or Memory()
    memory.turn()
    report, known = Report(), dict(secrets or {})
    files = read_files(report, Path(root), known, memory, ignore_missing=ignore_secrets)
    datasources, pipes = files.of(Datasource), files.of(Pipe)
    implied = implied_targets(pipes.values(), datasources) if files.classic else {}
    for name, (pipe, node) in implied.items():
        datasources[name] = implied_datasource(pipe, node, ())
    names = Names(datasources, pipes, files.vendored, frozenset(files.broken), files.classic)
    loader = _Loader(report, files, names, None if ignore_secrets else known, memory, datasources, pipes, implied)
    loader.link()
    loader.check()
    return loader.project(Path(root), known)


@dataclass
class _Loader:
    """The project while it is made of its files; each step uses what the steps before it found.

    `implied` are the targets that no file describes, with the nodes whose columns they get.
    """

    report: Report
    files: Files
    names: Names
    secrets: Mapping[str, str] | None
    memory: Memory
    datasources: dict[str, Datasource]
    pipes: dict[str, Pipe]
    implied: Mapping[str, tuple[Pipe, Node]]
    sql: dict[NodeKey, NodeSql] = field(default_factory=dict)
    links: dict[NodeKey, tuple[Link, ...]] = field(default_factory=dict)
    targets: dict[str, Key] = field(default_factory=dict)
    types: dict[Key, dict[str, Type]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.semantics = Semantics(self.report, self.names, self.types, self.memory)

    def link(self) -> None:
        for pipe in list(self.pipes.values()):
            for node in pipe.nodes:
                self._link_node(pipe, node)
            pipe = self._without_move(pipe)
            target = check_target(self.report, self.names, pipe)
            if target is not None:
                self.targets[pipe.name] = target
        check_cycles(self.report, self.links, {pipe.name: pipe.file for pipe in self.names.pipes.values()})
        check_node_names(self.report, self.names, self.links)
        for datasource in self.names.datasources.values():
            self._check_connection(datasource)

    def _link_node(self, pipe: Pipe, node: Node) -> None:
        secrets = None if self.secrets is None else tuple(sorted(self.secrets.items()))
        sql = self.memory.recall(
            ("read", node.sql, secrets), lambda: read_node(self.report, pipe.file, node, self.secrets)
        )
        if sql is not None:
            links = link_node(self.report, self.names, pipe, node, sql)
            if pipe.node(node.name) is node:
                self.sql[NodeKey(pipe.name, node.name)] = sql
                self.links[NodeKey(pipe.name, node.name)] = links

    def _without_move(self, pipe: Pipe) -> Pipe:
        """The pipe without the type of a node that moves rows of a data source between releases of Classic."""
        node = pipe.typed_node
        if not self.files.classic or node is None or node.target is None:
            return pipe
        key = NodeKey(pipe.name, node.name)
        if all(link.target != Key(Kind.DATASOURCE, node.target.value) for link in self.links.get(key, ())):
            return pipe
        message = f"Node '{node.name}' moves rows of '{node.target.value}' between releases: it is not run here"
        self.report.warning("release", message, pipe.file, node.span, hint="There is one release here, the files.")
        moved = untyped(pipe)
        self.pipes[pipe.name] = self.files.contents[Key(Kind.PIPE, pipe.name)] = moved
        return moved

    def _check_connection(self, datasource: Datasource) -> None:
        connections = self.files.of(Connection)
        for option in ("kafka_connection_name", "import_connection_name", "pg_connection_name"):
            setting = datasource.settings.find(option)
            if setting and setting.value not in connections and "{{" not in setting.value:
                message = f"Connection '{setting.value}' not found"
                hint = did_you_mean(setting.value, connections) or f"Add a file {setting.value}.connection."
                self.report.warning("unknown-connection", message, datasource.file, setting.span, hint=hint)

    # --- checking ---

    def check(self) -> None:
        for datasource in (*self.names.datasources.values(), *self.files.vendored.values()):
            if datasource.name not in self.implied:
                self._check_datasource(datasource)
        for datasource in self.names.datasources.values():
            tell_of_datasource(self.report, datasource)
        for pipe in self.names.pipes.values():
            tell_of_pipe(self.report, pipe)
        needs = {key: list(self._nodes_before(links)) for key, links in self.links.items()}
        for key in ordered(needs):
            pipe = self.names.pipes[key.pipe]
            node = pipe.node(key.node)
            if node is not None and key in self.sql:
                self.semantics.check_node(pipe, node, self.sql[key])
                if (pipe, node) == self.implied.get(node.datasource or ""):
                    self._imply(pipe, node)
        for name, target in self.targets.items():
            self._check_target(self.names.pipes[name], target)

    def _check_datasource(self, datasource: Datasource) -> None:
        types = check_types(self.report, datasource)
        for column in datasource.columns:
            if not column.type and column.default and (inferred := default_type(column.default)):
                types[column.name] = inferred
        self.types[Key(Kind.DATASOURCE, datasource.name)] = types
        check_datasource(self.report, datasource)

    def _nodes_before(self, links: tuple[Link, ...]) -> Iterator[NodeKey]:
        """The nodes whose columns must be known first: those that are read, and those that make what is read."""
        for link in links:
            if isinstance(link.target, NodeKey):
                yield link.target
            elif link.target.name in self.implied:
                pipe, node = self.implied[link.target.name]
                yield NodeKey(pipe.name, node.name)

    def _imply(self, pipe: Pipe, node: Node) -> None:
        """Makes the target of a node of its columns."""
        columns = self.semantics.columns.get(NodeKey(pipe.name, node.name))
        name = node.datasource or ""
        if columns is None:
            message = f"Data source '{name}' has no file, and the columns of node '{node.name}' are not known"
            self.report.error("unknown-target", message, pipe.file, node.span, hint=f"Add a file {name}.datasource.")
            return
        datasource = implied_datasource(pipe, node, columns)
        self.datasources[name] = self.files.contents[Key(Kind.DATASOURCE, name)] = datasource
        self._check_datasource(datasource)

    def _check_target(self, pipe: Pipe, target: Key) -> None:
        node = pipe.typed_node
        key = NodeKey(pipe.name, node.name if node else "")
        columns = self.semantics.columns.get(key)
        if node is not None and columns is not None and target in self.types:
            datasource = self.names.datasources[target.name]
            check_target_fits(self.report, pipe, node, self.sql[key], columns, datasource, self.types[target])

    # --- the result ---

    def project(self, root: Path, secrets: Mapping[str, str]) -> Project:
        reads = {key: self._reads(key) for key in self.files.contents}
        needs = {key: self._needs(key, reads[key]) for key in self.files.contents}
        order = ordered(needs)
        definitions = {key: definition_digest(content) for key, content in self.files.contents.items()}
        schemas = {Key(Kind.DATASOURCE, d.name): schema_digest(d) for d in self._all_datasources()}
        marks = fingerprints(definitions, schemas, needs, order)
        resources = {
            key: Resource(key, content, reads[key], marks[key]) for key, content in self.files.contents.items()
        }
        return Project(
            root,
            self.files.of(Datasource),
            self.files.of(Pipe),
            self.files.of(Connection),
            dict(self.files.vendored),
            resources,
            self._nodes(),
            Graph(needs, order),
            self.types,
            self.report.ordered(),
            secrets,
            self.files.classic,
        )

    def _all_datasources(self) -> Iterable[Datasource]:
        return (*self.names.datasources.values(), *self.files.vendored.values())

    def _reads(self, key: Key) -> tuple[Key, ...]:
        found: dict[Key, None] = {}
        content = self.files.contents[key]
        for node in content.nodes if isinstance(content, Pipe) else ():
            for link in self.links.get(NodeKey(key.name, node.name), ()):
                found.setdefault(resource_of(link.target))
        return tuple(other for other in found if other != key)

    def _needs(self, key: Key, reads: tuple[Key, ...]) -> tuple[Key, ...]:
        target = self.targets.get(key.name) if key.kind is Kind.PIPE else None
        return reads if target is None or target in reads else (*reads, target)

    def _nodes(self) -> dict[NodeKey, CheckedNode]:
        return {
            (key := NodeKey(pipe.name, node.name)): CheckedNode(
                key,
                node,
                tuple(link.target for link in self.links.get(key, ())),
                self.semantics.columns.get(key),
            )
            for pipe in self.names.pipes.values()
            for node in pipe.nodes
        }
