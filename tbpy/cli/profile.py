"""`tbpy login`, `tbpy logout` and `tbpy profile ls | add | rm | use`: the servers that a person works with."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed, Table
from tbpy.cli.targets import TINYBIRD, profiles_file
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.client.target import Target

app = group("Profiles: servers and their tokens, by name.")

DEFAULT = "default"
Name = Annotated[str, typer.Argument(help="The profile.")]
HostOption = Annotated[str, typer.Option("--host", metavar="URL", help="The server.")]
TokenOption = Annotated[
    str | None, typer.Option("--token", help="Its token; without one it is read from standard input, or asked for.")
]


@dataclass(frozen=True, slots=True)
class Known:
    """A profile as it is shown: without its token. `workspace` is only known when the server was asked."""

    profile: str
    host: str
    in_use: bool
    workspace: str | None = None


def print_known(known: Known) -> Iterator[Printed]:
    of = f", workspace {known.workspace}" if known.workspace else ""
    yield f"✓ {known.profile}: {known.host}{of}{' (in use)' if known.in_use else ''}"


@answers(print_known)
def login(
    host: HostOption = TINYBIRD,
    token: TokenOption = None,
    name: Annotated[str, typer.Option("--profile", metavar="NAME", help="Which profile to keep it in.")] = DEFAULT,
    as_json: AsJson = False,
) -> Known:
    """Try a token on a server, keep both as a profile, and use it for --cloud."""
    return added(name, host, token, use=True)


@app.command("add")
@answers(print_known)
def add(name: Name, host: HostOption = TINYBIRD, token: TokenOption = None, as_json: AsJson = False) -> Known:
    """Try a token on a server, and keep both under a name."""
    return added(name, host, token, use=False)


def added(name: str, host: str, token: str | None, *, use: bool) -> Known:
    """Nothing is kept of a token that the server does not take."""
    from tbpy.client.profiles import read_profiles, write_profiles
    from tbpy.client.target import Target, host_url

    target = Target(name, host_url(host), token or given(host))
    workspace = workspace_of(target)
    profiles = read_profiles(profiles_file()).with_(target)
    profiles = profiles.using(name) if use else profiles
    write_profiles(profiles_file(), profiles)
    return Known(name, target.host, profiles.default == name, workspace)


def given(host: str) -> str:
    """Raises `UsageError` for nothing."""
    asked = f"Token for {host}"
    text = typer.prompt(asked, hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read().strip()
    if not text:
        raise UsageError("no token", hint="give it with --token, or by standard input")
    return str(text)


def workspace_of(target: Target) -> str:
    from tbpy.client.http_api import HttpApi
    from tbpy.client.managing import Management

    return Management(HttpApi(target)).workspace().name


@dataclass(frozen=True, slots=True)
class Forgotten:
    profile: str


def print_forgotten(forgotten: Forgotten) -> Iterator[Printed]:
    yield f"✓ {forgotten.profile} is forgotten"


@answers(print_forgotten)
def logout(as_json: AsJson = False) -> Forgotten:
    """Forget the profile in use, with its token."""
    from tbpy.client.profiles import read_profiles

    name = read_profiles(profiles_file()).default
    if name is None:
        raise UsageError("no profile is in use")
    return forget(name)


@app.command("rm")
@answers(print_forgotten)
def rm(name: Name, as_json: AsJson = False) -> Forgotten:
    """Forget a profile, with its token."""
    return forget(name)


def forget(name: str) -> Forgotten:
    from tbpy.client.profiles import read_profiles, write_profiles

    write_profiles(profiles_file(), read_profiles(profiles_file()).without(name))
    return Forgotten(name)


@app.command("use")
@answers(print_known)
def use(name: Name, as_json: AsJson = False) -> Known:
    """Use a profile for --cloud."""
    from tbpy.client.profiles import read_profiles, write_profiles

    profiles = read_profiles(profiles_file()).using(name)
    write_profiles(profiles_file(), profiles)
    return Known(name, profiles.get(name).host, True)


def print_profiles(known: Sequence[Known]) -> Iterator[Printed]:
    if not known:
        yield "No profiles. `tbpy login --host URL` makes one"
        return
    yield Table(("profile", "host", "in use"), [(e.profile, e.host, "yes" if e.in_use else "") for e in known])


@app.command("ls")
@answers(print_profiles)
def ls(as_json: AsJson = False) -> Sequence[Known]:
    """List the profiles. Their tokens are not shown."""
    from tbpy.client.profiles import read_profiles

    profiles = read_profiles(profiles_file())
    return [Known(name, target.host, name == profiles.default) for name, target in profiles.targets.items()]
