"""Changes of a project's files, as they happen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import watchfiles

_DATAFILES = (".datasource", ".pipe", ".connection", ".incl")
_FIXTURES = (".ndjson", ".csv", ".parquet", ".sql")
_SECRETS = (".env", ".env.local")
_LEFT_OUT = frozenset({".tbpy", ".git", ".venv", "node_modules", "__pycache__"})
# Milliseconds: an editor writes in several steps, and people notice a tenth of a second.
_STEP, _DEBOUNCE = 5, 50
_TIMEOUT = 250

Snapshot = dict[str, tuple[int, int]]


def watch(root: Path, stop: Event, since: Snapshot) -> Iterator[tuple[str, ...]]:
    """The files of each change, relative to `root`, until `stop` is set. New files and renames over others count.

    The first may be what changed after `since` and before the watch began.
    """
    missed = True
    for changes in watchfiles.watch(
        root,
        watch_filter=lambda _, path: matters(root, Path(path)),
        step=_STEP,
        debounce=_DEBOUNCE,
        stop_event=stop,
        rust_timeout=_TIMEOUT,
        yield_on_timeout=True,
    ):
        found = {str(Path(path).relative_to(root)) for _, path in changes}
        if missed:
            found |= differences(since, snapshot(root))
            missed = False
        if found:
            yield tuple(sorted(found))


def snapshot(root: Path) -> Snapshot:
    """When each file that matters was changed (nanoseconds), and its size (bytes)."""
    found: Snapshot = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        for path in (Path(folder) / name for name in files):
            if matters(root, path):
                with suppress(FileNotFoundError):  # gone since it was listed
                    status = path.stat()
                    found[str(path.relative_to(root))] = (status.st_mtime_ns, status.st_size)
    return found


def differences(before: Snapshot, after: Snapshot) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def matters(root: Path, path: Path) -> bool:
    """Whether a build may come out differently because of this file."""
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        return False
    if not parts or not _LEFT_OUT.isdisjoint(parts):
        return False
    if path.suffix in _DATAFILES:
        return True
    return parts[-1] in _SECRETS if len(parts) == 1 else parts[0] == "fixtures" and path.suffix in _FIXTURES
