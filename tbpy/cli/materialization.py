"""`tbpy materialization ls`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from tbpy.cli import session
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table

if TYPE_CHECKING:
    from tbpy.workspace import MaterializationInfo

app = group("Materializations: what flows from one data source into another.")


def print_materializations(found: Sequence[MaterializationInfo]) -> Iterator[Printed]:
    if not found:
        yield "No materializations"
        return
    rows = [(m.pipe, m.node, m.source, m.target, m.why_not or "") for m in found]
    yield Table(("pipe", "node", "source", "target", "does not run because"), rows)


@app.command("ls")
@answers(print_materializations)
def ls(context: typer.Context, as_json: AsJson = False) -> Sequence[MaterializationInfo]:
    """List the materialized nodes, with the data source whose rows make each run and the one that it fills."""
    with session.open_workspace(context) as workspace:
        return workspace.materializations()
