"""What is sent to a server to be stored: its format, and its bytes as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlsplit

from tbpy.errors import UsageError

_KINDS = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_GZIP, _ZSTD = (".gz", ".gzip"), (".zst", ".zstd")
_PIECE = 1 << 20


def is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def find_kind(source: str, format: str | None) -> str:
    """ndjson, csv or parquet, by `format` or the name. Raises `UsageError` when neither tells."""
    if format is not None and format.lower() in _TYPES:
        return format.lower()
    if format is not None:
        raise UsageError(f"unknown format {format}", hint="it is ndjson, csv or parquet")
    path = PurePosixPath(urlsplit(source).path if is_url(source) else Path(source).name)
    ending = (PurePosixPath(path.stem) if path.suffix in _GZIP + _ZSTD else path).suffix.lower()
    if ending not in _KINDS:
        raise UsageError(f"what format is {source}?", hint="say it with --format ndjson, csv or parquet")
    return _KINDS[ending]


@contextmanager
def content_of(source: str, kind: str, stdin: BinaryIO) -> Iterator[tuple[Iterator[bytes], dict[str, str]]]:
    """The bytes of a file, or of standard input for `-`, with the headers that tell what they are.

    Files with gzip are sent as they are; zstd, which not every server reads, is taken off.
    """
    headers = {"Content-Type": _TYPES[kind]}
    if source == "-":
        yield _pieces(stdin), headers
        return
    path = Path(source)
    with path.open("rb") as file:
        if path.suffix in _GZIP:
            headers["Content-Encoding"] = "gzip"
        if path.suffix in _ZSTD:
            import zstandard

            yield _pieces(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)), headers
        else:
            yield _pieces(file), headers


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
