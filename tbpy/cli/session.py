"""What commands work on: the project's files, and its workspace, opened for as long as a command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from tbpy.cli.interrupts import stop_on_interrupt
from tbpy.cli.root import project_root
from tbpy.cli.secrets import read_secrets
from tbpy.cli.targets import find_target
from tbpy.cli.trouble import talk
from tbpy.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from tbpy.client import RemoteWorkspace
    from tbpy.client.cloud import CloudWorkspace
    from tbpy.client.deploying import Deployments
    from tbpy.client.http_api import HttpApi
    from tbpy.client.managing import Management
    from tbpy.client.target import Target
    from tbpy.project import Project
    from tbpy.workspace import Workspace

    AnyWorkspace = Workspace | RemoteWorkspace | CloudWorkspace


def load(context: typer.Context, *, with_secrets: bool = True) -> Project:
    """The project with whatever mistakes its files have. Without secrets, `tb_secret` is left to the server."""
    from tbpy.project import load_project

    root = project_root(context)
    return load_project(root, secrets=read_secrets(root) if with_secrets else None)


def open_workspace(context: typer.Context, *, now: str | None = None, changes: bool = False) -> AnyWorkspace:
    """That of the server which is named, else of a running `tbpy dev` or `tbpy server`, else the one on disk.

    With `changes` the person is told which one it is. While another command has it this one waits, and says so.
    """
    target = find_target(context)
    if changes:
        tell_target(target)
    if target is not None:
        if now is not None:
            raise UsageError("a server has a clock of its own", hint="--now is for the local workspace")
        return open_cloud(target)
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


def open_cloud(target: Target) -> CloudWorkspace:
    from tbpy.client.cloud import CloudWorkspace
    from tbpy.client.http_api import HttpApi

    return CloudWorkspace(HttpApi(target))


@contextmanager
def open_api(context: typer.Context, *, changes: bool = False) -> Iterator[HttpApi]:
    """The HTTP API of the server which is named, else of the one that serves the project on this machine.

    Raises `ConflictError` when nothing serves it: what is asked for is of a server.
    """
    from tbpy.client.http_api import HttpApi

    target = find_target(context) or serving(context)
    if changes:
        tell_target(target)
    api = HttpApi(target)
    try:
        yield api
    finally:
        api.close()


@contextmanager
def open_management(context: typer.Context, *, changes: bool = False) -> Iterator[Management]:
    from tbpy.client.managing import Management

    with open_api(context, changes=changes) as api:
        yield Management(api)


@contextmanager
def open_deployments(context: typer.Context, *, changes: bool = False) -> Iterator[Deployments]:
    from tbpy.client.deploying import Deployments

    with open_api(context, changes=changes) as api:
        yield Deployments(api)


def serving(context: typer.Context) -> Target:
    """The process on this machine that serves the project."""
    from tbpy import client

    root = project_root(context)
    target = client.find_server(root)
    if target is None:
        hint = "start `tbpy dev` in another terminal, or name a server: --cloud, --profile NAME, --host URL"
        raise ConflictError(f"nothing serves {root.name}", hint=hint)
    return target


def tell_target(target: Target | None) -> None:
    talk(f"→ {target or 'local workspace'}")


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
