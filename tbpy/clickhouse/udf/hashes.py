"""Hash functions of ClickHouse that DuckDB lacks: SipHash, xxHash, the integer hashes, CRC and Java's.

Source: the published algorithms; seeds and the ways of combining several values are held to recorded answers.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from functools import lru_cache, partial, reduce

from tbpy.clickhouse.udf import Udf
from tbpy.clickhouse.udf.city import city64, hash_pair
from tbpy.clickhouse.udf.murmur import finalize64, left32, left64, murmur3_128, words_of

_M32, _M64 = (1 << 32) - 1, (1 << 64) - 1
_CACHED = 1 << 16


# --- integers ---------------------------------------------------------------------------------------------------------


def int_hash64(value: int) -> int:
    return finalize64(value ^ 0x4CF2D2BAAE6DA887)


def int_hash32(value: int) -> int:
    key = value ^ 0x75D9543DE018BF45
    key = (~key + (key << 18)) & _M64
    key ^= left64(key, 33)
    key = key * 21 & _M64
    key ^= left64(key, 53)
    key = (key + (key << 6)) & _M64
    return (key ^ left64(key, 42)) & _M32


# --- SipHash ----------------------------------------------------------------------------------------------------------


def _sip_state(data: bytes, k0: int, k1: int) -> tuple[int, int, int, int]:
    v = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    size = len(data)
    words = words_of(data, 8)
    words.append(int.from_bytes(data[size & ~7 :], "little") | (size & 255) << 56)
    for word in words:
        v = (v[0], v[1], v[2], v[3] ^ word)
        v = _sip_round(*_sip_round(*v))
        v = (v[0] ^ word, v[1], v[2], v[3])
    v = (v[0], v[1], v[2] ^ 0xFF, v[3])
    return _sip_round(*_sip_round(*_sip_round(*_sip_round(*v))))


def _sip_round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0, v2 = v0 + v1 & _M64, v2 + v3 & _M64
    v1, v3 = left64(v1, 13) ^ v0, left64(v3, 16) ^ v2
    v0 = left64(v0, 32)
    v2, v0 = v2 + v1 & _M64, v0 + v3 & _M64
    v1, v3 = left64(v1, 17) ^ v2, left64(v3, 21) ^ v0
    return v0, v1, left64(v2, 32), v3


@lru_cache(_CACHED)
def sip64(data: bytes) -> int:
    return sip64_keyed(data, 0, 0)


def sip64_keyed(data: bytes, k0: int, k1: int) -> int:
    v0, v1, v2, v3 = _sip_state(data, k0, k1)
    return v0 ^ v1 ^ v2 ^ v3


@lru_cache(_CACHED)
def sip128(data: bytes) -> bytes:
    v0, v1, v2, v3 = _sip_state(data, 0, 0)
    return (v0 ^ v1).to_bytes(8, "little") + (v2 ^ v3).to_bytes(8, "little")


# --- xxHash -----------------------------------------------------------------------------------------------------------

_X32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)
_X64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


@lru_cache(_CACHED)
def xx32(data: bytes) -> int:
    p1, p2, p3, p4, p5 = _X32
    size, at = len(data), len(data) & ~15
    if size >= 16:
        lanes = [p1 + p2 & _M32, p2, 0, -p1 & _M32]
        for index, word in enumerate(words_of(data, 4, at)):
            lanes[index & 3] = left32(lanes[index & 3] + word * p2, 13) * p1 & _M32
        value = sum(left32(lane, shift) for lane, shift in zip(lanes, (1, 7, 12, 18), strict=True))
    else:
        value = p5
    value = value + size & _M32
    rest = data[at:]
    for word in words_of(rest, 4):
        value = left32(value + word * p3, 17) * p4 & _M32
    for byte in rest[len(rest) & ~3 :]:
        value = left32(value + byte * p5, 11) * p1 & _M32
    value = (value ^ value >> 15) * p2 & _M32
    value = (value ^ value >> 13) * p3 & _M32
    return value ^ value >> 16


@lru_cache(_CACHED)
def xx64(data: bytes) -> int:
    p1, p2, p3, p4, p5 = _X64
    size, at = len(data), len(data) & ~31
    if size >= 32:
        lanes = [p1 + p2 & _M64, p2, 0, -p1 & _M64]
        for index, word in enumerate(words_of(data, 8, at)):
            lanes[index & 3] = _xx64_round(lanes[index & 3], word)
        value = sum(left64(lane, shift) for lane, shift in zip(lanes, (1, 7, 12, 18), strict=True)) & _M64
        for lane in lanes:
            value = ((value ^ _xx64_round(0, lane)) * p1 + p4) & _M64
    else:
        value = p5
    value = value + size & _M64
    rest = data[at:]
    for word in words_of(rest, 8):
        value = (left64(value ^ _xx64_round(0, word), 27) * p1 + p4) & _M64
    rest = rest[len(rest) & ~7 :]
    for word in words_of(rest, 4):
        value = (left64(value ^ word * p1 & _M64, 23) * p2 + p3) & _M64
    for byte in rest[len(rest) & ~3 :]:
        value = left64(value ^ byte * p5 & _M64, 11) * p1 & _M64
    value = (value ^ value >> 33) * p2 & _M64
    value = (value ^ value >> 29) * p3 & _M64
    return value ^ value >> 32


def _xx64_round(lane: int, word: int) -> int:
    return left64(lane + word * _X64[1], 31) * _X64[0] & _M64


# --- others -----------------------------------------------------------------------------------------------------------


def half_md5(data: bytes) -> int:
    return int.from_bytes(hashlib.md5(data).digest()[:8], "big")


def java_hash(data: bytes) -> int:
    value = reduce(lambda value, byte: (31 * value + (byte - 256 if byte > 127 else byte)) & _M32, data, 0)
    return value - (1 << 32) if value >> 31 else value


def url_hash(data: bytes) -> int:
    """Of a URL without one `/`, `?` or `#` at its end."""
    return city64(data[:-1] if data[-1:] in (b"/", b"?", b"#") else data)


def _crc_table(polynomial: int) -> tuple[int, ...]:
    """What each byte does to a CRC of reflected bits."""
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (polynomial if value & 1 else 0) for value in table]
    return tuple(table)


_CRC64_TABLE = _crc_table(0xC96C5795D7870F42)
_CRC32_TABLE = _crc_table(0xEDB88320)


def crc64(data: bytes) -> int:
    """CRC-64-ECMA, neither start nor end inverted."""
    value = 0
    for byte in data:
        value = _CRC64_TABLE[(value ^ byte) & 255] ^ value >> 8
    return value


def crc32(data: bytes) -> int:
    return zlib.crc32(data)


def crc32_ieee(data: bytes) -> int:
    """CRC-32 with neither start nor end inverted."""
    value = 0
    for byte in data:
        value = _CRC32_TABLE[(value ^ byte) & 255] ^ value >> 8
    return value


def jump_hash(key: int, buckets: int) -> int:
    """Jump consistent hash: a bucket from 0."""
    chosen, following = -1, 0
    while following < buckets:
        chosen = following
        key = (key * 2862933555777941757 + 1) & _M64
        following = int((chosen + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return chosen


def java_hash_long(value: int) -> int:
    """Java's hash of a Long: its halves, exclusive-or."""
    folded = (value ^ value >> 32) & _M32
    return folded - (1 << 32) if folded >> 31 else folded


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data).digest()


