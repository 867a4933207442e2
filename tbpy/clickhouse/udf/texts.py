"""Functions of texts that DuckDB lacks."""

from __future__ import annotations

from tbpy.clickhouse.formats.width import shown_width
from tbpy.clickhouse.udf import Udf

_SOUNDEX = {
    letter: digit
    for letters, digit in (("BFPV", "1"), ("CGJKQSXZ", "2"), ("DT", "3"), ("L", "4"), ("MN", "5"), ("R", "6"))
    for letter in letters
}


def initcap(text: str) -> str:
    """Every run of ASCII letters and digits with one capital; other characters separate and stay."""
    result, inside = [], False
    for char in text:
        word = char.isascii() and char.isalnum()
        result.append(_ascii_case(char, upper=not inside) if word else char)
        inside = word
    return "".join(result)


def _ascii_case(char: str, *, upper: bool) -> str:
    return char.upper() if upper else char.lower()


def initcap_utf8(text: str) -> str:
    result, inside = [], False
    for char in text:
        word = char.isalnum()
        changed = char.lower() if inside else char.upper()
        result.append(changed if word and len(changed) == 1 else char)
        inside = word
    return "".join(result)


def to_valid_utf8(data: bytes) -> str:
    """Bytes as text; every run of invalid bytes becomes one replacement character."""
    parts, after_bad = [], False
    for char in data.decode("utf-8", "surrogateescape"):
        bad = "\udc80" <= char <= "\udcff"
        if not bad:
            parts.append(char)
        elif not after_bad:
            parts.append("\ufffd")
        after_bad = bad
    return "".join(parts)


def reverse_bytes(data: bytes) -> bytes:
    return data[::-1]


def overlay(data: bytes, replacement: bytes, offset: int, length: int) -> bytes:
    """`length` bytes from `offset` exchanged: a negative offset counts from the end, 0 is the end; a negative length is
    the replacement's own."""
    start, end = _range(len(data), len(replacement), offset, length)
    return data[:start] + replacement + data[end:]


def overlay_utf8(text: str, replacement: str, offset: int, length: int) -> str:
    start, end = _range(len(text), len(replacement), offset, length)
    return text[:start] + replacement + text[end:]


def _range(size: int, own: int, offset: int, length: int) -> tuple[int, int]:
    start = max(size + offset, 0) if offset < 0 else min(offset - 1, size) if offset else size
    return start, min(start + (length if length >= 0 else own), size)


def soundex(text: str) -> str:
    """A letter and three digits for the ASCII letters, 0000 when there is none. H and W separate, as vowels do."""
    letters = [char.upper() for char in text if char.isascii() and char.isalpha()]
    if not letters:
        return "0000"
    code, last = letters[0], _SOUNDEX.get(letters[0], "")
    for letter in letters[1:]:
        digit = _SOUNDEX.get(letter, "")
        if digit and digit != last:
            code += digit
        last = digit
    return code[:4].ljust(4, "0")


def trim_bytes(data: bytes, bytes_: bytes) -> bytes:
    return data.strip(bytes_)


def left_trim_bytes(data: bytes, bytes_: bytes) -> bytes:
    return data.lstrip(bytes_)


def right_trim_bytes(data: bytes, bytes_: bytes) -> bytes:
    return data.rstrip(bytes_)


def visible_width(text: str) -> int:
    """Columns of a terminal, with a tab stop every 8. Raises ValueError beyond the basic plane of Unicode."""
    if max(text, default="") > "\uffff":
        raise ValueError("Function visibleWidth of characters beyond U+FFFF is not supported by tbpy yet")
    width = 0
    for char in text:
        if char == "\t":
            width = (width // 8 + 1) * 8
        elif char >= " ":
            width += shown_width(char)
    return width


def find_bytes(haystack: bytes, needle: bytes, start: int) -> int:
    """The place from 1 of the needle at or after a place; 0 when there is none."""
    return haystack.find(needle, start - 1) + 1


FUNCTIONS: dict[str, Udf] = {
    "tb_lower_utf8": Udf(str.lower, ("VARCHAR",), "VARCHAR"),
    "tb_upper_utf8": Udf(str.upper, ("VARCHAR",), "VARCHAR"),
    "tb_initcap": Udf(initcap, ("VARCHAR",), "VARCHAR"),
    "tb_initcap_utf8": Udf(initcap_utf8, ("VARCHAR",), "VARCHAR"),
    "tb_to_valid_utf8": Udf(to_valid_utf8, ("BLOB",), "VARCHAR"),
    "tb_reverse_bytes": Udf(reverse_bytes, ("BLOB",), "BLOB"),
    "tb_overlay": Udf(overlay, ("BLOB", "BLOB", "BIGINT", "BIGINT"), "BLOB"),
    "tb_overlay_utf8": Udf(overlay_utf8, ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT"), "VARCHAR"),
    "tb_find_bytes": Udf(find_bytes, ("BLOB", "BLOB", "BIGINT"), "BIGINT"),
    "tb_visible_width": Udf(visible_width, ("VARCHAR",), "UBIGINT"),
    "tb_trim_bytes": Udf(trim_bytes, ("BLOB", "BLOB"), "BLOB"),
    "tb_ltrim_bytes": Udf(left_trim_bytes, ("BLOB", "BLOB"), "BLOB"),
    "tb_rtrim_bytes": Udf(right_trim_bytes, ("BLOB", "BLOB"), "BLOB"),
    "tb_soundex": Udf(soundex, ("VARCHAR",), "VARCHAR"),
}
