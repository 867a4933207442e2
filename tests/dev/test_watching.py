"""Which files are watched, and that none of their changes is missed."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Timer

import pytest

from tbpy.dev.watching import matters, snapshot, watch


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("datasources/a.datasource", True),
        ("deep/er/a.pipe", True),
        ("fixtures/a.ndjson", True),
        (".env.local", True),
        ("a.csv", False),
        ("endpoints/a.pipe~", False),
        ("endpoints/4913", False),
        (".tbpy/workspace.duckdb", False),
        ("node_modules/x/a.pipe", False),
        ("../elsewhere/a.pipe", False),
    ],
)
def test_what_matters(name: str, wanted: bool) -> None:
    root = Path("/project")
    path = root.parent / "elsewhere" / "a.pipe" if name.startswith("..") else root / name
    assert matters(root, path) is wanted


def test_changes_before_the_watch_began_are_seen(tmp_path: Path) -> None:
    (tmp_path / "kept.pipe").write_text("1")
    (tmp_path / "gone.pipe").write_text("1")
    seen = snapshot(tmp_path)
    (tmp_path / "gone.pipe").unlink()
    (tmp_path / "new.datasource").write_text("1")
    assert next(watch(tmp_path, Event(), seen)) == ("gone.pipe", "new.datasource")


def test_a_watch_ends(tmp_path: Path) -> None:
    stop = Event()
    Timer(0.1, stop.set).start()
    assert list(watch(tmp_path, stop, snapshot(tmp_path))) == []
