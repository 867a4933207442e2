"""What `tbpy append` is to read: which data source each file, pattern or URL belongs to."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from tbpy.errors import UsageError

STDIN = "-"
COMPRESSIONS = (".gz", ".gzip", ".zst", ".zstd")


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to append: `source` is a path, a pattern, an http(s) URL or `-`."""

    datasource: str
    source: str


def choose_inputs(words: Sequence[str], known: Collection[str], *, piped: bool) -> tuple[Input, ...]:
    """`NAME FILE...`, or files alone, whose stems name their data sources. `piped`: standard input holds something.

    A word is a data source when the project knows it, or when it cannot be a file. Raises `UsageError`.
    """
    if not words:
        raise UsageError("nothing to append", hint="tbpy append FILE, or tbpy append NAME FILE")
    first, *rest = words
    if first in known or (rest and not looks_like_file(first)):
        if not rest and not piped:
            raise UsageError(f"no file to append to {first}", hint=f"tbpy append {first} FILE, or - for standard input")
        return tuple(Input(first, word) for word in rest or [STDIN])
    return tuple(Input(stem(source), source) for word in words for source in matches(word))


def looks_like_file(word: str) -> bool:
    return word == STDIN or is_url(word) or "." in word or "/" in word or glob.has_magic(word) or Path(word).exists()


def is_url(word: str) -> bool:
    return word.startswith(("http://", "https://"))


def matches(word: str) -> list[str]:
    """The files that a pattern stands for, each of which may be of another data source; any other word as it is."""
    if is_url(word) or not glob.has_magic(word) or Path(word).exists():
        return [word]
    found = sorted(name for name in glob.glob(word, recursive=True) if Path(name).is_file())
    if not found:
        raise UsageError(f"no file matches {word}")
    return found


def stem(source: str) -> str:
    """`data/events.ndjson.gz` and `https://host/events.csv?x=1` are of the data source `events`."""
    if source == STDIN:
        raise UsageError("standard input has no name to tell the data source by", hint="tbpy append NAME -")
    path = PurePosixPath(urlsplit(source).path if is_url(source) else Path(source).name)
    return (path.with_suffix("") if path.suffix in COMPRESSIONS else path).stem
