"""Which workspace a command works on: the local one, or that of a server, by options that may stand anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.client.target import Target

TINYBIRD = "https://api.tinybird.co"
HOST_VARIABLE, TOKEN_VARIABLE = "TB_HOST", "TB_TOKEN"
_FLAGS = ("--cloud", "--local", "--staging")
_VALUED = ("--profile", "--host", "--token")
# These have options of such names for themselves, or work on files and this machine alone.
_OWN = ("init", "check", "fmt", "dev", "server", "login", "profile")
_KEPT = {"endpoint url": "--host"}  # an option that is the command's own
_BEFORE_COMMAND = (*_VALUED, "--project", "-C")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the options before every command say: the project's folder, and the target."""

    project: Path | None = None
    cloud: bool = False
    local: bool = False
    profile: str | None = None
    host: str | None = None
    token: str | None = field(default=None, repr=False)
    staging: bool = False

    @property
    def remote(self) -> bool:
        return self.cloud or self.staging or any((self.profile, self.host, self.token))


def to_front(arguments: Sequence[str]) -> list[str]:
    """The arguments with the target's options before the command, wherever they stood; `--` ends the search."""
    before, after = _split(arguments)
    if not after or after[0] in _OWN:
        return [*before, *after]
    own = _KEPT.get(" ".join(after[:2]))
    moved: list[str] = []
    kept: list[str] = []
    rest = iter(after)
    for word in rest:
        name = word.partition("=")[0]
        if word == "--":
            kept += [word, *rest]
        elif name == own:
            kept.append(word)
        elif word in _FLAGS or (name in _VALUED and name != word):
            moved.append(word)
        elif word in _VALUED:
            moved += [word, *_next(rest)]
        else:
            kept.append(word)
    return [*before, *moved, *kept]


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options before the command, and the command with what follows."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        place += 2 if arguments[place] in _BEFORE_COMMAND else 1
    return list(arguments[:place]), list(arguments[place:])


def _next(words: Iterator[str]) -> Iterator[str]:
    word = next(words, None)
    if word is not None:
        yield word


def profiles_file() -> Path:
    return Path(os.environ.get("TBPY_CONFIG") or typer.get_app_dir("tbpy")) / "profiles.json"


def find_target(context: typer.Context) -> Target | None:
    """The server that a command works on; None is the local workspace. Raises `UsageError`."""
    chosen: Chosen = context.find_root().obj
    if not chosen.remote:
        return None
    if chosen.local:
        raise UsageError("--local and a server were both named")
    return _server(chosen)


def _server(chosen: Chosen) -> Target:
    """A token only ever goes to the host that it belongs to: both are of one source, but for what options say."""
    from tbpy.client.target import Target, host_url

    host = host_url(chosen.host) if chosen.host else None
    if chosen.token is not None:
        # Without a host it is that of the variables or the profile: whoever types a token knows for where.
        known = _found(chosen)
        found = Target(chosen.profile or "server", host or (known.host if known else TINYBIRD), chosen.token)
    else:
        known = _found(chosen)
        if host is not None and (known is None or host != known.host):
            raise UsageError(f"no token for {host}", hint=f"give it with --token, or in {TOKEN_VARIABLE}")
        if known is None:
            raise UsageError("no server is named", hint=_hint())
        found = known
    return replace(found, staging=chosen.staging)


def _found(chosen: Chosen) -> Target | None:
    """By the strongest of: a profile's name, the environment, the official client's file, the profile in use."""
    from tbpy.client.profiles import read_profiles
    from tbpy.client.target import Target, host_url

    if chosen.profile is not None:
        return read_profiles(profiles_file()).get(chosen.profile)
    if token := os.environ.get(TOKEN_VARIABLE):
        host = os.environ.get(HOST_VARIABLE) or chosen.host or TINYBIRD
        return Target("cloud", host_url(host), token)
    profiles = read_profiles(profiles_file())
    if chosen.host is not None:
        host = host_url(chosen.host)
        return next((target for target in profiles.targets.values() if target.host == host), None)
    return _of_tinybird(chosen.project or Path.cwd()) or profiles.targets.get(profiles.default or "")


def _of_tinybird(folder: Path) -> Target | None:
    """What the official client wrote down when it logged in, in `.tinyb`."""
    from tbpy.client.target import Target, host_url

    try:
        document = json.loads((folder / ".tinyb").read_text(encoding="utf-8"))
        return Target(str(document.get("name") or ".tinyb"), host_url(document["host"]), document["token"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _hint() -> str:
    return f"set {HOST_VARIABLE} and {TOKEN_VARIABLE}, or use `tbpy login --host URL --token TOKEN`"
