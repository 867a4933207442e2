"""CityHash64 of version 1.0.2, which ClickHouse keeps, and FarmHash64.

Source: the published algorithms of CityHash 1.0.2 and FarmHash (farmhashna), held to recorded answers.
"""

from __future__ import annotations

from functools import lru_cache

from tbpy.clickhouse.udf import Udf

_MASK = (1 << 64) - 1
_K0, _K1, _K2, _K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
_MUL = 0x9DDFEA08EB382D69
_CACHED = 1 << 16


def _rotate(value: int, shift: int) -> int:
    """To the right; the value may have more than 64 bits."""
    value &= _MASK
    return (value >> shift) | (value << (64 - shift)) & _MASK


def _mix(value: int) -> int:
    value &= _MASK
    return value ^ (value >> 47)


def _f64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _f32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def hash_16(low: int, high: int, mul: int = _MUL) -> int:
    """Two 64-bit numbers as one: CityHash's Hash128to64, FarmHash's HashLen16."""
    low, high = low & _MASK, high & _MASK
    a = _mix((low ^ high) * mul)
    return _mix((high ^ a) * mul) * mul & _MASK


def hash_pair(one: int, other: int) -> int:
    """How CityHash and FarmHash combine two hashes."""
    return hash_16(one, other)


def _weak(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """WeakHashLen32WithSeeds."""
    last = _f64(data, at + 24)
    a += _f64(data, at)
    b = _rotate(b + a + last, 21)
    c = a
    a += _f64(data, at + 8) + _f64(data, at + 16)
    return (a + last) & _MASK, (b + _rotate(a, 44) + c) & _MASK


# --- CityHash64 -------------------------------------------------------------------------------------------------------


@lru_cache(_CACHED)
def city64(data: bytes) -> int:
    size = len(data)
    if size <= 16:
        return _city_to_16(data, size)
    if size <= 32:
        return _city_to_32(data, size)
    if size <= 64:
        return _city_to_64(data, size)
    return _city_long(data, size)


def _city_to_16(data: bytes, size: int) -> int:
    if size > 8:
        a, b = _f64(data, 0), _f64(data, size - 8)
        return hash_16(a, _rotate(b + size, size)) ^ b
    if size >= 4:
        return hash_16(size + (_f32(data, 0) << 3), _f32(data, size - 4))
    return _to_3(data, size, _K3)


def _to_3(data: bytes, size: int, key: int) -> int:
    if not size:
        return _K2
    y = data[0] + (data[size >> 1] << 8)
    z = size + (data[size - 1] << 2)
    return _mix((y * _K2 & _MASK) ^ (z * key & _MASK)) * _K2 & _MASK


def _city_to_32(data: bytes, size: int) -> int:
    a, b = _f64(data, 0) * _K1, _f64(data, 8)
    c, d = _f64(data, size - 8) * _K2, _f64(data, size - 16) * _K0
    return hash_16(_rotate(a - b, 43) + _rotate(c, 30) + d, a + _rotate(b ^ _K3, 20) - c + size)


def _city_half(data: bytes, a: int, z: int, at: int) -> tuple[int, int]:
    b, c = _rotate(a + z, 52), _rotate(a, 37)
    a += _f64(data, at)
    c += _rotate(a, 7)
    a += _f64(data, at + 8)
    return a + z, b + _rotate(a, 31) + c


def _city_to_64(data: bytes, size: int) -> int:
    a = _f64(data, 0) + (size + _f64(data, size - 16)) * _K0
    v0, v1 = _city_half(data, a, _f64(data, 24), 8)
    a = _f64(data, 16) + _f64(data, size - 32)
    w0, w1 = _city_half(data, a, _f64(data, size - 8), size - 24)
    r = _mix((v0 + w1) * _K2 + (w0 + v1) * _K0)
    return _mix(r * _K0 + v1) * _K2 & _MASK


def _city_long(data: bytes, size: int) -> int:
    x = _f64(data, 0)
    y, z = _f64(data, size - 16) ^ _K1, _f64(data, size - 56) ^ _K0
    v = _weak(data, size - 64, size, y)
    w = _weak(data, size - 32, size * _K1 & _MASK, _K0)
    z += _mix(v[1]) * _K1
    x, y = _rotate(z + x, 39) * _K1, _rotate(y, 33) * _K1
    for at in range(0, (size - 1) & ~63, 64):
        x = _rotate(x + y + v[0] + _f64(data, at + 16), 37) * _K1 & _MASK
        y = _rotate(y + v[1] + _f64(data, at + 48), 42) * _K1 & _MASK
        x, y = x ^ w[1], y ^ v[0]
        z = _rotate((z & _MASK) ^ w[0], 33)
        v = _weak(data, at, v[1] * _K1, x + w[0])
        w = _weak(data, at + 32, z + w[1], y)
        z, x = x, z
    return hash_16(hash_16(v[0], w[0]) + _mix(y) * _K1 + z, hash_16(v[1], w[1]) + x)


# --- FarmHash64 -------------------------------------------------------------------------------------------------------


def fingerprint64(data: bytes) -> int:
    """farmFingerprint64, the variant `na` of FarmHash64."""
    size = len(data)
    if size <= 16:
        return _farm_to_16(data, size)
    mul = _K2 + size * 2
    if size <= 32:
        a, b = _f64(data, 0) * _K1, _f64(data, 8)
        c, d = _f64(data, size - 8) * mul, _f64(data, size - 16) * _K2
        return hash_16(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, mul)
    return _farm_to_64(data, size, mul) if size <= 64 else _farm_long(data, size)


@lru_cache(_CACHED)
def farm64(data: bytes) -> int:
    """farmHash64, the variant `xo`. Raises ValueError for more than 256 bytes."""
    size = len(data)
    if size <= 32 or 96 < size <= 256:
        return fingerprint64(data)
    if size > 256:
        raise ValueError("Function farmHash64 of more than 256 bytes is not supported by tbpy yet")
    few = size <= 64
    low = _K2 - (30 if few else 114)
    mul = low + 2 * size
    one = _xo_block(data, 0, low)
    if few:
        return (_xo_block(data, size - 32, mul) * mul + one) * mul & _MASK
    two = _xo_block(data, 32, mul)
    return (_xo_block(data, size - 32, mul, one, two) * 9 + (one >> 17) + (two >> 21)) * mul & _MASK


def _xo_block(data: bytes, at: int, mul: int, one: int = 0, two: int = 0) -> int:
    """32 bytes as one number."""
    a, b = _f64(data, at) * _K1, _f64(data, at + 8)
    c, d = _f64(data, at + 24) * mul, _f64(data, at + 16) * _K2
    u = _rotate(a + b, 43) + _rotate(c, 30) + d + one
    v = (a + _rotate(b + _K2, 18) + c + two) & _MASK
    return _mix((v ^ _mix((u & _MASK ^ v) * mul)) * mul)


def _farm_to_16(data: bytes, size: int) -> int:
    mul = _K2 + size * 2
    if size >= 8:
        a, b = _f64(data, 0) + _K2, _f64(data, size - 8)
        return hash_16(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)
    if size >= 4:
        return hash_16(size + (_f32(data, 0) << 3), _f32(data, size - 4), mul)
    return _to_3(data, size, _K0)


def _farm_to_64(data: bytes, size: int, mul: int) -> int:
    a, b = _f64(data, 0) * _K2, _f64(data, 8)
    c, d = _f64(data, size - 8) * mul, _f64(data, size - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = hash_16(y, a + _rotate(b + _K2, 18) + c, mul)
    e, f = _f64(data, 16) * mul, _f64(data, 24)
    g, h = (y + _f64(data, size - 32)) * mul, (z + _f64(data, size - 24)) * mul
    return hash_16(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, mul)


def _farm_long(data: bytes, size: int) -> int:
    y = 81 * _K1 + 113
    z = _mix(y * _K2 + 113) * _K2
    x = 81 * _K2 + _f64(data, 0)
    v, w = (0, 0), (0, 0)
    end = (size - 1) // 64 * 64
    for at in range(0, end, 64):
        x, y, z, v, w = _farm_round(data, at, (x, y, z), v, w, _K1, 1)
    mul = _K1 + ((z & 0xFF) << 1)
    w0 = w[0] + ((size - 1) & 63)
    v = (v[0] + w0, v[1])
    w = (w0 + v[0], w[1])
    x, y, z, v, w = _farm_round(data, end + ((size - 1) & 63) - 63, (x, y, z), v, w, mul, 9)
    return hash_16(hash_16(v[0], w[0], mul) + _mix(y) * _K0 + z, hash_16(v[1], w[1], mul) + x, mul)


def _farm_round(
    data: bytes, at: int, state: tuple[int, int, int], v: tuple[int, int], w: tuple[int, int], mul: int, factor: int
) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:
    x, y, z = state
    x = _rotate(x + y + v[0] + _f64(data, at + 8), 37) * mul & _MASK
    y = _rotate(y + v[1] + _f64(data, at + 48), 42) * mul & _MASK
    x ^= w[1] * factor & _MASK
    y += v[0] * factor + _f64(data, at + 40)
    z = _rotate(z + w[0], 33) * mul & _MASK
    v = _weak(data, at, v[1] * mul, x + w[0])
    w = _weak(data, at + 32, z + w[1], y + _f64(data, at + 16))
    return z, y & _MASK, x, v, w


FUNCTIONS: dict[str, Udf] = {
    "tb_city64": Udf(city64, ("BLOB",), "UBIGINT"),
    "tb_farm64": Udf(farm64, ("BLOB",), "UBIGINT"),
    "tb_fingerprint64": Udf(fingerprint64, ("BLOB",), "UBIGINT"),
}
