"""Values of literal tokens: numbers and quoted texts."""

from __future__ import annotations

import re

_SIMPLE = {"b": "\b", "f": "\f", "r": "\r", "n": "\n", "t": "\t", "0": "\0", "a": "\a", "v": "\v", "e": "\x1b"}
_SPECIAL = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|N|(.))|(['`\"])\3", re.DOTALL)
UINT64_MAX = (1 << 64) - 1


def unquote(token: str) -> str:
    """The text of a quoted token: escapes resolved, doubled quotes halved, unknown escapes kept as they are."""
    quote, body = token[0], token[1:-1]
    if "\\" not in body and quote not in body:
        return body
    text = _SPECIAL.sub(lambda match: _unescape(match, quote), body)
    # Bytes of one character may be escaped one by one.
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _unescape(match: re.Match[str], quote: str) -> str:
    code, char, doubled = match.groups()
    if doubled:
        return quote if doubled == quote else doubled * 2
    if code:
        return bytes.fromhex(code).decode("utf-8", "surrogateescape")
    if char is None:
        return ""
    if char in "\\'\"`/=":
        return str(char)
    return _SIMPLE.get(char, "\\" + char)


def string_value(token: str) -> str:
    """The value of a string token: quoted, `x'41'`, `b'0100'` or a heredoc."""
    first = token[0]
    if first == "'":
        return unquote(token)
    if first == "$":
        tag = token.index("$", 1) + 1
        return token[tag:-tag]
    digits = token[2:-1]
    if first in "xX":
        return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).decode("utf-8", "surrogateescape")
    padded = digits.zfill(-(-len(digits) // 8) * 8)
    octets = bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))
    return octets.decode("utf-8", "surrogateescape")


def number_value(token: str) -> int | float:
    """The value of a number token. Whole numbers past 64 bits are floats, as in ClickHouse."""
    text = token.replace("_", "")
    head = text[:2].lower()
    if head == "0x":
        if "." in text or "p" in text or "P" in text:
            return float.fromhex(text)
        return _whole(int(text, 16))
    if head == "0b":
        return _whole(int(text, 2))
    if text.isdigit():
        return _whole(int(text))
    return float(text)


def _whole(value: int) -> int | float:
    return value if value <= UINT64_MAX else float(value)
