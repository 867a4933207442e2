"""`tbpy server`: the API as a service of its own, and backups of its data."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.extras import require_server
from tbpy.cli.output import Printed
from tbpy.cli.project import print_built
from tbpy.cli.root import project_root
from tbpy.cli.secrets import read_secrets
from tbpy.cli.session import tell_waiting
from tbpy.cli.trouble import talk
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.api.service import Service
    from tbpy.workspace import Workspace

ADMIN_VARIABLE = "TBPY_ADMIN_TOKEN"
LEAST_LENGTH = 16

app = group("Serve the API for others; back up and restore its data.")

_SIZE = re.compile(r"[0-9]+(\.[0-9]+)? ?([KMGT]i?)?B", re.IGNORECASE)
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="The folder of the data; else the project's own.")
]


def print_nothing(_: None) -> Iterator[Printed]:
    yield from ()


@app.callback(invoke_without_command=True, no_args_is_help=False)
@answers(print_nothing)
def server(
    context: typer.Context,
    data: DataOption = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port.")] = 7181,
    tls_certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="A certificate with its chain, for https.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key.")] = None,
    memory_limit: Annotated[
        str | None,
        typer.Option("--memory-limit", metavar="SIZE", help="For queries and writes: 4GB. Else most of the machine's."),
    ] = None,
) -> None:
    """Serve the API for others.

    The admin token is that of the variable TBPY_ADMIN_TOKEN; without one, it is made and shown once.
    """
    if context.invoked_subcommand is not None:
        return
    require_server()
    from tbpy.api.service import open_service
    from tbpy.workspace import Workspace

    if memory_limit is not None and not _SIZE.fullmatch(memory_limit):
        raise UsageError(f"--memory-limit {memory_limit} is no size", hint="for example: 4GB")
    root, token, tls = project_root(context), admin_token(), tls_files(tls_certificate, tls_key)
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    folder = data_folder(root, data)
    with Workspace.open(
        folder, secrets=read_secrets(root), on_wait=tell_waiting, memory_limit=memory_limit
    ) as workspace:
        service = open_service(
            workspace, local=False, admin_token=token, file_secrets=lambda: read_secrets(root), files=root
        )
        try:
            serve(service, root.name, host, port, tls, stop)
        finally:
            service.close()
    talk("Stopped")


def serve(service: Service, name: str, host: str, port: int, tls: tuple[Path, Path] | None, stop: Event) -> None:
    """Until `stop` is set. What was asked by then is answered."""
    from tbpy.api.access_log import AccessLog
    from tbpy.api.app import Api
    from tbpy.api.serving import Listener, listen, reachable
    from tbpy.project import find_datafiles

    with ExitStack() as closing:
        access_log = AccessLog(sys.stderr)
        closing.callback(access_log.close)
        api = Api(service, access_log)
        listener = Listener(api, listen(host, port), tls)
        for line in print_built(service.build()):
            talk(str(line))
        listener.start()
        closing.callback(listener.stop)
        if service.tokens.made_admin:
            talk(f"The admin token, which is not shown again: {service.tokens.admin_token}")
        if tls is None:
            service.announce(f"http://{reachable(host)}:{listener.port}")
        else:  # commands of this machine need no certificate, which is for a name that they may not know
            inside = Listener(api, listen("127.0.0.1", 0))
            inside.start()
            closing.callback(inside.stop)
            service.announce(f"http://127.0.0.1:{inside.port}")
        if service.folder != service.own_folder and find_datafiles(service.own_folder):
            told = f"Deployment {service.workspace.live.id} is live, and not the files of {service.own_folder}"
            talk(f"{told}: they are served when they are deployed")
        talk(f"Serving {name} at {'https' if tls else 'http'}://{host}:{listener.port}")
        stop.wait()


def admin_token() -> str | None:
    """None where there is none. Raises `UsageError` for one that can be guessed."""
    token = os.environ.get(ADMIN_VARIABLE, "")
    if not token:
        return None
    if len(token) < LEAST_LENGTH:
        hint = f"for example: {ADMIN_VARIABLE}=$(openssl rand -hex 32) tbpy server"
        raise UsageError(f"{ADMIN_VARIABLE} must have a token of at least {LEAST_LENGTH} characters", hint=hint)
    return token


def tls_files(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-cert and --tls-key are given together")
    return certificate, key


def data_folder(root: Path, data: Path | None) -> Path:
    folder = (data or root).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True, slots=True)
class BackedUp:
    """`bytes` is the size of the file."""

    file: Path
    bytes: int


def print_backed_up(found: BackedUp) -> Iterator[Printed]:
    from tbpy.cli.datasource import size

    yield f"✓ {found.file} has the data, {size(found.bytes)}"


@app.command("backup")
@answers(print_backed_up)
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write, a tar archive; it must not exist.")],
    data: DataOption = None,
    as_json: AsJson = False,
) -> BackedUp:
    """Write the data, tokens and secrets of all workspaces to a file, while the server serves or without one."""
    from tbpy import client
    from tbpy.workspace.backups import write_backup

    folder = folder_of(context, data)
    remote = client.connect(folder)
    if remote is not None:
        with remote:
            remote.backup(file)
    else:
        with ExitStack() as opened:
            write_backup(file, open_all(folder, opened))
    return BackedUp(file, file.stat().st_size)


def open_all(folder: Path, opened: ExitStack) -> dict[str, Workspace]:
    """The workspace of a folder and those apart that are kept below it, by place."""
    from tbpy.workspace import Workspace

    apart = sorted(path.parent for path in folder.glob(".tbpy/workspaces/*/.tbpy"))
    return {
        "" if root == folder else root.relative_to(folder).as_posix(): opened.enter_context(
            Workspace.open(root, on_wait=tell_waiting)
        )
        for root in (folder, *apart)
    }


@dataclass(frozen=True, slots=True)
class Restored:
    folder: Path


def print_restored(found: Restored) -> Iterator[Printed]:
    yield f"✓ {found.folder} has the data of the backup; serve it with tbpy server --data {found.folder}"


@app.command("restore")
@answers(print_restored)
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file of a backup.")],
    data: DataOption = None,
    as_json: AsJson = False,
) -> Restored:
    """Put a backup into a folder that has no workspace yet."""
    from tbpy.workspace.backups import restore_backup

    folder = folder_of(context, data)
    restore_backup(file, folder)
    return Restored(folder)


def folder_of(context: typer.Context, data: Path | None) -> Path:
    """The folder of the data; `--data` may stand before the command, too."""
    before: Path | None = context.parent.params.get("data") if context.parent else None
    found = data or before
    return found.absolute() if found is not None else project_root(context)
