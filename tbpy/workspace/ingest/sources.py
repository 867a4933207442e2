"""Where rows come from: a path, a glob, an http(s) URL or standard input, made into files on this machine."""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from glob import glob, has_magic
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from tbpy.errors import IngestError, UsageError

STDIN = "-"
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_COMPRESSED_SUFFIXES = (".gz", ".gzip", ".zst", ".zstd")
_BLOCK = 1 << 20


class Format(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


_SUFFIXES = {
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".json": Format.NDJSON,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read. `label` is what the user called it, `compression` is "none", "gzip" or "zstd"."""

    path: Path
    label: str
    compression: str

    def open(self) -> BinaryIO:
        """Its decompressed bytes."""
        if self.compression == "gzip":
            return cast(BinaryIO, gzip.open(self.path, "rb"))
        if self.compression == "zstd":
            return _open_zstd(self.path)
        return self.path.open("rb")


@contextmanager
def open_inputs(source: str | Path, *, stdin: BinaryIO | None = None) -> Iterator[tuple[Input, ...]]:
    """The files behind `source`; what had to be downloaded or spooled is gone afterwards.

    Raises `UsageError` for what does not exist and `IngestError` for what cannot be fetched or is empty.
    """
    text = str(source)
    with tempfile.TemporaryDirectory(prefix="tbpy-") as folder:
        if text == STDIN:
            paths = [(_spool(stdin or sys.stdin.buffer, Path(folder)), "standard input")]
        elif text.startswith(("http://", "https://")):
            paths = [(_download(text, Path(folder)), text)]
        else:
            paths = [(path, str(path)) for path in _local(text)]
        yield tuple(_input(path, label) for path, label in paths)


def detect_format(inputs: tuple[Input, ...], source: str | Path) -> Format:
    """The format by the name of the source, else by the first bytes of the first file."""
    name = urlsplit(str(source)).path if str(source).startswith(("http://", "https://")) else str(source)
    path = Path(name.lower())
    if path.suffix in _COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    if (known := _SUFFIXES.get(path.suffix)) is not None:
        return known
    with inputs[0].open() as file:
        head = _read(file, 4096, inputs[0].label)
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    return Format.NDJSON if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else Format.CSV


def read_sample(source: Input, size: int = _BLOCK) -> bytes:
    """The first whole lines, about `size` bytes of them, decompressed and without a byte order mark."""
    with source.open() as file:
        data = _read(file, size, source.label)
        if len(data) == size and not data.endswith(b"\n"):
            try:
                data += file.readline()
            except (OSError, EOFError, ValueError) as error:
                raise IngestError(f"{source.label} is damaged: {error}") from error
    return data.removeprefix(b"\xef\xbb\xbf")


def _read(file: IO[bytes], size: int, label: str) -> bytes:
    try:
        return file.read(size)
    except (OSError, EOFError, ValueError) as error:
        raise IngestError(f"{label} is damaged: {error}") from error


def _local(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_dir():
        raise UsageError(f"{text} is a folder", hint=f'name files, or quote a pattern: "{text.rstrip("/")}/*.ndjson"')
    if path.exists():
        return [path]
    if not has_magic(text):
        raise UsageError(f"No such file: {text}")
    found = sorted(Path(name) for name in glob(str(path), recursive=True) if Path(name).is_file())
    if not found:
        raise UsageError(f"No file matches {text}")
    return found


def _input(path: Path, label: str) -> Input:
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise UsageError(f"Cannot read {label}: {error.strerror}") from error
    if not head:
        raise IngestError(f"{label} is empty")
    compression = next((name for magic, name in _MAGIC if head.startswith(magic)), "none")
    return Input(path, label, compression)


def _spool(stream: BinaryIO, folder: Path) -> Path:
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, _BLOCK)
    return path


def _download(url: str, folder: Path) -> Path:
    # Imported here because it takes longer than everything else that an append of a local file imports.
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    path = folder / "download"
    request = Request(url, headers={"User-Agent": "tbpy"})
    try:
        with urlopen(request, timeout=60) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file, _BLOCK)
    except HTTPError as error:
        raise IngestError(f"Cannot fetch {url}: the server answered {error.code} {error.reason}") from error
    except (URLError, OSError, ValueError) as error:
        raise IngestError(f"Cannot fetch {url}: {getattr(error, 'reason', error)}") from error
    return path


def _open_zstd(path: Path) -> BinaryIO:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return cast(BinaryIO, zstd.open(path, "rb"))
    from zstandard import ZstdDecompressor

    return io.BufferedReader(ZstdDecompressor().stream_reader(path.open("rb"), closefd=True), _BLOCK)
