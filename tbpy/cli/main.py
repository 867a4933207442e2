"""The command `tbpy`: the options before every command, and what becomes of errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import tbpy
from tbpy.cli import exit_codes, targets, trouble
from tbpy.cli.command import fail
from tbpy.cli.commands import Commands
from tbpy.errors import TbpyError, no_room

# Rich is for results: help in plain text starts in half the time.
app = typer.Typer(
    name="tbpy",
    cls=Commands,
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
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Work on a server: TB_HOST and TB_TOKEN, or the profile in use.")
    ] = False,
    local: Annotated[bool, typer.Option("--local", help="Work on the local workspace, as without a target.")] = False,
    named: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Work on the server of a profile.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="URL", help="Work on this server.")] = None,
    key: Annotated[str | None, typer.Option("--token", help="The token for the server.")] = None,
    staging: Annotated[
        bool, typer.Option("--staging", help="Of the server, the deployment that is not live yet.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Develop, test, serve and ship Tinybird projects on DuckDB.

    The options that name a server may also stand after the command.
    """
    context.obj = targets.Chosen(project_folder, cloud, local, named, host, key, staging)


def main() -> None:
    """Run the command line. A mistake that is nobody's but tbpy's own is told without a traceback, too."""
    try:
        app(targets.to_front(sys.argv[1:]))
    except TbpyError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
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
    trouble.report_bug(error)
    return exit_codes.BUG


if __name__ == "__main__":
    main()
