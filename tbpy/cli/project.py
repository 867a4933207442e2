"""`tbpy init | build | check | fmt | info`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import tbpy
from tbpy.cli import session, template
from tbpy.cli.appended import print_quarantined
from tbpy.cli.command import AsJson, answers
from tbpy.cli.formatting import Formatted, chosen_files, format_files
from tbpy.cli.output import Printed
from tbpy.cli.root import project_root
from tbpy.cli.trouble import counted, report_diagnostics, summary
from tbpy.cli.unchanged import Stamp
from tbpy.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from tbpy.workspace import AppendReport, BuildReport


def print_created(created: template.Created) -> Iterator[Printed]:
    yield f"Created {created.project.name} with {counted(len(created.files), 'file')}. Next:"
    yield f"  cd {relative(created.project)}"
    yield "  tbpy build"


def relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@answers(print_created)
def init(
    name: Annotated[Path, typer.Argument(help="The folder to make; it must not exist or be empty.")],
    empty: Annotated[bool, typer.Option("--empty", help="Only the folders, without the example.")] = False,
    cicd: Annotated[
        str, typer.Option("--cicd", metavar="SERVICE", help="Whose workflows to write: all, github, gitlab or none.")
    ] = "all",
    as_json: AsJson = False,
) -> template.Created:
    """Start a project from a worked example."""
    return template.create_project(name, empty=empty, cicd=cicd)


SIGNS = {"added": "created", "changed": "changed", "removed": "deleted"}


def print_built(report: BuildReport) -> Iterator[Printed]:
    report_diagnostics(report.warnings)
    for kind, told in SIGNS.items():
        yield from (f"✓ {name.replace(':', ' ')} {told}" for name in getattr(report, kind))
    for moved in report.migrated:
        yield f"✓ {moved.datasource}: {counted(moved.kept, 'row')} kept under the new schema"
        if moved.quarantined:
            yield f"△ {moved.datasource}: {counted(moved.quarantined, 'row')} did not fit and went to quarantine"
    yield from (f"△ {name}: {counted(rows, 'row')} deleted with it" for name, rows in report.dropped_rows.items())
    for fixture in report.fixtures:
        yield from print_loaded(fixture)
    yield from (f"✓ {name} populated" for name in report.populated)
    took = f"in {report.elapsed:.1f}s"
    yield f"✓ Build completed {took}" if report else f"No changes. Build skipped {took}"


def print_loaded(fixture: AppendReport) -> Iterator[Printed]:
    yield f"✓ {counted(fixture.rows, 'row')} of the fixture in {fixture.datasource}"
    yield from print_quarantined(fixture)


@answers(print_built)
def build(context: typer.Context, as_json: AsJson = False) -> BuildReport:
    """Check everything and make the local workspace."""
    from tbpy.workspace import BuildReport

    stamp = Stamp(project_root(context))
    if stamp.holds():
        return BuildReport()
    with session.open_workspace(context, changes=True) as workspace:
        stamp.take_off()
        report = workspace.build()
        if not report.warnings:  # they are told at every build
            stamp.put_on()
        return report


@dataclass(frozen=True, slots=True)
class Checked:
    """The mistakes and warnings of a project's files, and how many resources were read."""

    resources: int
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


def print_checked(checked: Checked) -> Iterator[Printed]:
    report_diagnostics(checked.diagnostics)
    found = summary(checked.diagnostics) or "no mistakes"
    yield f"{'✗' if checked.failed else '✓'} {counted(checked.resources, 'resource')} checked: {found}"


@answers(print_checked)
def check(context: typer.Context, as_json: AsJson = False) -> Checked:
    """Check all datafiles and report every mistake."""
    project = session.load(context)
    resources = len(project.datasources) + len(project.pipes) + len(project.connections)
    return Checked(resources, tuple(project.diagnostics))


def print_formatted(formatted: Formatted) -> Iterator[Printed]:
    report_diagnostics(formatted.diagnostics)
    changed = [file for file in formatted.files if file.changed]
    for file in changed:
        if not formatted.wrote:
            yield file.diff.rstrip("\n")
    told = "formatted" if formatted.wrote else "would change"
    yield f"{counted(len(changed), 'file')} {told}, {len(formatted.files) - len(changed)} unchanged"


@answers(print_formatted)
def fmt(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(help="Files or folders; else the whole project.")] = None,
    diff: Annotated[
        bool, typer.Option("--diff", "--check", help="Write nothing; show what would change, and exit with 1 if any.")
    ] = False,
    as_json: AsJson = False,
) -> Formatted:
    """Lay datafiles out in the one common style."""
    named = chosen_files(None if files else project_root(context), files or [])
    return format_files(named, write=not diff)


@dataclass(frozen=True, slots=True)
class Info:
    """The project, and what is built of it. `rows` and `quarantined` are of all data sources together."""

    project: Path
    datasources: int
    pipes: int
    endpoints: int
    connections: int
    mistakes: int
    built: int
    rows: int
    quarantined: int
    tbpy: str
    python: str
    duckdb: str


def print_info(info: Info) -> Iterator[Printed]:
    state = f"{info.built} of {counted(info.datasources, 'data source')} built, {counted(info.rows, 'row')}"
    yield f"project      {info.project}"
    yield f"resources    {info.datasources} data sources, {info.pipes} pipes, {info.endpoints} of them endpoints"
    yield f"mistakes     {info.mistakes or 'none'}{', see tbpy check' if info.mistakes else ''}"
    yield f"workspace    {state}, {counted(info.quarantined, 'row')} in quarantine"
    yield f"versions     tbpy {info.tbpy}, Python {info.python}, DuckDB {info.duckdb}"


@answers(print_info)
def info(context: typer.Context, as_json: AsJson = False) -> Info:
    """Tell what is in the project and what is built."""
    import platform
    from importlib.metadata import version

    project = session.load(context)
    with session.open_workspace(context) as workspace:
        stored = workspace.datasources()
    return Info(
        project=project.root,
        datasources=len(project.datasources),
        pipes=len(project.pipes),
        endpoints=sum(pipe.type == "endpoint" for pipe in project.pipes.values()),
        connections=len(project.connections),
        mistakes=len(project.errors),
        built=len(stored),
        rows=sum(datasource.rows for datasource in stored),
        quarantined=sum(datasource.quarantined for datasource in stored),
        tbpy=tbpy.__version__,
        python=platform.python_version(),
        duckdb=version("duckdb"),
    )
