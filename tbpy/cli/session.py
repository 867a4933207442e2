"""What commands work on: the project's files, and its workspace, opened for as long as a command runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from tbpy.cli.interrupts import stop_on_interrupt
from tbpy.cli.root import project_root
from tbpy.cli.secrets import read_secrets
from tbpy.cli.trouble import talk
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.client import RemoteWorkspace
    from tbpy.project import Project
    from tbpy.workspace import Workspace


def load(context: typer.Context) -> Project:
    """The project with whatever mistakes its files have."""
    from tbpy.project import load_project

    root = project_root(context)
    return load_project(root, secrets=read_secrets(root))


def open_workspace(context: typer.Context, *, now: str | None = None) -> Workspace | RemoteWorkspace:
    """The workspace of a running `tbpy dev` or `tbpy server`, else the one on disk.

    While another command has it this one waits, and says so.
    """
    from tbpy import client

    root, moment = project_root(context), frozen(now)
    stop_on_interrupt()

    def open_here(*, timeout: float) -> Workspace:
        from tbpy.workspace import Workspace

        secrets = read_secrets(root)
        if moment is None:
            return Workspace.open(root, secrets=secrets, timeout=timeout)
        return Workspace.open(root, secrets=secrets, timeout=timeout, clock=lambda: moment)

    return client.open_workspace(root, open_here, now=moment, on_wait=tell_waiting)


def scratch_workspace(context: typer.Context, *, now: str | None = None) -> Workspace:
    """A workspace in memory, for tests: it is gone when it is closed."""
    from tbpy.workspace import Workspace

    root, moment = project_root(context), frozen(now)
    stop_on_interrupt()
    if moment is None:
        return Workspace.in_memory(root, secrets=read_secrets(root))
    return Workspace.in_memory(root, secrets=read_secrets(root), clock=lambda: moment)


def frozen(now: str | None) -> datetime | None:
    """The time that `--now` gives; one without a time zone is UTC. Raises `UsageError`."""
    if now is None:
        return None
    try:
        moment = datetime.fromisoformat(now)
    except ValueError as error:
        hint = 'write it as "2025-07-17 00:00:00"'
        raise UsageError(f"--now is no time: {now}", hint=hint) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def tell_waiting(process: int | None) -> None:
    """Say whom a command waits for."""
    who = f"process {process}" if process is not None else "another process"
    talk(f"Waiting for {who}, which is using the workspace ...")
