"""The raw text of some lines of a big file, by number, with hardly a look at the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tbpy.errors import IngestError
from tbpy.workspace.ingest.sources import Input

_CHUNK = 1 << 22
_BLOCK = 1 << 14
_BATCH = 20_000
_BOM = b"\xef\xbb\xbf"


class BlankLinesError(Exception):
    """The file has blank lines, so that counting line ends does not give line numbers."""


def lines_by_ends(source: Input, numbers: Iterable[int], total: int) -> Iterator[list[str]]:
    """The lines with these ascending numbers, from 1, in batches; for files without blank lines.

    `total` is how many lines the file should have. Raises `BlankLinesError`, after the last batch, when it has more
    line ends than that: then all the lines may be wrong ones, and `lines_exactly` gives the right ones.
    """
    batch: list[str] = []
    seen = 0
    remaining = iter(numbers)
    wanted = next(remaining, None)
    for data, end in _chunks(source):
        start = 0
        while start < end:
            stop = data.rfind(b"\n", start, start + _BLOCK) + 1 or data.find(b"\n", start) + 1
            count = data.count(b"\n", start, stop)
            if wanted is not None and wanted <= seen + count:
                lines = data[start:stop].split(b"\n")
                while wanted is not None and wanted <= seen + count:
                    batch.append(_decode(lines[wanted - seen - 1]))
                    wanted = next(remaining, None)
                if len(batch) >= _BATCH:
                    yield batch
                    batch = []
            start = stop
            seen += count
    if batch:
        yield batch
    if seen != total or wanted is not None:
        raise BlankLinesError


def lines_exactly(source: Input, numbers: Iterable[int], total: int) -> Iterator[list[str]]:
    """As `lines_by_ends`, for files with blank lines, which have no number; it looks at every line.

    Raises `IngestError`, after the last batch, when there are not `total` lines: someone writes to the file.
    """
    batch: list[str] = []
    seen = 0
    remaining = iter(numbers)
    wanted = next(remaining, None)
    for data, end in _chunks(source):
        for line in data[:end].split(b"\n"):
            if not line.strip():
                continue
            seen += 1
            if seen == wanted:
                batch.append(_decode(line))
                wanted = next(remaining, None)
                if len(batch) >= _BATCH:
                    yield batch
                    batch = []
    if batch:
        yield batch
    if seen != total:
        raise IngestError(f"{source.label} changed while it was read", hint="append it again")


def _chunks(source: Input) -> Iterator[tuple[bytes, int]]:
    """The file in big pieces, each with the place after its last line end; what follows is in the next piece again."""
    rest = b""
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            end = data.rfind(b"\n") + 1
            yield data, end
            rest = data[end:]
    if rest:
        yield rest + b"\n", len(rest) + 1


def _decode(line: bytes) -> str:
    """Bytes that are no UTF-8 become visible, as `\\xff`: text is all that a table can keep."""
    return line.removeprefix(_BOM).removesuffix(b"\r").decode("utf-8", "backslashreplace")
