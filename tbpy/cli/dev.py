"""`tbpy dev`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tbpy.cli.command import answers
from tbpy.cli.extras import require_server
from tbpy.cli.output import Printed
from tbpy.cli.project import print_built
from tbpy.cli.root import project_root
from tbpy.cli.secrets import read_secrets
from tbpy.cli.session import tell_waiting
from tbpy.cli.trouble import counted, report, talk

if TYPE_CHECKING:
    from tbpy.dev import Development, Rebuilt


def print_nothing(_: None) -> Iterator[Printed]:
    yield from ()


@answers(print_nothing)
def dev(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", help="The port; else the first free one from 7181 on.")] = None,
) -> None:
    """Build, serve the API, and rebuild what changes. Type SQL or commands. Ctrl-C ends it."""
    require_server()
    from tbpy.dev import Development

    root = project_root(context)
    signal.signal(signal.SIGTERM, interrupt)
    development = Development(root, host=host, port=port, read_secrets=lambda: read_secrets(root), on_wait=tell_waiting)
    try:
        with development:
            run(development)
    except KeyboardInterrupt:
        talk("Stopped")


def run(development: Development) -> None:
    first = development.start()
    if first.error is not None:
        report(first.error)
        talk("The project has mistakes; what was built before answers until they are mended.")
    elif first.report:
        print_report(first)
    talk(f"Serving {development.root.name} at {development.url}")
    tell_state(development)
    talk("Watching for changes. Ctrl-C ends.")
    with typing(development):
        for rebuilt in development.changes():
            tell(development, rebuilt)


def typing(development: Development) -> AbstractContextManager[None]:
    """A prompt, in a terminal."""
    if not sys.stdin.isatty():
        return nullcontext()
    from tbpy.cli.prompt import prompting

    return prompting(development)


def tell(development: Development, rebuilt: Rebuilt) -> None:
    """What came of a change: the mistakes, or what was rebuilt and how everything stands now."""
    talk(f"\n{', '.join(rebuilt.files)} changed")
    if rebuilt.error is not None:
        report(rebuilt.error)
        talk("The last good build goes on answering.")
        return
    print_report(rebuilt)
    tell_state(development)


def print_report(rebuilt: Rebuilt) -> None:
    assert rebuilt.report is not None
    lines = [str(line) for line in print_built(rebuilt.report)]
    for line in lines[:-1]:
        talk(line)
    what = "Built" if rebuilt.report else "Nothing to rebuild"
    talk(f"✓ {what} in {rebuilt.elapsed * 1000:.0f} ms")


def tell_state(development: Development) -> None:
    for datasource in development.workspace.datasources():
        quarantined = f", {counted(datasource.quarantined, 'row')} in quarantine" if datasource.quarantined else ""
        talk(f"  {datasource.name}: {counted(datasource.rows, 'row')}{quarantined}")
    for endpoint in development.workspace.endpoints():
        talk(f"  {endpoint.name}: {development.address(endpoint)}")


def interrupt(_: int, __: FrameType | None) -> NoReturn:
    """What asks a service to stop ends it as Ctrl-C does."""
    raise KeyboardInterrupt
