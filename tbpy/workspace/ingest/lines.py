"""The raw text of some lines of a big file, by number, with hardly a look at the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tbpy.errors import IngestError
from tbpy.workspace.ingest.sources import Input

_CHUNK = 1 << 22
_BLOCK = 1 << 14
_BATCH = 20_000
_BOM = b"\xef\xbb\xbf"


def wanted_lines(source: Input, numbers: Iterable[int], total: int) -> Iterator[list[str]]:
    """The lines with these ascending numbers, from 1, in batches. Blank lines have no number.

    `total` is how many lines the file must have; `IngestError` after the last batch if it has not, which means that it
    was written to in between.
    """
    batch: list[str] = []
    seen = 0
    remaining = iter(numbers)
    wanted = next(remaining, None)
    for block in _blocks(source):
        count, lines = _count(block)
        if wanted is not None and wanted <= seen + count:
            lines = lines or block.split(b"\n")
            while wanted is not None and wanted <= seen + count:
                batch.append(_decode(lines[wanted - seen - 1]))
                wanted = next(remaining, None)
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        seen += count
    if batch:
        yield batch
    if seen != total or wanted is not None:
        raise IngestError(f"{source.label} changed while it was read", hint="append it again")


def _count(block: bytes) -> tuple[int, list[bytes] | None]:
    """How many lines a block has that are not blank; the lines themselves if they had to be made to know."""
    ends = block.count(b"\n")
    if block.count(b"\n{") + block.startswith(b"{") == ends:
        return ends, None
    lines = [line for line in block.split(b"\n") if line.strip()]
    return len(lines), lines


def _blocks(source: Input) -> Iterator[bytes]:
    """The file in pieces of some thousand bytes that end at line ends; the last line gets one if it has none."""
    rest = b""
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            end = data.rfind(b"\n") + 1
            yield from _cut(data, end)
            rest = data[end:]
    if rest:
        yield rest + b"\n"


def _cut(data: bytes, end: int) -> Iterator[bytes]:
    start = 0
    while start < end:
        stop = data.rfind(b"\n", start, start + _BLOCK) + 1 or data.find(b"\n", start) + 1
        yield data[start:stop]
        start = stop


def _decode(line: bytes) -> str:
    """Bytes that are no UTF-8 become visible, as `\\xff`: text is all that a table can keep."""
    return line.removeprefix(_BOM).removesuffix(b"\r").decode("utf-8", "backslashreplace")
