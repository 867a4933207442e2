"""Different values of a list, in the order that ClickHouse's hash sets hold them.

Users see that order in the answers of groupUniqArray. A set is a table of buckets with linear probing that grows
fourfold when half full; whole numbers and longer texts are hashed with CRC32C, floats and short texts by multiplying.
Source: the published hash functions (CityHash, MurmurHash finaliser, CRC32C); held to recorded answers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from tbpy.clickhouse.udf import Udf

_MASK = (1 << 64) - 1
Key = TypeVar("Key", bound=Hashable)


def first_places(keys: Sequence[str | None]) -> list[int]:
    """The places (from 1) at which different keys come first."""
    firsts: dict[str | None, int] = {}
    for place, key in enumerate(keys, 1):
        firsts.setdefault(key, place)
    return list(firsts.values())


def unique_texts(values: Sequence[str], most: int) -> list[int]:
    """The places of different texts as a set of ClickHouse orders them; the set takes `most` at most, -1 for all."""
    return _places([value.encode() for value in values], most, _hash_text, b"", 3)


def unique_numbers(values: Sequence[int], bits: int, most: int) -> list[int]:
    mask = (1 << bits) - 1
    if bits == 8:  # so few that ClickHouse has a place for each
        places = first_places([str(value & mask) for value in values])
        kept = places if most < 0 else places[:most]
        return sorted(kept, key=lambda place: values[place - 1] & mask)
    return _places([value & mask for value in values], most, _hash_whole, 0, 4)


def unique_stored(values: Sequence[int], width: int, most: int) -> list[int]:
    """Of numbers whose bytes ClickHouse hashes like a text: decimals, times with fractions."""
    return _places([value.to_bytes(width, "little", signed=True) for value in values], most, _hash_text, b"", 3)


def unique_addresses(values: Sequence[int], most: int) -> list[int]:
    """Of IPv4 addresses as numbers."""
    return _places(values, most, _hash_float, 0, 4)


def unique_floats(values: Sequence[float], bits: int, most: int) -> list[int]:
    return _places(_float_bits(values, bits), most, _hash_float, 0, 4)


def _float_bits(values: Sequence[float], bits: int) -> list[int]:
    number, whole = ("<f", "<I") if bits == 32 else ("<d", "<Q")
    return [struct.unpack(whole, struct.pack(number, value))[0] for value in values]


# --- of tables that hash every number alike, with 2 ** degree buckets at first ---


def hashed_numbers(values: Sequence[int], bits: int, degree: int) -> list[int]:
    mask = (1 << bits) - 1
    return _places([value & mask for value in values], -1, _hash_float, 0, degree)


def hashed_stored(values: Sequence[int], bits: int, degree: int) -> list[int]:
    """Of numbers whose bytes are hashed like a text."""
    return _places([value.to_bytes(bits // 8, "little") for value in values], -1, _hash_text, b"", degree)


def hashed_floats(values: Sequence[float], bits: int, degree: int) -> list[int]:
    return _places(_float_bits(values, bits), -1, _hash_float, 0, degree)


def hashed_texts(values: Sequence[str], degree: int) -> list[int]:
    return _places([value.encode() for value in values], -1, _hash_text, b"", degree)


# --- the set ---


def _places(keys: Iterable[Key], most: int, hash_: Callable[[Key], int], zero: Key, degree: int) -> list[int]:
    """The zero key stands before the table, which has 2 ** degree buckets at first."""
    firsts: dict[Key, int] = {}
    for place, key in enumerate(keys, 1):
        if most >= 0 and len(firsts) >= most:
            break
        firsts.setdefault(key, place)
    head = [firsts.pop(zero)] if zero in firsts else []
    table = _Table(len(head), degree)
    for key, place in firsts.items():
        table.add(hash_(key), place)
    return head + table.places()


class _Table:
    def __init__(self, size: int, degree: int) -> None:
        self._degree = degree
        self._size = size
        self._cells: list[tuple[int, int] | None] = [None] * (1 << degree)

    def add(self, hash_: int, place: int) -> None:
        self._cells[self._free(hash_)] = (hash_, place)
        self._size += 1
        if self._size > 1 << (self._degree - 1):
            self._grow()

    def places(self) -> list[int]:
        return [cell[1] for cell in self._cells if cell is not None]

    def _free(self, hash_: int) -> int:
        mask = len(self._cells) - 1
        bucket = hash_ & mask
        while self._cells[bucket] is not None:
            bucket = (bucket + 1) & mask
        return bucket

    def _grow(self) -> None:
        """Widen, and move each cell to its bucket unless it reaches its own place first."""
        old = len(self._cells)
        self._degree += 1 if self._degree >= 23 else 2
        self._cells.extend([None] * ((1 << self._degree) - old))
        bucket = 0
        while bucket < old or (bucket < len(self._cells) and self._cells[bucket] is not None):
            self._move(bucket)
            bucket += 1

    def _move(self, bucket: int) -> None:
        cell = self._cells[bucket]
        if cell is None:
            return
        mask = len(self._cells) - 1
        target = cell[0] & mask
        while target != bucket and self._cells[target] is not None:
            target = (target + 1) & mask
        if target != bucket:
            self._cells[target], self._cells[bucket] = cell, None


# --- hashes ---


def _hash_float(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ (value >> 33)


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC = _crc_table()


def _crc(state: int, word: bytes) -> int:
    for byte in word:
        state = (state >> 8) ^ _CRC[(state ^ byte) & 0xFF]
    return state


def _hash_whole(value: int) -> int:
    return _crc(0xFFFFFFFF, value.to_bytes(8, "little"))


def _hash_text(text: bytes) -> int:
    size = len(text)
    if size < 8:
        return _hash_short(text) & 0xFFFFFFFF
    state, start = 0xFFFFFFFF, 0
    while True:
        state = _crc(state, text[start : start + 8])
        start += 8
        if start + 8 >= size:
            break
    return _crc(state, text[size - 8 :])


def _hash_short(text: bytes) -> int:
    size = len(text)
    if size >= 4:
        low = size + (int.from_bytes(text[:4], "little") << 3) & _MASK
        high = int.from_bytes(text[size - 4 :], "little")
        multiplier = 0x9DDFEA08EB382D69
        a = (low ^ high) * multiplier & _MASK
        a ^= a >> 47
        b = (high ^ a) * multiplier & _MASK
        b ^= b >> 47
        return b * multiplier & _MASK
    y = text[0] + (text[size >> 1] << 8)
    z = size + (text[size - 1] << 2)
    mixed = (y * 0x9AE16A3B2F90404F ^ z * 0xC949D7C7509E6557) & _MASK
    return (mixed ^ (mixed >> 47)) * 0x9AE16A3B2F90404F & _MASK


FUNCTIONS = {
    "tb_first_places": Udf(first_places, ("VARCHAR[]",), "BIGINT[]"),
    "tb_unique_texts": Udf(unique_texts, ("VARCHAR[]", "BIGINT"), "BIGINT[]"),
    "tb_unique_numbers": Udf(unique_numbers, ("HUGEINT[]", "INTEGER", "BIGINT"), "BIGINT[]"),
    "tb_unique_stored": Udf(unique_stored, ("HUGEINT[]", "INTEGER", "BIGINT"), "BIGINT[]"),
    "tb_unique_addresses": Udf(unique_addresses, ("HUGEINT[]", "BIGINT"), "BIGINT[]"),
    "tb_hashed_numbers": Udf(hashed_numbers, ("HUGEINT[]", "INTEGER", "INTEGER"), "BIGINT[]"),
    "tb_hashed_stored": Udf(hashed_stored, ("HUGEINT[]", "INTEGER", "INTEGER"), "BIGINT[]"),
    "tb_hashed_floats": Udf(hashed_floats, ("DOUBLE[]", "INTEGER", "INTEGER"), "BIGINT[]"),
    "tb_hashed_texts": Udf(hashed_texts, ("VARCHAR[]", "INTEGER"), "BIGINT[]"),
    "tb_unique_floats": Udf(unique_floats, ("DOUBLE[]", "INTEGER", "BIGINT"), "BIGINT[]"),
}
