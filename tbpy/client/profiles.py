"""Profiles: the servers that a person works with, by name. A file of the user, whom alone its tokens may be read by."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tbpy.client.target import Target
from tbpy.errors import NotFoundError, UsageError


@dataclass(frozen=True, slots=True)
class Profiles:
    """`default` is the profile that `--cloud` means when nothing else names a server."""

    targets: Mapping[str, Target] = field(default_factory=dict)
    default: str | None = None

    def get(self, name: str) -> Target:
        """Raises `NotFoundError`."""
        if name not in self.targets:
            known = ", ".join(self.targets) or "none"
            raise NotFoundError(f"There is no profile {name}", hint=f"there are: {known}; `tbpy profile add` makes one")
        return self.targets[name]

    def with_(self, target: Target) -> Profiles:
        """The first profile is the default."""
        return Profiles({**self.targets, target.name: target}, self.default or target.name)

    def without(self, name: str) -> Profiles:
        self.get(name)
        rest = {key: value for key, value in self.targets.items() if key != name}
        return Profiles(rest, self.default if self.default != name else None)

    def using(self, name: str) -> Profiles:
        self.get(name)
        return replace(self, default=name)


def read_profiles(path: Path) -> Profiles:
    """None where there is no file. Raises `UsageError` for a file that cannot be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        targets = {name: Target(name, each["host"], each["token"]) for name, each in document["profiles"].items()}
        return Profiles(targets, document.get("default"))
    except FileNotFoundError:
        return Profiles()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="remove it, and log in again") from error


def write_profiles(path: Path, profiles: Profiles) -> None:
    """In one step, and with mode 600 from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    named = {target.name: {"host": target.host, "token": target.token} for target in profiles.targets.values()}
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"default": profiles.default, "profiles": named}, file, indent=2)
    temporary.replace(path)
