"""One project as a user has it: built from a copy, every node of every pipe run, its tests run, its files laid out."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tbpy import testing
from tbpy.clickhouse.quoting import quote_identifier
from tbpy.datafiles import Connection, Datasource, Node, Pipe, format_datafile
from tbpy.errors import DatafileError, QueryError, QueryTimeoutError, TbpyError, TemplateError, UnsupportedError
from tbpy.project import Project, load_project
from tbpy.project.fingerprint import definition_digest
from tbpy.workspace import Workspace
from tests.differential.projects.folders import copied, without_mistakes
from tests.differential.projects.requests import requests

_SECONDS = 10.0


@dataclass
class ProjectRun:
    """What came of one project. `failures` are texts by the node, test or file that they are of."""

    name: str
    datasources: int = 0
    pipes: int = 0
    classic: bool = False
    left_out: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


def run_project(root: Path, name: str, now: datetime | None = None) -> ProjectRun:
    """Runs it at the moment `now`, naive UTC; the present when it is not given."""
    now = now or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    run = ProjectRun(name)
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(root, Path(folder) / "project")
        project, run.left_out = without_mistakes(copy)
        run.datasources, run.pipes, run.classic = len(project.datasources), len(project.pipes), project.classic
        _check_format(run, copy)
        if _run_built(run, copy, now, "fixtures"):
            for fixtures in ("fixtures", "datasources/fixtures"):
                shutil.rmtree(copy / fixtures, ignore_errors=True)
            _run_built(run, copy, now, "empty")
    return run


def _run_built(run: ProjectRun, root: Path, now: datetime, tables: str) -> bool:
    """Whether fixtures were loaded."""
    with Workspace.in_memory(root, clock=lambda: now.replace(tzinfo=UTC), threads=1) as workspace:
        try:
            report = workspace.build()
        except TbpyError as error:
            run.failures["build"] = str(error)
            return False
        run.counts["fixture rows"] += sum(loaded.rows for loaded in report.fixtures)
        run.counts["quarantined"] += sum(loaded.quarantined for loaded in report.fixtures)
        for pipe in workspace.project.pipes.values():
            kinds = {kind for node in pipe.nodes for kind in _run_node(run, workspace, pipe, node.name, now, tables)}
            if pipe.type == "copy" and "slow" not in kinds:
                _run_copy(run, workspace, pipe.name)
        if tables == "fixtures":
            _run_tests(run, root, workspace)
        return bool(report.fixtures)


def _run_node(
    run: ProjectRun, workspace: Workspace, pipe: Pipe, node: str, now: datetime, tables: str
) -> Iterator[str]:
    """What came of each request."""
    sql = f"SELECT * FROM {quote_identifier(pipe.name)}.{quote_identifier(node)}"
    for parameters in requests(pipe, now):
        kind = "asked"
        try:
            list(workspace.query(sql, parameters=parameters, time_limit=_SECONDS).rows)
        except QueryTimeoutError:
            kind, told = "slow", f"more than {_SECONDS:.0f} s"
        except TemplateError as error:
            kind, told = "parameters", error.message
        except UnsupportedError as error:
            kind, told = "refused", error.message
        except QueryError as error:
            kind, told = "failed", f"{error.code} {error.message}"
        except Exception as error:
            kind, told = "crashed", f"{type(error).__name__}: {error}"
        run.counts[kind] += 1
        yield kind
        if kind in ("slow", "refused", "failed", "crashed"):
            run.failures[f"{pipe.name}.{node} ({tables}, {'sample' if parameters else 'no'} parameters)"] = told


def _run_copy(run: ProjectRun, workspace: Workspace, name: str) -> None:
    try:
        workspace.copy(name)
        run.counts["copies"] += 1
    except TbpyError as error:
        run.counts["copies failed"] += 1
        run.failures[f"copy {name}"] = str(error)


def _run_tests(run: ProjectRun, root: Path, workspace: Workspace) -> None:
    try:
        suites = testing.find_suites(root)
    except TbpyError as error:
        run.failures["tests"] = str(error)
        return
    report = testing.run(suites, workspace.project.pipes, lambda case: testing.ask(workspace, case))
    for outcome in report.outcomes:
        run.counts["tests passed" if outcome.passed else "tests failed"] += 1
        if not outcome.passed:
            told = "\n".join((outcome.message, *outcome.difference))
            run.failures[f"test {outcome.case.pipe}.{outcome.case.name}"] = told


def _check_format(run: ProjectRun, root: Path) -> None:
    """Formatting twice changes nothing more, and what the files say stays as it was."""
    before = load_project(root)
    for file in _files(before):
        path = root / file
        text = path.read_text(encoding="utf-8")
        try:
            once = format_datafile(text, path.suffix.removeprefix("."))
            twice = format_datafile(once, path.suffix.removeprefix("."))
        except DatafileError as error:
            run.failures[f"fmt {file}"] = error.diagnostics[0].message
            continue
        run.counts["formatted"] += 1
        if once != twice:
            run.failures[f"fmt {file}"] = "formatting is not stable"
        path.write_text(once, encoding="utf-8")
    after = load_project(root)
    for key, resource in before.resources.items():
        if key not in after.resources or _said(after.resources[key].content) != _said(resource.content):
            run.failures[f"fmt {key}"] = "formatting changed what it says"


def _said(content: Datasource | Pipe | Connection) -> object:
    """What a file says without its places; blanks of templates, whose lines keep their indent, do not count."""
    if not isinstance(content, Pipe):
        return definition_digest(content)
    nodes = [
        (node.name, node.type, (node.description or "").split(), node.sql.text.split(), _settings(node))
        for node in content.nodes
    ]
    return (
        (content.description or "").split(),
        [(token.name, token.permission) for token in content.tokens],
        content.tags,
        nodes,
    )


def _settings(node: Node) -> list[tuple[str, str]]:
    return [(setting.name, setting.value) for setting in node.settings.items]


def _files(project: Project) -> Iterator[str]:
    return (resource.file for resource in project.resources.values() if resource.file)