# --- combining --------------------------------------------------------------------------------------------------------


def int_combine64(one: int, other: int) -> int:
    return int_hash64(one) ^ other


def int_combine32(one: int, other: int) -> int:
    return int_hash32(one) ^ other


def _joined(function: Callable[[bytes], int], size: int, one: int, other: int) -> int:
    return function(one.to_bytes(size, "little") + other.to_bytes(size, "little"))


def _joined_bytes(function: Callable[[bytes], bytes], one: bytes, other: bytes) -> bytes:
    return function(one + other)


#: (name, two hashes into one, DuckDB type)
_COMBINERS: tuple[tuple[str, Callable[[int, int], int], str], ...] = (
    ("hash_16", hash_pair, "UBIGINT"),
    ("int64", int_combine64, "UBIGINT"),
    ("int32", int_combine32, "UINTEGER"),
    ("sip64", partial(_joined, sip64, 8), "UBIGINT"),
    ("half_md5", partial(_joined, half_md5, 8), "UBIGINT"),
)


def _fold(combine: Callable[[int, int], int], start: int, hashes: list[int]) -> int:
    return reduce(combine, hashes, start)


_BYTES = ("BLOB",)

FUNCTIONS: dict[str, Udf] = {
    "tb_int_hash64": Udf(int_hash64, ("UBIGINT",), "UBIGINT"),
    "tb_int_hash32": Udf(int_hash32, ("UBIGINT",), "UINTEGER"),
    "tb_sip64": Udf(sip64, _BYTES, "UBIGINT"),
    "tb_sip64_keyed": Udf(sip64_keyed, ("BLOB", "UBIGINT", "UBIGINT"), "UBIGINT"),
    "tb_sip128": Udf(sip128, _BYTES, "BLOB"),
    "tb_xx32": Udf(xx32, _BYTES, "UINTEGER"),
    "tb_xx64": Udf(xx64, _BYTES, "UBIGINT"),
    "tb_half_md5": Udf(half_md5, _BYTES, "UBIGINT"),
    "tb_java_hash": Udf(java_hash, _BYTES, "INTEGER"),
    "tb_java_hash_long": Udf(java_hash_long, ("BIGINT",), "INTEGER"),
    "tb_url_hash": Udf(url_hash, _BYTES, "UBIGINT"),
    "tb_crc32": Udf(crc32, _BYTES, "UINTEGER"),
    "tb_crc32_ieee": Udf(crc32_ieee, _BYTES, "UINTEGER"),
    "tb_crc64": Udf(crc64, _BYTES, "UBIGINT"),
    "tb_jump_hash": Udf(jump_hash, ("UBIGINT", "BIGINT"), "INTEGER"),
    **{
        f"tb_{name}": Udf(partial(_digest, name), _BYTES, "BLOB")
        for name in ("sha224", "sha384", "sha512", "sha512_256")
    },
    **{f"tb_combine_{name}": Udf(combine, (type_, type_), type_) for name, combine, type_ in _COMBINERS},
    **{
        f"tb_fold_{name}": Udf(partial(_fold, combine), (type_, f"{type_}[]"), type_)
        for name, combine, type_ in _COMBINERS
    },
    "tb_combine_sip128": Udf(partial(_joined_bytes, sip128), ("BLOB", "BLOB"), "BLOB"),
    "tb_combine_murmur3_128": Udf(partial(_joined_bytes, murmur3_128), ("BLOB", "BLOB"), "BLOB"),
}
