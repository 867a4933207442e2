"""Space-filling curves: the place of a point on the Morton (Z-order) and on the Hilbert curve.

Source: ClickHouse documentation of mortonEncode, mortonDecode, hilbertEncode and hilbertDecode.
"""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse.udf import Udf


def morton_encode(numbers: Sequence[int], stretches: Sequence[int]) -> int:
    """The bits of all numbers by turns; a stretched number has each bit so many places above the one before."""
    code = 0
    for place, (number, stretch) in enumerate(zip(numbers, stretches, strict=True)):
        for bit, position in enumerate(_positions(place, stretch, len(numbers))):
            code |= (number >> bit & 1) << position
    return code


def _positions(place: int, stretch: int, count: int) -> range:
    """Where the bits of one of `count` numbers are in a code of 64 bits."""
    return range((stretch - 1) * count + place, 64, stretch * count)


def morton_decode(code: int, stretches: Sequence[int]) -> list[int]:
    return [
        sum((code >> position & 1) << bit for bit, position in enumerate(_positions(place, stretch, len(stretches))))
        for place, stretch in enumerate(stretches)
    ]


def hilbert_encode(first: int, second: int) -> int:
    """The place of a point of 32 bits in each direction, on the curve that starts along the second axis."""
    if (first | second) >> 32:
        return 0
    x, y, code = first, second, 0
    bits = (first | second).bit_length() | 1  # an odd number of turns, so that the curve starts along one axis
    for bit in reversed(range(bits)):
        right, up = x >> bit & 1, y >> bit & 1
        code = code << 2 | (3 * right ^ up)
        x, y = _turned(x, y, right, up, (1 << bit) - 1)
    return code


def hilbert_decode(code: int) -> list[int]:
    x = y = 0
    for bit in range(33):
        quarter = code >> 2 * bit & 3
        right, up = quarter >> 1 & 1, (quarter ^ quarter >> 1) & 1
        x, y = _turned(x, y, right, up, (1 << bit) - 1)
        x, y = x | right << bit, y | up << bit
    return [x, y]


def _turned(x: int, y: int, right: int, up: int, mask: int) -> tuple[int, int]:
    """The inside of a quarter as the curve runs through it."""
    if up:
        return x, y
    if right:
        x, y = mask ^ (x & mask), mask ^ (y & mask)
    return y, x


FUNCTIONS = {
    "tb_morton_encode": Udf(morton_encode, ("UBIGINT[]", "INTEGER[]"), "UBIGINT"),
    "tb_morton_decode": Udf(morton_decode, ("UBIGINT", "INTEGER[]"), "UBIGINT[]"),
    "tb_hilbert_encode": Udf(hilbert_encode, ("UBIGINT", "UBIGINT"), "UBIGINT"),
    "tb_hilbert_decode": Udf(hilbert_decode, ("UBIGINT",), "UBIGINT[]"),
}
