"""A load that remembers the last one finds what a load from nothing finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import tbpy.project.semantics
from tbpy.project import Memory, NodeKey, Project, load_project

DATASOURCE = 'SCHEMA >\n    `id` {type},\n    `name` String\n\nENGINE "MergeTree"\nENGINE_SORTING_KEY "id"\n'
FIRST = "NODE a\nSQL >\n    SELECT {what} FROM events\n\nNODE b\nSQL >\n    SELECT * FROM a\n\nTYPE endpoint\n"
SECOND = "NODE c\nSQL >\n    %\n    SELECT x FROM first WHERE x > {{Int32(least, 0)}}\n\nTYPE endpoint\n"

EDITS: list[dict[str, str]] = [
    {
        "datasources/events.datasource": DATASOURCE.format(type="Int32"),
        "endpoints/first.pipe": FIRST.format(what="id + 1 AS x"),
        "endpoints/second.pipe": SECOND,
    },
    {"endpoints/first.pipe": FIRST.format(what="id + 2 AS x")},
    {"datasources/events.datasource": DATASOURCE.format(type="Int8")},
    {"endpoints/first.pipe": FIRST.format(what="nothing AS x")},
    {"endpoints/second.pipe": "\n\n" + SECOND.replace("x >", "y >")},
    {"endpoints/first.pipe": FIRST.format(what="id AS x, name AS y")},
    {"endpoints/first.pipe": FIRST.format(what="{{ id")},
]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def comparable(project: Project) -> Project:
    """Rendered SQL keeps its pieces, which have no equality of their own."""
    return replace(project, diagnostics=tuple(sorted(project.diagnostics, key=repr)))


def test_every_edit_is_seen(tmp_path: Path) -> None:
    memory = Memory()
    for files in EDITS:
        write(tmp_path, files)
        for _ in range(2):
            assert comparable(load_project(tmp_path, memory=memory)) == comparable(load_project(tmp_path))


def test_only_what_changed_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_query: Callable[..., object] = tbpy.project.semantics.compile_query

    def counting(sql: str, *arguments: object, **options: object) -> object:
        compiled.append(sql)
        return compile_query(sql, *arguments, **options)

    monkeypatch.setattr(tbpy.project.semantics, "compile_query", counting)
    memory = Memory()
    write(tmp_path, EDITS[0])
    project = load_project(tmp_path, memory=memory)
    assert len(compiled) == 3
    assert project.nodes[NodeKey("second", "c")].columns is not None
    compiled.clear()
    load_project(tmp_path, memory=memory)
    assert compiled == []
    # The name and the type of what it answers stay, so nobody else is concerned.
    write(tmp_path, EDITS[1])
    load_project(tmp_path, memory=memory)
    assert len(compiled) == 1
    compiled.clear()
    write(tmp_path, EDITS[2])
    load_project(tmp_path, memory=memory)
    assert len(compiled) == 3
