"""`tbpy deployment ls | create | promote | discard | rollback`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.asking import Yes, sure
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.deploy import (
    CheckOption,
    Deployed,
    DestructiveOption,
    MarkdownOption,
    print_deployed,
    send,
)
from tbpy.cli.deployed import verdict
from tbpy.cli.output import Printed, Table

if TYPE_CHECKING:
    from tbpy.client.deploying import Deployment

app = group("Deployments: what a server answers with, and what is to come.")

STATES = {"data_ready": "staging", "deleting": "deleting", "deleted": "deleted", "failed": "failed"}


def print_deployments(found: Sequence[Deployment]) -> Iterator[Printed]:
    if not found:
        yield "No deployments"
        return
    yield Table(("id", "status", "created"), [(each.id, state(each), each.created_at[:19]) for each in found])


def state(deployment: Deployment) -> str:
    if deployment.live:
        return "live"
    return STATES.get(deployment.status, f"creating: {deployment.status.replace('_', ' ')}")


@app.command("ls")
@answers(print_deployments)
def ls(
    context: typer.Context,
    include_deleted: Annotated[bool, typer.Option("--include-deleted", help="Also those that are gone.")] = False,
    as_json: AsJson = False,
) -> Sequence[Deployment]:
    """List the deployments, the newest first."""
    with session.open_deployments(context) as deployments:
        return sorted(deployments.all(deleted=include_deleted), key=number, reverse=True)


def number(deployment: Deployment) -> int:
    return int(deployment.id) if deployment.id.isdigit() else 0


@app.command("create")
@answers(print_deployed)
def create(
    context: typer.Context,
    check: CheckOption = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the deployment is ready.")] = False,
    auto: Annotated[bool, typer.Option("--auto/--no-auto", help="Make it live when it is ready.")] = False,
    allow_destructive_operations: DestructiveOption = False,
    as_markdown: MarkdownOption = False,
    as_json: AsJson = False,
) -> Deployed:
    """Make a staging deployment of the project; `promote` makes it live."""
    return send(
        context,
        check=check,
        wait=wait,
        promote=auto,
        destructive=allow_destructive_operations,
        as_markdown=as_markdown,
    )


def print_promoted(deployment: Deployment) -> Iterator[Printed]:
    yield verdict(deployment, checked=False)


@app.command("promote")
@answers(print_promoted)
def promote(context: typer.Context, as_json: AsJson = False) -> Deployment:
    """Make the staging deployment the live one."""
    with session.open_deployments(context, changes=True) as deployments:
        return deployments.promote()


def print_discarded(deployment: Deployment) -> Iterator[Printed]:
    yield f"✓ Deployment {deployment.id} is discarded"


@app.command("discard")
@answers(print_discarded)
def discard(context: typer.Context, as_json: AsJson = False) -> Deployment:
    """Remove the staging deployment; the live one stays."""
    with session.open_deployments(context, changes=True) as deployments:
        return deployments.discard()


@app.command("rollback")
@answers(print_promoted)
def rollback(
    context: typer.Context,
    identifier: Annotated[str | None, typer.Argument(help="A former deployment; else the one before the live.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> Deployment:
    """Make a former deployment live again; rows that were written since stay."""
    with session.open_deployments(context, changes=True) as deployments:
        sure(f"Go back to {f'deployment {identifier}' if identifier else 'the deployment before the live one'}?", yes)
        return deployments.roll_back(identifier)
