"""What `tbpy append` is to read: which data source each file, pattern or URL belongs to."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from tbpy.errors import UsageError

STDIN = "-"
COMPRESSIONS = (".gz", ".zst", ".zstd")
FORMATS = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to append: `source` is a path, an http(s) URL or `-`."""

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
        return tuple(Input(first, source) for word in rest or [STDIN] for source in sources(word))
    return tuple(Input(stem(source), source) for word in words for source in sources(word))


def looks_like_file(word: str) -> bool:
    return word == STDIN or is_url(word) or "." in word or "/" in word or "*" in word or Path(word).exists()


def is_url(word: str) -> bool:
    return word.startswith(("http://", "https://"))


def sources(word: str) -> list[str]:
    """The files that a word stands for: itself, or what its pattern matches."""
    if word == STDIN or is_url(word):
        return [word]
    if Path(word).is_file():
        return [word]
    if Path(word).is_dir():
        raise UsageError(f"{word} is a folder", hint=f"name files in it: '{word.rstrip('/')}/*.ndjson'")
    found = sorted(name for name in glob.glob(word, recursive=True) if Path(name).is_file())
    if found:
        return found
    raise UsageError(f"no file matches {word}" if glob.has_magic(word) else f"no such file: {word}")


def stem(source: str) -> str:
    """`data/events.ndjson.gz` and `https://host/events.csv?x=1` are of the data source `events`."""
    if source == STDIN:
        raise UsageError("standard input has no name to tell the data source by", hint="tbpy append NAME -")
    path = PurePosixPath(urlsplit(source).path if is_url(source) else Path(source).name)
    if path.suffix in COMPRESSIONS:
        path = path.with_suffix("")
    return path.stem


def format_of(source: str) -> str | None:
    """`ndjson`, `csv` or `parquet` by the ending of the name; None when it has no such ending."""
    path = PurePosixPath(urlsplit(source).path if is_url(source) else Path(source).name)
    if path.suffix in COMPRESSIONS:
        path = path.with_suffix("")
    return FORMATS.get(path.suffix.lower())
