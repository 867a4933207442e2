"""Whether a person means it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tbpy.errors import UsageError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def sure(question: str, yes: bool) -> None:
    """Ask before something is lost. Raises `UsageError` where nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this cannot be taken back, and there is nobody to ask", hint="say so with --yes")
    typer.confirm(question, abort=True, err=True)
