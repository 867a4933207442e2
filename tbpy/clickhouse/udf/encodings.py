"""Encodings that DuckDB lacks."""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
import unicodedata
from functools import partial
from html.entities import html5
from uuid import UUID

from tbpy.clickhouse.udf import Udf

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BITS = {f"{nibble:X}": f"{nibble:04b}" for nibble in range(16)}
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_XML_NAMES = {"amp;": "&", "lt;": "<", "gt;": ">", "quot;": '"', "apos;": "'"}
_REFERENCE = re.compile(r"&(?:#(\d+);|#[xX]([0-9a-fA-F]+);|([a-zA-Z0-9]+;))")
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def base58_encode(data: bytes) -> str:
    number, digits = int.from_bytes(data, "big"), []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_BASE58[digit])
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + "".join(reversed(digits))


def base58_decode(text: str) -> bytes:
    """Raises ValueError for other characters."""
    number = 0
    for char in text:
        if char not in _BASE58:
            raise ValueError(f"INCORRECT_DATA: Invalid base58Decode value ({text}), cannot be decoded")
        number = number * 58 + _BASE58.index(char)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base32_encode(data: bytes) -> str:
    return base64.b32encode(data).decode()


def base32_decode(text: str) -> bytes:
    """Raises ValueError for what is no base32."""
    try:
        return base64.b32decode(text)
    except binascii.Error:
        raise ValueError(f"INCORRECT_DATA: Invalid base32Decode value ({text}), cannot be decoded") from None


def hex_to_bin(digits: str) -> str:
    return "".join(_BITS[digit] for digit in digits)


def unbin(text: str) -> bytes:
    """Eight digits a byte, the first byte from what is left over."""
    size = (len(text) + 7) // 8
    return bytes(int(text.rjust(size * 8, "0")[i * 8 : i * 8 + 8], 2) for i in range(size))


def integer_bytes(number: int, size: int) -> bytes:
    """As ClickHouse keeps it in memory: little-endian, two's complement."""
    return (number % (1 << size * 8)).to_bytes(size, "little")


def float32_bytes(number: float) -> bytes:
    return struct.pack("<f", number)


def float64_bytes(number: float) -> bytes:
    return struct.pack("<d", number)


def float32_bits(number: float) -> int:
    return int.from_bytes(float32_bytes(number), "little")


def float64_bits(number: float) -> int:
    return int.from_bytes(float64_bytes(number), "little")


def uuid_bytes(value: UUID) -> bytes:
    """As ClickHouse keeps it in memory: two little-endian halves, the first one first."""
    return value.bytes[7::-1] + value.bytes[:7:-1]


def encode_xml(text: str) -> str:
    return "".join(_XML.get(char, char) for char in text)


def decode_xml(text: str) -> str:
    return _decode(text, _XML_NAMES)


def decode_html(text: str) -> str:
    return _decode(text, html5)


def _decode(text: str, names: dict[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        decimal, hexadecimal, name = match.groups()
        if name:
            return names.get(name, match[0])
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]

    return _REFERENCE.sub(one, text)


def case_fold(text: str) -> str:
    return text.casefold()


def normalize_casefold(text: str) -> str:
    """NFKC with case folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def remove_diacritics(text: str) -> str:
    """Without the marks that stand on letters."""
    letters = (char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char) != "Mn")
    return unicodedata.normalize("NFC", "".join(letters))


def bar(value: float, low: float, high: float, width: float) -> str:
    """A bar of block characters, in eighths of one; `width` is that of the value `high`."""
    if math.isnan(value) or not value > low:
        return ""
    size = width if value >= high else (value - low) / (high - low) * width
    whole, part = divmod(int(size * 8), 8)
    return "█" * whole + _EIGHTHS[part]


FUNCTIONS: dict[str, Udf] = {
    "tb_base58_encode": Udf(base58_encode, ("BLOB",), "VARCHAR"),
    "tb_base58_decode": Udf(base58_decode, ("VARCHAR",), "BLOB"),
    "tb_base32_encode": Udf(base32_encode, ("BLOB",), "VARCHAR"),
    "tb_base32_decode": Udf(base32_decode, ("VARCHAR",), "BLOB"),
    "tb_hex_to_bin": Udf(hex_to_bin, ("VARCHAR",), "VARCHAR"),
    "tb_unbin": Udf(unbin, ("VARCHAR",), "BLOB"),
    "tb_integer_bytes": Udf(integer_bytes, ("HUGEINT", "INTEGER"), "BLOB"),
    "tb_float32_bytes": Udf(float32_bytes, ("FLOAT",), "BLOB"),
    "tb_float64_bytes": Udf(float64_bytes, ("DOUBLE",), "BLOB"),
    "tb_unsigned_bytes": Udf(integer_bytes, ("UHUGEINT", "INTEGER"), "BLOB"),
    "tb_float32_bits": Udf(float32_bits, ("FLOAT",), "UBIGINT"),
    "tb_float64_bits": Udf(float64_bits, ("DOUBLE",), "UBIGINT"),
    "tb_uuid_bytes": Udf(uuid_bytes, ("UUID",), "BLOB"),
    "tb_encode_xml": Udf(encode_xml, ("VARCHAR",), "VARCHAR"),
    "tb_decode_xml": Udf(decode_xml, ("VARCHAR",), "VARCHAR"),
    "tb_decode_html": Udf(decode_html, ("VARCHAR",), "VARCHAR"),
    "tb_case_fold": Udf(case_fold, ("VARCHAR",), "VARCHAR"),
    "tb_normalize_nfkc_casefold": Udf(normalize_casefold, ("VARCHAR",), "VARCHAR"),
    "tb_remove_diacritics": Udf(remove_diacritics, ("VARCHAR",), "VARCHAR"),
    "tb_bar": Udf(bar, ("DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"), "VARCHAR"),
    **{
        f"tb_normalize_{form.lower()}": Udf(partial(unicodedata.normalize, form), ("VARCHAR",), "VARCHAR")
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    },
}
