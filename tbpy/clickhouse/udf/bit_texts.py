"""The bits of texts: shifts and slices, the first bit of the first byte on the left."""

from __future__ import annotations

from collections.abc import Callable
from operator import and_, or_, xor

from tbpy.clickhouse.udf import Udf


def shift_left(text: bytes, places: int, fixed: bool) -> bytes:
    """A String grows by as many bytes as the bits need, a FixedString loses what leaves it on the left."""
    size = len(text) * 8
    if places >= size:
        return bytes(len(text)) if fixed else b""
    grown = len(text) if fixed else len(text) + (places + 7) // 8
    return (int.from_bytes(text) << places & ((1 << grown * 8) - 1)).to_bytes(grown)


def shift_right(text: bytes, places: int, fixed: bool) -> bytes:
    """A String loses whole bytes on the right, a FixedString keeps its length."""
    size = len(text) * 8
    if places >= size:
        return bytes(len(text)) if fixed else b""
    return (int.from_bytes(text) >> places).to_bytes(len(text) if fixed else len(text) - places // 8)


def bit_slice(text: bytes, offset: int, length: int) -> bytes:
    """`length` bits from the `offset`-th on, counted from 1 or from the end, filled up with zeros to whole bytes."""
    size = len(text) * 8
    if offset == 0:
        return b""
    start = offset - 1 if offset > 0 else size + offset
    end = size + length if length < 0 else start + length
    start, end = max(start, 0), min(end, size)
    if end <= start:
        return b""
    bits = int.from_bytes(text) >> (size - end) & ((1 << (end - start)) - 1)
    count = (end - start + 7) // 8
    return (bits << (count * 8 - (end - start))).to_bytes(count)


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "bitAnd": and_,
    "bitOr": or_,
    "bitXor": xor,
    "bitNot": lambda one, other: one ^ 0xFF,
}


def combined(left: bytes, right: bytes, name: str) -> bytes:
    """Byte by byte, of two texts of one length."""
    return bytes(_OPERATORS[name](one, other) for one, other in zip(left, right, strict=True))


def hamming(left: bytes, right: bytes) -> int:
    """The bits that differ; a byte that only the longer text has counts with its ones."""
    size = max(len(left), len(right))
    return (int.from_bytes(left.ljust(size, b"\0")) ^ int.from_bytes(right.ljust(size, b"\0"))).bit_count()


FUNCTIONS = {
    "tb_text_bits": Udf(combined, ("BLOB", "BLOB", "VARCHAR"), "BLOB"),
    "tb_text_hamming": Udf(hamming, ("BLOB", "BLOB"), "BIGINT"),
    "tb_text_shift_left": Udf(shift_left, ("BLOB", "BIGINT", "BOOLEAN"), "BLOB"),
    "tb_text_shift_right": Udf(shift_right, ("BLOB", "BIGINT", "BOOLEAN"), "BLOB"),
    "tb_bit_slice": Udf(bit_slice, ("BLOB", "BIGINT", "BIGINT"), "BLOB"),
}
