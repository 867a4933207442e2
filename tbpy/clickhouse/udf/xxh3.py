"""XXH3 with 64 bits and MetroHash64.

Source: the published algorithms, held to recorded answers.
"""

from __future__ import annotations

from functools import lru_cache

from tbpy.clickhouse.udf import Udf

_M64 = (1 << 64) - 1
_CACHED = 1 << 16
_P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
_P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e"
    "e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d"
    "8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc"
    "8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)


def _f64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _f32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _left(value: int, shift: int) -> int:
    return (value << shift | value >> (64 - shift)) & _M64


def _fold(one: int, other: int) -> int:
    """The two halves of a product, exclusive-or."""
    product = (one & _M64) * (other & _M64)
    return product & _M64 ^ product >> 64


def _avalanche64(value: int) -> int:
    value = (value ^ value >> 33) * _P64[1] & _M64
    value = (value ^ value >> 29) * _P64[2] & _M64
    return value ^ value >> 32


def _avalanche(value: int) -> int:
    value &= _M64
    value = (value ^ value >> 37) * 0x165667919E3779F9 & _M64
    return value ^ value >> 32


@lru_cache(_CACHED)
def xxh3(data: bytes) -> int:
    size = len(data)
    if size <= 16:
        return _to_16(data, size)
    if size <= 128:
        return _to_128(data, size)
    return _to_240(data, size) if size <= 240 else _long(data, size)


def _to_16(data: bytes, size: int) -> int:
    if size > 8:
        low = _f64(data, 0) ^ _f64(_SECRET, 24) ^ _f64(_SECRET, 32)
        high = _f64(data, size - 8) ^ _f64(_SECRET, 40) ^ _f64(_SECRET, 48)
        swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
        return _avalanche(size + swapped + high + _fold(low, high))
    if size >= 4:
        value = _f32(data, size - 4) + (_f32(data, 0) << 32) ^ _f64(_SECRET, 8) ^ _f64(_SECRET, 16)
        value ^= _left(value, 49) ^ _left(value, 24)
        value = value * 0x9FB21C651E98DF25 & _M64
        value ^= (value >> 35) + size
        value = value * 0x9FB21C651E98DF25 & _M64
        return value ^ value >> 28
    if size:
        combined = data[0] << 16 | data[size >> 1] << 24 | data[size - 1] | size << 8
        return _avalanche64(combined ^ _f32(_SECRET, 0) ^ _f32(_SECRET, 4))
    return _avalanche64(_f64(_SECRET, 56) ^ _f64(_SECRET, 64))


def _mix(data: bytes, at: int, secret: int) -> int:
    return _fold(_f64(data, at) ^ _f64(_SECRET, secret), _f64(data, at + 8) ^ _f64(_SECRET, secret + 8))


def _to_128(data: bytes, size: int) -> int:
    value = size * _P64[0]
    for step in range((size - 1) // 32 + 1):
        value += _mix(data, 16 * step, 32 * step) + _mix(data, size - 16 * (step + 1), 32 * step + 16)
    return _avalanche(value)


def _to_240(data: bytes, size: int) -> int:
    value = _avalanche(size * _P64[0] + sum(_mix(data, 16 * i, 16 * i) for i in range(8)))
    value += sum(_mix(data, 16 * i, 16 * (i - 8) + 3) for i in range(8, size // 16))
    return _avalanche(value + _mix(data, size - 16, 119))


def _long(data: bytes, size: int) -> int:
    lanes = [_P32[2], _P64[0], _P64[1], _P64[2], _P64[3], _P32[1], _P64[4], _P32[0]]
    for stripe in range((size - 1) // 64):
        _accumulate(lanes, data, stripe * 64, stripe % 16 * 8)
        if stripe % 16 == 15:
            for i in range(8):
                lane = lanes[i] ^ lanes[i] >> 47 ^ _f64(_SECRET, 128 + 8 * i)
                lanes[i] = lane * _P32[0] & _M64
    _accumulate(lanes, data, size - 64, 121)
    value = size * _P64[0]
    for i in range(0, 8, 2):
        value += _fold(lanes[i] ^ _f64(_SECRET, 11 + 8 * i), lanes[i + 1] ^ _f64(_SECRET, 19 + 8 * i))
    return _avalanche(value)


def _accumulate(lanes: list[int], data: bytes, at: int, secret: int) -> None:
    for i in range(8):
        value = _f64(data, at + 8 * i)
        key = value ^ _f64(_SECRET, secret + 8 * i)
        lanes[i ^ 1] = lanes[i ^ 1] + value & _M64
        lanes[i] = lanes[i] + (key & 0xFFFFFFFF) * (key >> 32) & _M64


# --- MetroHash64 ------------------------------------------------------------------------------------------------------

_K = (0xC83A91E1, 0x8648DBDB, 0x7BDEC03B, 0x2F5870A5)
_TAILS = ((8, 33), (4, 15), (2, 13), (1, 25))


def _right(value: int, shift: int) -> int:
    return _left(value & _M64, 64 - shift)


@lru_cache(_CACHED)
def metro64(data: bytes) -> int:
    value = (_K[2] * _K[0] + len(data)) & _M64
    at, size = 0, len(data)
    if size >= 32:
        at, value = _metro_long(data, value)
    if size - at >= 16:
        one = _right(value + _f64(data, at) * _K[0], 33) * _K[1] & _M64
        other = _right(value + _f64(data, at + 8) * _K[1], 33) * _K[2] & _M64
        one ^= _right(one * _K[0], 35) + other & _M64
        other ^= _right(other * _K[3], 35) + one & _M64
        value, at = value + other & _M64, at + 16
    for width, shift in _TAILS:
        if size - at >= width:
            value = value + int.from_bytes(data[at : at + width], "little") * _K[3] & _M64
            value ^= _right(value, shift) * _K[1] & _M64
            at += width
    value ^= _right(value, 33)
    value = value * _K[0] & _M64
    return value ^ _right(value, 33)


def _metro_long(data: bytes, start: int) -> tuple[int, int]:
    v = [start] * 4
    at = 0
    while at <= len(data) - 32:
        for i in range(4):
            v[i] = _right(v[i] + _f64(data, at + 8 * i) * _K[i], 29) + v[(i + 2) % 4] & _M64
        at += 32
    v[2] ^= _right((v[0] + v[3]) * _K[0] + v[1], 33) * _K[1] & _M64
    v[3] ^= _right((v[1] + v[2]) * _K[1] + v[0], 33) * _K[0] & _M64
    v[0] ^= _right((v[0] + v[2]) * _K[0] + v[3], 33) * _K[1] & _M64
    v[1] ^= _right((v[1] + v[3]) * _K[1] + v[2], 33) * _K[0] & _M64
    return at, start + (v[0] ^ v[1]) & _M64


FUNCTIONS: dict[str, Udf] = {
    "tb_xxh3": Udf(xxh3, ("BLOB",), "UBIGINT"),
    "tb_metro64": Udf(metro64, ("BLOB",), "UBIGINT"),
}
