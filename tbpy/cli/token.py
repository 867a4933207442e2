"""`tbpy token ls | create static | create jwt | scopes | refresh | copy | rm`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tbpy.cli import session
from tbpy.cli.asking import Yes, sure
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.client.managing import TokenInfo

app = group("Tokens: who may do what, on a server.")
create = group("Make a token.")
app.add_typer(create, name="create")

Name = Annotated[str, typer.Argument(help="The token's name or id.")]
ScopeOption = Annotated[
    list[str], typer.Option("--scope", help="What it may do, such as PIPES:READ; one for each --resource.")
]
_TIME = re.compile(r"(\d+)\s*(s|m|h|d)\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# Scopes for the whole workspace; the others are of one resource.
_WIDE = ("ADMIN", "TOKENS", "DATASOURCES:CREATE", "PIPES:CREATE", "WORKSPACE:READ_ALL", "WORKSPACE:DEPLOY")


def print_tokens(tokens: Sequence[TokenInfo]) -> Iterator[Printed]:
    if not tokens:
        yield "No tokens"
        return
    rows = [(each.id, each.name, "\n".join(each.scopes), each.description) for each in tokens]
    yield Table(("id", "name", "scopes", "description"), rows)


@app.command("ls")
@answers(print_tokens)
def ls(
    context: typer.Context,
    match: Annotated[str | None, typer.Option("--match", help="Only names that hold this text.")] = None,
    as_json: AsJson = False,
) -> Sequence[TokenInfo]:
    """List the tokens with their scopes. `--json` has the tokens themselves."""
    with session.open_management(context) as management:
        return [each for each in management.tokens() if match is None or match in each.name]


def print_token(token: TokenInfo) -> Iterator[Printed]:
    yield token.token


@create.command("static")
@answers(print_token)
def static(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the token is called. One of that name gets the scopes instead.")],
    scope: ScopeOption,
    resource: Annotated[
        list[str] | None, typer.Option("--resource", help="The data source or pipe of the scope before it.")
    ] = None,
    as_json: AsJson = False,
) -> TokenInfo:
    """Make a token that holds until it is removed, and print it."""
    scopes = [f"{kind}:{of}" if of else kind for kind, of in paired(scope, resource or ())]
    with session.open_management(context, changes=True) as management:
        return management.create_token(name, scopes)


def paired(scopes: Sequence[str], resources: Sequence[str]) -> list[tuple[str, str]]:
    """Each scope with its resource, in order; `PIPES:READ:top` has it already. Raises `UsageError`."""
    rest = list(resources)
    found = []
    for scope in scopes:
        kind, resource = scope.upper(), ""
        if kind not in _WIDE:
            parts = scope.split(":", 2)
            kind = ":".join(parts[:2]).upper()
            resource = parts[2] if len(parts) > 2 else rest.pop(0) if rest else ""
            if not resource:
                raise UsageError(f"{kind} is of a resource", hint=f"--scope {kind} --resource NAME")
        found.append((kind, resource))
    if rest:
        raise UsageError(f"--resource {rest[0]} has no --scope that it belongs to")
    return found


def print_jwt(token: str) -> Iterator[Printed]:
    yield token


@create.command("jwt")
@answers(print_jwt)
def jwt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the token is called in statistics.")],
    ttl: Annotated[str, typer.Option("--ttl", help="How long it holds: 30s, 15m, 1h, 7d.")],
    scope: ScopeOption,
    resource: Annotated[list[str], typer.Option("--resource", help="The pipe or data source of the scope before it.")],
    fixed_params: Annotated[
        list[str] | None,
        typer.Option("--fixed-params", help="Of a pipe, values that requests cannot change: a=1,b=x, or JSON."),
    ] = None,
    filter: Annotated[  # noqa: A002
        list[str] | None, typer.Option("--filter", help="Of a data source, which rows may be read, in SQL.")
    ] = None,
    as_json: AsJson = False,
) -> str:
    """Make a token for one user of an application, signed with the admin token, and print it."""
    from tbpy.client.managing import JWT_SCOPES

    fixed, filters = list(fixed_params or ()), list(filter or ())
    scopes: list[dict[str, Any]] = []
    for kind, of in paired(scope, resource):
        if kind not in JWT_SCOPES:
            raise UsageError(f"a JWT cannot have {kind}", hint=f"it can have {' and '.join(JWT_SCOPES)}")
        one: dict[str, Any] = {"type": kind, "resource": of}
        if kind == "PIPES:READ" and fixed:
            one["fixed_params"] = fixed_values(fixed.pop(0))
        elif kind == "DATASOURCES:READ" and filters:
            one["filter"] = filters.pop(0)
        scopes.append(one)
    with session.open_management(context) as management:
        return management.create_jwt(name, seconds=seconds(ttl), scopes=scopes)


def seconds(text: str) -> int:
    """`1h` is 3600. Raises `UsageError`."""
    found = _TIME.match(text.strip())
    if found is None:
        raise UsageError(f"--ttl is no time: {text}", hint="write it as 30s, 15m, 1h or 7d")
    return int(found[1]) * _SECONDS[found[2]]


def fixed_values(text: str) -> dict[str, Any]:
    """`a=1,b=x`, or a JSON object. Raises `UsageError`."""
    if text.lstrip().startswith("{"):
        try:
            found: dict[str, Any] = json.loads(text)
            return found
        except ValueError as error:
            raise UsageError(f"--fixed-params is no JSON: {error}") from error
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not all(name and equals for name, equals, _ in pairs):
        raise UsageError(f"--fixed-params cannot be read: {text}", hint="write it as a=1,b=x or as a JSON object")
    return {name.strip(): value for name, _, value in pairs}


def print_scopes(token: TokenInfo) -> Iterator[Printed]:
    yield from token.scopes or ("No scopes",)


@app.command("scopes")
@answers(print_scopes)
def scopes(context: typer.Context, name: Name, as_json: AsJson = False) -> TokenInfo:
    """List what a token may do."""
    with session.open_management(context) as management:
        return management.token(name)


@app.command("copy")
@answers(print_token)
def copy(context: typer.Context, name: Name, as_json: AsJson = False) -> TokenInfo:
    """Print a token itself, for a pipe to the clipboard or a variable."""
    with session.open_management(context) as management:
        return management.token(name)


@app.command("refresh")
@answers(print_token)
def refresh(context: typer.Context, name: Name, yes: Yes = False, as_json: AsJson = False) -> TokenInfo:
    """Give a token another value and print it; the former one is refused from then on."""
    with session.open_management(context, changes=True) as management:
        sure(f"Refresh {name}? Whoever uses it now is refused.", yes)
        return management.refresh_token(name)


def print_removed(token: TokenInfo) -> Iterator[Printed]:
    yield f"✓ Token {token.name} removed"


@app.command("rm")
@answers(print_removed)
def rm(context: typer.Context, name: Name, yes: Yes = False, as_json: AsJson = False) -> TokenInfo:
    """Remove a token."""
    with session.open_management(context, changes=True) as management:
        sure(f"Remove {name}? Whoever uses it is refused.", yes)
        return management.remove_token(name)
