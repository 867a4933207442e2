"""IPv6 addresses as texts, and networks."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from tbpy.clickhouse.udf import Udf

_GROUP = re.compile(r"[0-9a-fA-F]{1,4}\Z")
_TAIL = re.compile(r"(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\Z", re.ASCII)


def ipv6_number(text: str | None) -> int | None:
    """The number of an address; None for what is none. `::` may stand for no group at all."""
    if text is None:
        return None
    tail = _TAIL.match(text)
    if tail is not None:
        numbers = [int(tail[place]) for place in (2, 3, 4, 5)]
        if max(numbers) > 255:
            return None
        text = f"{tail[1]}{numbers[0] << 8 | numbers[1]:x}:{numbers[2] << 8 | numbers[3]:x}"
    head, gap, rest = text.partition("::")
    groups = head.split(":") if head else []
    after = rest.split(":") if rest else []
    missing = 8 - len(groups) - len(after)
    if missing < 0 or (missing and not gap) or not all(map(_GROUP.match, (*groups, *after))):
        return None
    return int("".join(group.zfill(4) for group in (*groups, *["0"] * missing, *after)), 16)


def ipv6_text(number: int) -> str:
    """As inet_ntop writes it: mapped and compatible IPv4 addresses keep their dots."""
    high, low = number >> 32, number & 0xFFFFFFFF
    if high in (0, 0xFFFF) and (high or low > 0xFFFF):
        dots = ".".join(str(low >> shift & 255) for shift in (24, 16, 8, 0))
        return f"::{'ffff:' if high else ''}{dots}"
    return IPv6Address(number).compressed


def _address(text: str) -> tuple[int, int]:
    """The number and the bits of an address. Raises ValueError for what is none."""
    parts = text.split(".")
    if len(parts) == 4 and ":" not in text and all(part.isdecimal() and int(part) < 256 for part in parts):
        return int.from_bytes(bytes(map(int, parts)), "big"), 32
    number = ipv6_number(text)
    if number is None:
        raise ValueError(f"Neither IPv4 nor IPv6 address: '{text}'")
    return number, 128


def ip_in_range(address: str, network: str) -> bool:
    """Whether an address is in a network of its own kind, such as 10.0.0.0/8."""
    start, slash, length = network.rpartition("/")
    if not slash:
        raise ValueError(f"The text does not contain '/': {network}")
    number, bits = _address(address)
    first, width = _address(start)
    if not length.isdecimal() or int(length) > width:
        raise ValueError(f"The CIDR has a malformed prefix bits: {network}")
    shift = width - int(length)
    return bits == width and number >> shift == first >> shift


def _network(number: int, fixed: int, last: bool, bits: int) -> int:
    low = (1 << bits - min(fixed, bits)) - 1
    return number | low if last else number & ~low


def network32(number: int, fixed: int, last: bool) -> int:
    return _network(number, fixed, last, 32)


def network128(number: int, fixed: int, last: bool) -> int:
    return _network(number, fixed, last, 128)


FUNCTIONS: dict[str, Udf] = {
    "tb_ipv6_number": Udf(ipv6_number, ("VARCHAR",), "UHUGEINT", null_handling="special"),
    "tb_ipv6_text": Udf(ipv6_text, ("UHUGEINT",), "VARCHAR"),
    "tb_ip_in_range": Udf(ip_in_range, ("VARCHAR", "VARCHAR"), "BOOLEAN"),
    "tb_network32": Udf(network32, ("UINTEGER", "UTINYINT", "BOOLEAN"), "UINTEGER"),
    "tb_network128": Udf(network128, ("UHUGEINT", "UTINYINT", "BOOLEAN"), "UHUGEINT"),
}
