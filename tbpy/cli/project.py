"""`tbpy init | build | check | fmt | info`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session, template
from tbpy.cli.command import AsJson, answers
from tbpy.cli.formatting import Formatted, chosen_files, format_files
from tbpy.cli.output import Printed
from tbpy.cli.root import project_root
from tbpy.cli.trouble import counted, report_diagnostics, summary
from tbpy.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from tbpy.workspace import BuildReport


def register(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(build)
    app.command()(check)
    app.command()(fmt)
    app.command()(info)


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
    as_json: AsJson = False,
) -> template.Created:
    """Start a project from the customer lifetime value example."""
    return template.create_project(name, empty=empty)


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
    """Check all datafiles and report every mistake, without touching the workspace."""
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
