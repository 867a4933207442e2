"""Bytes of memory read as values: little-endian, what is missing counts as zero, what is too much is left out."""

from __future__ import annotations

from tbpy.clickhouse.udf import Udf


def number_of(data: bytes, size: int, signed: bool) -> str:
    """The digits of the whole number that so many bytes tell."""
    return str(int.from_bytes(data[:size].ljust(size, b"\0"), "little", signed=signed))


def uuid_of(data: bytes) -> str:
    """The hexadecimal digits of a UUID, whose halves are numbers of 64 bits."""
    whole = data[:16].ljust(16, b"\0")
    return (whole[7::-1] + whole[:7:-1]).hex()


def stripped(data: bytes) -> bytes:
    """Without the zeros at the end."""
    return data.rstrip(b"\0")


FUNCTIONS = {
    "tb_number_of_bytes": Udf(number_of, ("BLOB", "INTEGER", "BOOLEAN"), "VARCHAR"),
    "tb_uuid_of_bytes": Udf(uuid_of, ("BLOB",), "VARCHAR"),
    "tb_stripped_bytes": Udf(stripped, ("BLOB",), "BLOB"),
}
