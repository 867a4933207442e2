"""`tbpy server`: the API as a service of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from tbpy.cli.command import answers
from tbpy.cli.extras import require_server
from tbpy.cli.output import Printed
from tbpy.cli.project import print_built
from tbpy.cli.root import project_root
from tbpy.cli.secrets import read_secrets
from tbpy.cli.session import tell_waiting
from tbpy.cli.trouble import talk
from tbpy.errors import UsageError

ADMIN_VARIABLE = "TBPY_ADMIN_TOKEN"
LEAST_LENGTH = 16


def print_nothing(_: None) -> Iterator[Printed]:
    yield from ()


@answers(print_nothing)
def server(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="The folder of the data; else the project's own.")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port.")] = 7181,
) -> None:
    """Serve the API for others. The admin token is that of the variable TBPY_ADMIN_TOKEN."""
    require_server()
    from tbpy.api.access_log import AccessLog
    from tbpy.api.app import Api
    from tbpy.api.service import open_service
    from tbpy.api.serving import Listener, listen, reachable
    from tbpy.workspace import Workspace

    root, token = project_root(context), admin_token()
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    folder = (data or root).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with Workspace.open(folder, secrets=read_secrets(root), on_wait=tell_waiting) as workspace:
        service = open_service(
            workspace, local=False, admin_token=token, file_secrets=lambda: read_secrets(root), files=root
        )
        access_log = AccessLog(sys.stderr)
        try:
            listener = Listener(Api(service, access_log), listen(host, port))
            for line in print_built(service.build()):
                talk(str(line))
            listener.start()
            service.announce(f"http://{reachable(host)}:{listener.port}")
            talk(f"Serving {root.name} at http://{host}:{listener.port}")
            stop.wait()
            listener.stop()
        finally:
            service.close()
            access_log.close()
    talk("Stopped")


def admin_token() -> str:
    """Raises `UsageError` without a token, or for one that can be guessed."""
    token = os.environ.get(ADMIN_VARIABLE, "")
    if len(token) < LEAST_LENGTH:
        hint = f"for example: {ADMIN_VARIABLE}=$(openssl rand -hex 32) tbpy server"
        raise UsageError(f"{ADMIN_VARIABLE} must have a token of at least {LEAST_LENGTH} characters", hint=hint)
    return token
