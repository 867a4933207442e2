"""`tbpy append --infer`: a `.datasource` for each data source that the project lacks, by the file to append."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tbpy.cli.inputs import STDIN, Input
from tbpy.cli.trouble import talk
from tbpy.errors import NotFoundError, TbpyError, UsageError

if TYPE_CHECKING:
    from tbpy.cli.session import AnyWorkspace

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def build_missing(workspace: AnyWorkspace, root: Path, inputs: Sequence[Input], kind: str | None) -> None:
    """Write what is missing, and build. When that fails, the files are taken away again."""
    known = set(workspace.datasource_names())
    missing = {item.datasource: item.source for item in reversed(inputs) if item.datasource not in known}
    if not missing:
        return
    written: list[Path] = []
    try:
        for name, source in missing.items():
            written.append(write_datasource(root, name, source, kind))
        workspace.build()
    except TbpyError:
        for path in written:
            path.unlink()
        raise
    for path in written:
        talk(f"✓ {path.relative_to(root)} written; look at its types and its sorting key")


def write_datasource(root: Path, name: str, source: str, kind: str | None) -> Path:
    from tbpy.workspace.ingest.inference import infer_datasource
    from tbpy.workspace.ingest.sources import Format

    if source == STDIN:
        raise UsageError("--infer needs a file: standard input can be read only once")
    if not NAME.match(name):
        raise UsageError(f"'{name}' cannot name a data source", hint="name it: tbpy append --infer NAME FILE")
    path = root / "datasources" / f"{name}.datasource"
    if path.exists():
        raise UsageError(f"{path.relative_to(root)} is there already, but not built", hint="run: tbpy build")
    text = infer_datasource(source, Format(kind) if kind else None)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def suggested() -> Iterator[None]:
    """Tell of `--infer` where a data source is unknown."""
    try:
        yield
    except NotFoundError as error:
        hint = "--infer writes a .datasource for the file"
        error.hint = f"{error.hint}; {hint}" if error.hint else hint
        raise
