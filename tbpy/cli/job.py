"""`tbpy job ls | details | cancel`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table, json_text

if TYPE_CHECKING:
    from tbpy.client.managing import ServerJob

app = group("Jobs: imports, copies and other work of a server.")

Id = Annotated[str, typer.Argument(help="The job's id.")]


def print_jobs(jobs: Sequence[ServerJob]) -> Iterator[Printed]:
    if not jobs:
        yield "No jobs"
        return
    rows = [(each.id, each.kind, each.status, each.created_at[:19], each.updated_at[:19]) for each in jobs]
    yield Table(("id", "kind", "status", "created", "changed"), rows)


@app.command("ls")
@answers(print_jobs)
def ls(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", "-s", help="waiting, working, done, error or cancelled.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", "-k", help="import, copy, populateview, delete_data, ...")
    ] = None,
    as_json: AsJson = False,
) -> Sequence[ServerJob]:
    """List the last jobs, the newest first."""
    with session.open_management(context) as management:
        return management.jobs(status=status, kind=kind)


def print_job(job: ServerJob) -> Iterator[Printed]:
    rows = [(name, value if isinstance(value, str) else json_text(value)) for name, value in job.facts.items()]
    yield Table(("key", "value"), rows)


@app.command("details")
@answers(print_job)
def details(context: typer.Context, identifier: Id, as_json: AsJson = False) -> ServerJob:
    """Show all that is known of a job."""
    with session.open_management(context) as management:
        return management.job(identifier)


def print_cancelled(job: ServerJob) -> Iterator[Printed]:
    yield f"✓ Job {job.id} is {job.status}"


@app.command("cancel")
@answers(print_cancelled)
def cancel(context: typer.Context, identifier: Id, as_json: AsJson = False) -> ServerJob:
    """Cancel a job that has not ended."""
    with session.open_management(context, changes=True) as management:
        return management.cancel_job(identifier)
