"""Linking: what each node reads, what each pipe writes, and the names that lead nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbpy.datafiles import Kind, Node, Pipe
from tbpy.errors import Span
from tbpy.project.classic import RELEASE
from tbpy.project.graph import find_cycles
from tbpy.project.model import Key, NodeKey
from tbpy.project.names import SERVICE_DATABASES, Names, resource_of
from tbpy.project.report import Report, did_you_mean
from tbpy.project.statements import NodeSql


@dataclass(frozen=True, slots=True)
class Link:
    """One table that a node names, what it is, and where it stands."""

    target: Key | NodeKey
    span: Span


def link_node(report: Report, names: Names, pipe: Pipe, node: Node, sql: NodeSql) -> tuple[Link, ...]:
    """The tables that a node reads; those that do not exist are in the report."""
    links: dict[Key | NodeKey, Link] = {}
    for table in sql.named_tables:
        name, database = table.name, table.database
        target = names.resolve(name, database, pipe, node) or names.quarantined(name)
        if target is not None:
            links.setdefault(target, Link(target, table.span))
        elif table.certain and database not in SERVICE_DATABASES and name not in names.broken:
            full = f"{database}.{name}" if database else name
            hint = did_you_mean(full, names.all(pipe))
            if database and RELEASE.fullmatch(database):
                hint = "Releases such as v1_0_2 belong to Tinybird Classic: read the data source itself."
            report.error("unknown-resource", f"Resource '{full}' not found", pipe.file, table.span, hint=hint)
    return tuple(links.values())


def check_target(report: Report, names: Names, pipe: Pipe) -> Key | None:
    """The data source that the pipe's materialized or copy node writes to; a missing one is in the report."""
    node = pipe.typed_node
    target = node.target if node else None
    if node is None or target is None:
        return None
    if target.value in names.datasources:
        return Key(Kind.DATASOURCE, target.value)
    if "{{" not in target.value and target.value not in names.broken:
        message = f"Data source '{target.value}' not found, the target of {node.type} node '{node.name}'"
        hint = did_you_mean(target.value, names.datasources)
        if target.value in names.pipes:
            hint = f"{target.value} is a pipe: the target must be a data source."
        elif hint is None:
            hint = f"Add a file {target.value}.datasource that describes the rows."
        report.error("unknown-target", message, pipe.file, target.span, hint=hint)
    return None


def check_cycles(report: Report, links: Mapping[NodeKey, tuple[Link, ...]], files: Mapping[str, str | None]) -> None:
    """Reports nodes that need themselves and pipes that need each other: there is no order to build them in."""
    told = _report_cycles(report, links, files)
    pipes: dict[Key, dict[Key, Link]] = {}
    for key, found in links.items():
        reads = pipes.setdefault(Key(Kind.PIPE, key.pipe), {})
        for link in found:
            other = resource_of(link.target)
            if other != Key(Kind.PIPE, key.pipe):
                reads.setdefault(other, link)
    for cycle in find_cycles(pipes):
        if not told.intersection(key.name for key in cycle):
            link = pipes[cycle[0]][cycle[1]]
            _report_cycle(report, [key.name for key in cycle], link.span, files[cycle[0].name])


def _report_cycles(
    report: Report, links: Mapping[NodeKey, tuple[Link, ...]], files: Mapping[str, str | None]
) -> set[str]:
    told: set[str] = set()
    needs = {key: [link.target for link in found if isinstance(link.target, NodeKey)] for key, found in links.items()}
    for cycle in find_cycles(needs):
        first, second = cycle[0], cycle[1 % len(cycle)]
        link = next(link for link in links[first] if link.target == second)
        one_pipe = len({key.pipe for key in cycle}) == 1
        _report_cycle(report, [key.node if one_pipe else str(key) for key in cycle], link.span, files[first.pipe])
        told.update(key.pipe for key in cycle)
    return told


def _report_cycle(report: Report, names: list[str], span: Span, file: str | None) -> None:
    path = " -> ".join([*names, names[0]])
    hint = "Break the circle: one of them must read a data source instead."
    report.error("cycle", f"Circular dependencies: {path}", file, span, hint=hint)


def check_node_names(report: Report, names: Names, links: Mapping[NodeKey, tuple[Link, ...]]) -> None:
    """Nodes of one pipe that share a name, and nodes that hide a data source or pipe from another node."""
    read = {link.target for found in links.values() for link in found}
    for pipe in names.pipes.values():
        seen: dict[str, Node] = {}
        for node in pipe.nodes:
            first = seen.setdefault(node.name, node)
            if first is not node:
                message = f"Duplicate node name '{node.name}' in pipe '{pipe.name}'"
                hint = f"The first is on line {first.span.line}."
                report.error("duplicate-name", message, pipe.file, node.span, hint=hint)
            elif node.name in names.datasources and NodeKey(pipe.name, node.name) in read:
                message = f"Node '{node.name}' has the name of a data source: other nodes of the pipe read the node"
                hint = "Give the node a name of its own."
                report.warning("shadowed-name", message, pipe.file, node.span, hint=hint)
