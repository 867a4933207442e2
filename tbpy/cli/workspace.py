"""`tbpy workspace current | ls | create | delete`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.asking import Yes, sure
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table

if TYPE_CHECKING:
    from tbpy.client.managing import WorkspaceInfo

app = group("Workspaces of a server, each with its own data, pipes and tokens.")


def print_workspace(found: WorkspaceInfo) -> Iterator[Printed]:
    yield f"{found.name} ({found.id})"


@app.command("current")
@answers(print_workspace)
def current(context: typer.Context, as_json: AsJson = False) -> WorkspaceInfo:
    """Tell which workspace the token is of."""
    with session.open_management(context) as management:
        return management.workspace()


def print_workspaces(found: Sequence[WorkspaceInfo]) -> Iterator[Printed]:
    rows = [(each.name, each.id, each.role, "yes" if each.current else "") for each in found]
    yield Table(("name", "id", "role", "current"), rows)


@app.command("ls")
@answers(print_workspaces)
def ls(context: typer.Context, as_json: AsJson = False) -> Sequence[WorkspaceInfo]:
    """List the workspaces that the token may see."""
    with session.open_management(context) as management:
        return management.workspaces()


@dataclass(frozen=True, slots=True)
class Made:
    workspace: str
    token: str


def print_made(made: Made) -> Iterator[Printed]:
    yield f"✓ Workspace {made.workspace} created. The token of its administrator:"
    yield made.token


@app.command("create")
@answers(print_made)
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    as_json: AsJson = False,
) -> Made:
    """Make an empty workspace, and print the token of its administrator."""
    with session.open_management(context, changes=True) as management:
        return Made(name, management.create_workspace(name))


def print_deleted(found: WorkspaceInfo) -> Iterator[Printed]:
    yield f"✓ Workspace {found.name} deleted"


@app.command("delete")
@answers(print_deleted)
def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name or id.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> WorkspaceInfo:
    """Delete a workspace with all its data."""
    with session.open_management(context, changes=True) as management:
        sure(f"Delete the workspace {name} with all its data?", yes)
        return management.remove_workspace(name)
