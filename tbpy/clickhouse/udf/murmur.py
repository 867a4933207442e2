"""MurmurHash in the versions and with the seeds that ClickHouse has, and rotation of words, which other hashes share.

Source: the published algorithms; seeds are held to recorded answers.
"""

from __future__ import annotations

from functools import lru_cache

from tbpy.clickhouse.udf import Udf

_M32, _M64 = (1 << 32) - 1, (1 << 64) - 1
_CACHED = 1 << 16


def left32(value: int, shift: int) -> int:
    value &= _M32
    return (value << shift | value >> (32 - shift)) & _M32


def left64(value: int, shift: int) -> int:
    value &= _M64
    return (value << shift | value >> (64 - shift)) & _M64


def words_of(data: bytes, size: int, end: int | None = None) -> list[int]:
    """Little-endian numbers of `size` bytes, as many as are whole up to `end`."""
    count = (len(data) if end is None else end) // size
    return [int.from_bytes(data[i * size : i * size + size], "little") for i in range(count)]


def finalize64(value: int) -> int:
    """The finalizer of MurmurHash3."""
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & _M64
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & _M64
    return value ^ value >> 33


@lru_cache(_CACHED)
def murmur2_32(data: bytes) -> int:
    return _murmur2_32(data, 0)


def _murmur2_32(data: bytes, seed: int) -> int:
    mul = 0x5BD1E995
    value = seed ^ len(data)
    for word in words_of(data, 4):
        word = word * mul & _M32
        value = (value * mul & _M32) ^ ((word ^ word >> 24) * mul & _M32)
    tail = data[len(data) & ~3 :]
    if tail:
        value = (value ^ int.from_bytes(tail, "little")) * mul & _M32
    value = (value ^ value >> 13) * mul & _M32
    return value ^ value >> 15


@lru_cache(_CACHED)
def murmur2_64(data: bytes) -> int:
    return _murmur2_64(data, 0)


def _murmur2_64(data: bytes, seed: int) -> int:
    mul = 0xC6A4A7935BD1E995
    value = (seed ^ len(data) * mul) & _M64
    for word in words_of(data, 8):
        word = word * mul & _M64
        value = (value ^ (word ^ word >> 47) * mul & _M64) * mul & _M64
    tail = data[len(data) & ~7 :]
    if tail:
        value = (value ^ int.from_bytes(tail, "little")) * mul & _M64
    value = (value ^ value >> 47) * mul & _M64
    return value ^ value >> 47


def murmur2_gcc(data: bytes) -> int:
    """As the C++ library of GCC hashes strings."""
    return _murmur2_64(data, 0xC70F6907)


def murmur2_kafka(data: bytes) -> int:
    """As Kafka's producers choose a partition."""
    return _murmur2_32(data, 0x9747B28C) & 0x7FFFFFFF


@lru_cache(_CACHED)
def murmur3_32(data: bytes) -> int:
    value = 0
    for word in words_of(data, 4):
        value = (left32(value ^ _murmur3_32_word(word), 13) * 5 + 0xE6546B64) & _M32
    value ^= _murmur3_32_word(int.from_bytes(data[len(data) & ~3 :], "little"))
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & _M32
    value = (value ^ value >> 13) * 0xC2B2AE35 & _M32
    return value ^ value >> 16


def _murmur3_32_word(word: int) -> int:
    return left32(word * 0xCC9E2D51, 15) * 0x1B873593 & _M32


@lru_cache(_CACHED)
def _murmur3_halves(data: bytes) -> tuple[int, int]:
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = 0
    words = words_of(data, 8, len(data) & ~15)
    for k1, k2 in zip(words[::2], words[1::2], strict=True):
        h1 ^= left64(k1 * c1, 31) * c2 & _M64
        h1 = ((left64(h1, 27) + h2) * 5 + 0x52DCE729) & _M64
        h2 ^= left64(k2 * c2, 33) * c1 & _M64
        h2 = ((left64(h2, 31) + h1) * 5 + 0x38495AB5) & _M64
    tail = data[len(data) & ~15 :]
    h2 ^= left64(int.from_bytes(tail[8:], "little") * c2, 33) * c1 & _M64
    h1 ^= left64(int.from_bytes(tail[:8], "little") * c1, 31) * c2 & _M64
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = h1 + h2 & _M64
    h2 = h2 + h1 & _M64
    h1, h2 = finalize64(h1), finalize64(h2)
    h1 = h1 + h2 & _M64
    return h1, h2 + h1 & _M64


def murmur3_64(data: bytes) -> int:
    h1, h2 = _murmur3_halves(data)
    return h1 ^ h2


def murmur3_128(data: bytes) -> bytes:
    return b"".join(half.to_bytes(8, "little") for half in _murmur3_halves(data))


_BYTES = ("BLOB",)

FUNCTIONS: dict[str, Udf] = {
    "tb_murmur2_32": Udf(murmur2_32, _BYTES, "UINTEGER"),
    "tb_murmur2_64": Udf(murmur2_64, _BYTES, "UBIGINT"),
    "tb_murmur2_gcc": Udf(murmur2_gcc, _BYTES, "UBIGINT"),
    "tb_murmur2_kafka": Udf(murmur2_kafka, _BYTES, "UINTEGER"),
    "tb_murmur3_32": Udf(murmur3_32, _BYTES, "UINTEGER"),
    "tb_murmur3_64": Udf(murmur3_64, _BYTES, "UBIGINT"),
    "tb_murmur3_128": Udf(murmur3_128, _BYTES, "BLOB"),
}
