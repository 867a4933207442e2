"""`tbpy append`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.appended import print_appended
from tbpy.cli.command import AsJson, answers
from tbpy.cli.inferring import build_missing, suggested
from tbpy.cli.inputs import Input, choose_inputs
from tbpy.cli.progress import shown_progress
from tbpy.cli.root import project_root
from tbpy.cli.targets import find_target

if TYPE_CHECKING:
    from tbpy.cli.session import AnyWorkspace
    from tbpy.workspace import AppendReport


@answers(print_appended)
def append(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[NAME] FILE...", help="Files, quoted patterns, URLs, or - for standard input."),
    ],
    format: Annotated[
        str | None, typer.Option("--format", "-f", help="ndjson, csv or parquet, when the name does not tell.")
    ] = None,
    infer: Annotated[
        bool, typer.Option("--infer", help="Write a .datasource for a file whose data source is unknown.")
    ] = False,
    as_json: AsJson = False,
) -> Sequence[AppendReport]:
    """Store rows; those that do not fit go to quarantine."""
    with session.open_workspace(context, changes=True) as workspace:
        inputs = choose_inputs(words, workspace.datasource_names(), piped=not sys.stdin.isatty())
        if infer:
            build_missing(workspace, project_root(context), inputs, format)
        with nullcontext() if find_target(context) else suggested():
            return [append_input(workspace, item, format) for item in inputs]


def append_input(workspace: AnyWorkspace, item: Input, kind: str | None) -> AppendReport:
    with shown_progress(item.source) as progress:
        return workspace.append(item.datasource, item.source, kind, progress=progress)
