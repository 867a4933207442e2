"""Laying datafiles out alike: which files `tbpy fmt` takes, what changes in each, and the writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from tbpy.cli.root import SUFFIXES
from tbpy.errors import DatafileError, Diagnostic, UsageError


@dataclass(frozen=True, slots=True)
class FormattedFile:
    file: str
    changed: bool
    diff: str


@dataclass(frozen=True, slots=True)
class Formatted:
    """What became of the files. `wrote` is false when they were only looked at."""

    files: tuple[FormattedFile, ...]
    diagnostics: tuple[Diagnostic, ...]
    wrote: bool

    @property
    def failed(self) -> bool:
        return bool(self.diagnostics) or (not self.wrote and any(file.changed for file in self.files))


def format_files(paths: Sequence[Path], *, write: bool) -> Formatted:
    """Format each file. A file with a mistake is left as it is, and the mistake is in `diagnostics`."""
    from tbpy.datafiles import format_datafile

    files, mistakes = [], []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            formatted = format_datafile(text, path.suffix.removeprefix("."))
        except DatafileError as error:
            mistakes += [diagnostic.in_file(str(path)) for diagnostic in error.diagnostics]
            continue
        if write and formatted != text:
            path.write_text(formatted, encoding="utf-8")
        files.append(FormattedFile(str(path), formatted != text, _diff(str(path), text, formatted)))
    return Formatted(tuple(files), tuple(mistakes), write)


def chosen_files(root: Path | None, names: Sequence[Path]) -> list[Path]:
    """The datafiles that were named, folders meaning all in them; without names, those of the project."""
    found: list[Path] = []
    for path in names or ([root] if root else []):
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and not hidden(file, path))
        elif not path.is_file():
            raise UsageError(f"no such file: {path}")
        elif path.suffix not in SUFFIXES:
            raise UsageError(f"{path} is no datafile", hint=f"datafiles end in {', '.join(SUFFIXES)}")
        else:
            found.append(path)
    return found


def hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _diff(name: str, old: str, new: str) -> str:
    return "".join(unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), name, name))
