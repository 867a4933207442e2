"""`tbpy secret ls | set | rm`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.asking import Yes, sure
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.client.managing import SecretInfo

app = group("Secrets: what `tb_secret` stands for, on a server.")

Name = Annotated[str, typer.Argument(help="The secret.")]


def print_secrets(secrets: Sequence[SecretInfo]) -> Iterator[Printed]:
    if not secrets:
        yield "No secrets"
        return
    rows = [(each.name, each.created_at[:19], each.updated_at[:19]) for each in secrets]
    yield Table(("name", "created", "changed"), rows)


@app.command("ls")
@answers(print_secrets)
def ls(
    context: typer.Context,
    match: Annotated[str | None, typer.Option("--match", help="Only names that hold this text.")] = None,
    as_json: AsJson = False,
) -> Sequence[SecretInfo]:
    """List the names of the secrets. Their values are never told."""
    with session.open_management(context) as management:
        return [each for each in management.secrets() if match is None or match in each.name]


@dataclass(frozen=True, slots=True)
class Changed:
    secret: str
    removed: bool


def print_changed(changed: Changed) -> Iterator[Printed]:
    yield f"✓ Secret {changed.secret} {'removed' if changed.removed else 'set'}"


@app.command("set")
@answers(print_changed)
def set_(
    context: typer.Context,
    name: Name,
    value: Annotated[
        str | None, typer.Argument(help="Its value; without one it is read from standard input, or asked for.")
    ] = None,
    as_json: AsJson = False,
) -> Changed:
    """Set a secret, new or not."""
    text = given(name) if value is None else value
    with session.open_management(context, changes=True) as management:
        management.set_secret(name, text)
    return Changed(name, removed=False)


def given(name: str) -> str:
    """What is typed, unseen, or piped. Raises `UsageError` for nothing."""
    text = typer.prompt(f"Value of {name}", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not text:
        raise UsageError(f"{name} has no value", hint=f"tbpy secret set {name} VALUE")
    return str(text)


@app.command("rm")
@answers(print_changed)
def rm(context: typer.Context, name: Name, yes: Yes = False, as_json: AsJson = False) -> Changed:
    """Remove a secret."""
    with session.open_management(context, changes=True) as management:
        sure(f"Remove the secret {name}?", yes)
        management.remove_secret(name)
    return Changed(name, removed=True)
