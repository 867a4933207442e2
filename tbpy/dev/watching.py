"""Changes of a project's files, as they happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import watchfiles

_DATAFILES = (".datasource", ".pipe", ".connection", ".incl")
_FIXTURES = (".ndjson", ".csv", ".parquet", ".sql")
_SECRETS = (".env", ".env.local")
_LEFT_OUT = frozenset({".tbpy", ".git", ".venv", "node_modules", "__pycache__"})
# Milliseconds: an editor writes in several steps, and people notice a tenth of a second.
_STEP, _DEBOUNCE = 5, 50


def watch(root: Path, stop: Event) -> Iterator[tuple[str, ...]]:
    """The files of each change, relative to `root`, until `stop` is set. New files and renames over others count."""
    for changes in watchfiles.watch(
        root,
        watch_filter=lambda _, path: matters(root, Path(path)),
        step=_STEP,
        debounce=_DEBOUNCE,
        stop_event=stop,
        rust_timeout=500,
        yield_on_timeout=False,
    ):
        yield tuple(sorted({str(Path(path).relative_to(root)) for _, path in changes}))


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
