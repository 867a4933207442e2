"""The command `tbpy`: its groups, in the order of a person's work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import tbpy
from tbpy.cli import (
    copy,
    data,
    datasource,
    dev,
    endpoint,
    exit_codes,
    logs,
    materialization,
    pipe,
    project,
    query,
    server,
    test,
    trouble,
)
from tbpy.cli.command import fail
from tbpy.errors import TbpyError, no_room

# Rich is for results: help in plain text starts in half the time.
app = typer.Typer(
    name="tbpy",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tbpy {tbpy.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    project_folder: Annotated[
        Path | None,
        typer.Option("--project", "-C", metavar="FOLDER", help="The project's folder; else the nearest one upward."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Develop, test and query Tinybird projects on DuckDB."""
    context.obj = project_folder


project.register(app)
data.register(app)
query.register(app)
dev.register(app)
server.register(app)
logs.register(app, endpoint.app)
app.add_typer(datasource.app, name="datasource")
app.add_typer(pipe.app, name="pipe")
app.add_typer(endpoint.app, name="endpoint")
app.add_typer(materialization.app, name="materialization")
app.add_typer(copy.app, name="copy")
app.add_typer(test.app, name="test")


def main() -> None:
    """Run the command line. A mistake that is nobody's but tbpy's own is told without a traceback, too."""
    try:
        app()
    except TbpyError as error:
        sys.exit(fail(error))
    except Exception as error:
        if full := no_room(error):
            sys.exit(fail(full))
        sys.exit(exit_codes.INTERRUPTED if _is_interrupt(error) else _bug(error))


def _is_interrupt(error: Exception) -> bool:
    """DuckDB's client turns Ctrl-C during a query into this."""
    return isinstance(error, RuntimeError) and str(error) == "Query interrupted"


def _bug(error: Exception) -> int:
    import os

    if os.environ.get("TBPY_DEBUG") == "1":
        raise error
    trouble.talk(f"{trouble.paint('error:', trouble.RED, trouble.BOLD)} {type(error).__name__}: {error}")
    trouble.talk("  This is a mistake in tbpy. TBPY_DEBUG=1 shows where; please report it with that text.")
    return exit_codes.BUG


if __name__ == "__main__":
    main()
