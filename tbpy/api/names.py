"""The names that clients have for the local workspace of a folder.

Source: what the official command line (5.0) and the SDKs ask a local server for: the git branch unless it is the main
one, else the name in `.tinyb`, else a digest of the folder's path.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAIN = ("main", "master")
_DIGESTED = ("Tinybird_Local_Build_", "Tinybird_Local_Test_", "Build_")


@dataclass(frozen=True, slots=True)
class FolderNames:
    """`any_branch`: the folder is on no branch that git knows, so whatever looks like one is taken for it."""

    known: frozenset[str]
    any_branch: bool

    def include(self, name: str) -> bool:
        return name in self.known or (self.any_branch and not name.startswith(_DIGESTED))


def names_of_folder(folder: Path) -> FolderNames:
    """As things are now: branches change while a server runs."""
    branch = _branch(folder)
    names = {name for path in _spellings(folder) for name in _digests(path)}
    if branch:
        names |= {branch, _sanitized(branch)}
    return FolderNames(frozenset(names | set(_in_file(folder))), branch == "")


def _spellings(folder: Path) -> Iterator[Path]:
    """A configuration file may stand in the folder above, and clients are started there."""
    for path in {folder.absolute(), folder.resolve()}:
        yield path
        yield path.parent


def _digests(path: Path) -> tuple[str, str]:
    digest = hashlib.sha256(str(path).encode()).hexdigest()
    return f"Tinybird_Local_Build_{digest}", f"Build_{digest[:16]}"


def _branch(folder: Path) -> str | None:
    """The git branch; empty when no branch is checked out, None for a main branch and without git."""
    for above in (folder.absolute(), *folder.absolute().parents):
        head = _head(above / ".git")
        if head is not None:
            branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
            return None if branch in _MAIN else branch
    return None


def _head(git: Path) -> str | None:
    try:
        if git.is_file():  # a worktree: the file says where its folder is
            git = (git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        return (git / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _sanitized(branch: str) -> str:
    name = re.sub(r"[^0-9a-zA-Z_]", "_", branch)
    return f"branch_{name}" if re.match(r"\d|d_", name) else name


def _in_file(folder: Path) -> Iterator[str]:
    for path in (folder, folder.parent):
        try:
            settings = json.loads((path / ".tinyb").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(settings, dict) and isinstance(name := settings.get("name"), str) and name:
            yield name
