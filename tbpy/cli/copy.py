"""`tbpy copy ls | run | pause | resume`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table
from tbpy.cli.parameters import parse_parameters
from tbpy.cli.trouble import counted, talk

if TYPE_CHECKING:
    from tbpy.workspace import CopyInfo, CopyReport, JobInfo

app = group("Copy pipes: answers that are written to a data source.")

Name = Annotated[str, typer.Argument(help="The copy pipe.")]


def print_copies(copies: Sequence[CopyInfo]) -> Iterator[Printed]:
    if not copies:
        yield "No copy pipes"
        return
    rows = [(c.name, c.target, c.mode, c.schedule, _next(c), _last(c.last)) for c in copies]
    yield Table(("name", "target", "mode", "schedule", "next run", "last run"), rows)


def _next(copy: CopyInfo) -> str:
    if copy.paused:
        return "paused"
    return ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in copy.next_runs)


def _last(job: JobInfo | None) -> str:
    if job is None:
        return ""
    result = counted(job.rows, "row") if job.rows is not None else job.error or ""
    return f"{job.created_at:%Y-%m-%d %H:%M:%S} {job.status} {result}".rstrip()


@app.command("ls")
@answers(print_copies)
def ls(context: typer.Context, as_json: AsJson = False) -> Sequence[CopyInfo]:
    """List the copy pipes with their schedules, next runs (UTC) and last result."""
    with session.open_workspace(context) as workspace:
        return workspace.copies()


def print_copied(report: CopyReport) -> Iterator[Printed]:
    verb = "replaced the rows of" if report.mode == "replace" else "copied to"
    yield f"✓ {counted(report.rows, 'row')} {verb} {report.datasource} in {report.elapsed:.1f}s"
    if report.warning:
        talk(f"△ {report.warning}")


@app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@answers(print_copied)
def run(
    context: typer.Context,
    name: Name,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the query.")
    ] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="append or replace; else that of the pipe.")] = None,
    as_json: AsJson = False,
) -> CopyReport:
    """Run a copy pipe now. Other options are its parameters: --name value."""
    parameters = parse_parameters(context.args, param or ())
    with session.open_workspace(context, changes=True) as workspace:
        return workspace.copy(name, parameters, mode=mode)


@dataclass(frozen=True, slots=True)
class Paused:
    copy: str
    paused: bool


def print_paused(result: Paused) -> Iterator[Printed]:
    yield f"✓ {result.copy} is {'paused' if result.paused else 'scheduled again'}"


@app.command("pause")
@answers(print_paused)
def pause(context: typer.Context, name: Name, as_json: AsJson = False) -> Paused:
    """Stop the schedule of a copy pipe."""
    return _set_paused(context, name, True)


@app.command("resume")
@answers(print_paused)
def resume(context: typer.Context, name: Name, as_json: AsJson = False) -> Paused:
    """Let the schedule of a copy pipe go on."""
    return _set_paused(context, name, False)


def _set_paused(context: typer.Context, name: str, paused: bool) -> Paused:
    with session.open_workspace(context, changes=True) as workspace:
        workspace.pause_copy(name, paused)
    return Paused(name, paused)
