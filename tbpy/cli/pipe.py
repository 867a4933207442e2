"""`tbpy pipe ls`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from tbpy.cli import session
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table

if TYPE_CHECKING:
    from tbpy.workspace import PipeInfo

app = group("Pipes: what is asked.")


def print_pipes(pipes: Sequence[PipeInfo]) -> Iterator[Printed]:
    if not pipes:
        yield "No pipes"
        return
    rows = [(pipe.name, pipe.type or "", ", ".join(pipe.nodes), pipe.description or "") for pipe in pipes]
    yield Table(("name", "type", "nodes", "description"), rows)


@app.command("ls")
@answers(print_pipes)
def ls(context: typer.Context, as_json: AsJson = False) -> Sequence[PipeInfo]:
    """List the pipes with their kind and nodes."""
    with session.open_workspace(context) as workspace:
        return workspace.pipes()
