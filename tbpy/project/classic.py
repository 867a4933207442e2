"""Projects of Tinybird Classic: how they are told from those of Forward, and what Classic says without writing it.

Classic publishes the last node of a pipe that has no other type, and makes the target of a materialized node of its
result when there is no data source of that name. Source: Tinybird's documentation of Classic, and public projects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tbpy.clickhouse import types as t
from tbpy.datafiles import Column, Datasource, Engine, Kind, Node, Pipe, ReadIncluded, Setting
from tbpy.errors import DatafileError, Diagnostic, Severity
from tbpy.project.discovery import Found
from tbpy.project.model import OutputColumn

_FORWARD_FILES = ("tinybird.config.json", "tinybird.json")
_ENDPOINT = re.compile(r"^[ \t]*TYPE[ \t]+[\"']?ENDPOINT\b", re.IGNORECASE | re.MULTILINE)
_FORWARD = re.compile(r"^(?:FORWARD_QUERY|BACKFILL|DEPLOYMENT_METHOD)\b", re.IGNORECASE | re.MULTILINE)
_ALWAYS_CLASSIC = "INCLUDE|MAINTAINER|VERSION"
_CLASSIC = {
    Kind.PIPE: re.compile(rf"^(?:{_ALWAYS_CLASSIC}|ENGINE)\b", re.MULTILINE),
    Kind.DATASOURCE: re.compile(
        rf"^(?:{_ALWAYS_CLASSIC}|SOURCE|IMPORT_STRATEGY|IMPORT_SERVICE|IMPORT_EXTERNAL_DATASOURCE|EXPORT_SERVICE"
        r"|KAFKA_STORE_BINARY_HEADERS|KAFKA_KEY_AVRO_DESERIALIZATION|KAFKA_TARGET_PARTITIONS|KAFKA_BOOTSTRAP_SERVERS"
        r"|ENGINE_JOIN_STRICTNESS|TOKEN[ \t]+\S+[ \t]+CREATE)\b",
        re.MULTILINE,
    ),
}
RELEASE = re.compile(r"v\d+_\d+_\d+|live")
VERSION = re.compile(r"__v\d+$")


def is_classic(root: Path, texts: Mapping[Found, str]) -> bool:
    """Whether the files are written for Classic, whose own file `.tinyenv` says so.

    Without it, something must be Classic's, and nothing Forward's. Pipes that say TYPE endpoint count as Forward's.
    """
    if any((root / name).exists() for name in _FORWARD_FILES) or any(map(_FORWARD.search, texts.values())):
        return False
    if (root / ".tinyenv").exists():
        return True
    if any(one.kind is Kind.PIPE and _ENDPOINT.search(text) for one, text in texts.items()):
        return False
    return any(_is_sign(one, text) for one, text in texts.items())


def _is_sign(found: Found, text: str) -> bool:
    pattern = _CLASSIC.get(found.kind)
    published = found.kind is Kind.PIPE and PurePosixPath(found.file).parent.name == "endpoints"
    return published or (pattern is not None and pattern.search(text) is not None)


def included_from(path: Path) -> ReadIncluded:
    """The texts of the files that a datafile at `path` includes."""

    def read(name: str) -> str | None:
        file = path.parent / name
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return read


def only_classic(error: DatafileError) -> tuple[Diagnostic, ...]:
    """What Forward refuses, as the warning that it is where Classic accepts it."""
    return tuple(
        replace(one, message=f"Only Tinybird Classic accepts this: {one.message}", severity=Severity.WARNING)
        for one in error.diagnostics
    )


def published(pipe: Pipe) -> Pipe:
    """The pipe with its last node as an endpoint, when no node has a type."""
    if pipe.typed_node is not None:
        return pipe
    return replace(pipe, nodes=(*pipe.nodes[:-1], replace(pipe.nodes[-1], type="endpoint")))


def untyped(pipe: Pipe) -> Pipe:
    """The pipe as one that only others read."""
    return replace(pipe, nodes=tuple(replace(node, type=None) for node in pipe.nodes))


def implied_targets(pipes: Iterable[Pipe], datasources: Mapping[str, Datasource]) -> dict[str, tuple[Pipe, Node]]:
    """The materialized nodes whose target no file describes, by the name of the target."""
    found: dict[str, tuple[Pipe, Node]] = {}
    for pipe in pipes:
        node = pipe.typed_node
        if node is not None and node.type == "materialized" and node.datasource and node.datasource not in datasources:
            found.setdefault(node.datasource, (pipe, node))
    return found


def implied_datasource(pipe: Pipe, node: Node, columns: Iterable[OutputColumn]) -> Datasource:
    """The target of a materialized node: the columns of its result, with the engine that the node gives."""
    options = {setting.name: setting.text for setting in node.settings.items if setting.name.startswith("engine")}
    name = options.pop("engine", None)
    arguments = tuple(Setting(option.removeprefix("engine_"), text) for option, text in options.items())
    engine = Engine(name.text, arguments, name) if name is not None else None
    return Datasource(node.datasource or "", pipe.file, tuple(map(_column, columns)), engine)


def _column(column: OutputColumn) -> Column:
    inner = column.type.item if isinstance(column.type, t.Nullable) else column.type
    return Column(column.name, str(inner), inner is not column.type)
