"""Keccak-256 as Ethereum uses it, and HMAC over the hashes of Python's library.

Source: "The Keccak reference", version 3.0; RFC 2104.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from tbpy.clickhouse.udf import Udf

_M64 = (1 << 64) - 1
_RATE = 136  # bytes of a block


def _round_constants() -> tuple[int, ...]:
    """From the linear feedback shift register of the reference."""
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register >> 7 else 0)
        constants.append(constant)
    return tuple(constants)


_ROUNDS = _round_constants()


def _left(word: int, places: int) -> int:
    places %= 64
    return (word << places | word >> (64 - places)) & _M64


def _permuted(state: list[int]) -> list[int]:
    """The permutation keccak-f[1600] of 25 words; word x + 5 * y stands in column x and row y."""
    for constant in _ROUNDS:
        columns = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        mixed = [columns[x - 1] ^ _left(columns[(x + 1) % 5], 1) for x in range(5)]
        state = [word ^ mixed[place % 5] for place, word in enumerate(state)]
        x, y, moving = 1, 0, state[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            moving, state[x + 5 * y] = state[x + 5 * y], _left(moving, (step + 1) * (step + 2) // 2)
        for row in range(0, 25, 5):
            words = state[row : row + 5]
            for x in range(5):
                state[row + x] = words[x] ^ (~words[(x + 1) % 5] & words[(x + 2) % 5] & _M64)
        state[0] ^= constant
    return state


@lru_cache(maxsize=1 << 14)
def keccak256(data: bytes) -> bytes:
    padded = bytearray(data + bytes(_RATE - len(data) % _RATE))
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    state = [0] * 25
    for start in range(0, len(padded), _RATE):
        for place in range(_RATE // 8):
            state[place] ^= int.from_bytes(padded[start + 8 * place : start + 8 * place + 8], "little")
        state = _permuted(state)
    return b"".join(word.to_bytes(8, "little") for word in state[:4])


#: Algorithms that both ClickHouse and every Python have
HMAC_ALGORITHMS = (
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
)


def hmac_of(algorithm: str, message: bytes, key: bytes) -> bytes:
    return hmac.new(key, message, getattr(hashlib, algorithm.replace("-", "_"))).digest()


FUNCTIONS = {
    "tb_keccak256": Udf(keccak256, ("BLOB",), "BLOB"),
    "tb_hmac": Udf(hmac_of, ("VARCHAR", "BLOB", "BLOB"), "BLOB"),
}
