"""What every command shares: its common options, and the way its result or its error reaches the person.

A command is a plain function that returns a value; `answers` prints the value, or the error, and sets the exit code.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Annotated, ParamSpec, TypeVar

import typer

from tbpy.cli import exit_codes, output, trouble
from tbpy.errors import TbpyError

P = ParamSpec("P")
R = TypeVar("R")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]


def group(help_text: str) -> typer.Typer:
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def answers(printer: output.Printer) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a command of a function: print what it returns with `printer`, or as JSON when `as_json` is given."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        # Typer evaluates annotations, and the types of results are imported for type checkers only.
        function.__annotations__.pop("return", None)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            as_json = bool(kwargs.get("as_json"))
            try:
                result = function(*args, **kwargs)
            except TbpyError as error:
                raise typer.Exit(fail(error, as_json=as_json)) from error
            except KeyboardInterrupt as error:
                raise typer.Exit(exit_codes.INTERRUPTED) from error
            output.show(result, printer, as_json=as_json)
            if code := exit_codes.of_result(result):
                raise typer.Exit(code)
            return result

        return run

    return decorate


def fail(error: TbpyError, *, as_json: bool = False) -> int:
    """Report an error, and return its exit code. With TBPY_DEBUG=1 it is raised again, for its traceback."""
    if os.environ.get("TBPY_DEBUG") == "1":
        raise error
    if as_json:
        print(output.json_text(trouble.error_document(error)))
    else:
        trouble.report(error)
    return exit_codes.of_error(error)
