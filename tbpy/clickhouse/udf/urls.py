"""URL functions that a regular expression cannot say.

Source: ClickHouse's public documentation of URL functions and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from tbpy.clickhouse.udf import Udf

_SCHEME = re.compile(r"[\s\S][a-zA-Z0-9.+-]{0,12}://|//")
_RESTRICTED = frozenset(" \t<>%{}|\\^~[]")
_DELIMITERS = frozenset(";=&")
_CACHED = 1 << 14


# --- hosts ------------------------------------------------------------------------------------------------------------


@cache
def second_level_domains() -> frozenset[str]:
    """Suffixes of two labels, such as co.uk, under which names are registered."""
    text = files("tbpy.clickhouse.udf").joinpath("second_level_domains.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


@lru_cache(_CACHED)
def _significant_label(domain: str) -> int:
    """Which label of a domain is the first significant one, counted from the end."""
    labels = domain.split(".")
    if len(labels) < 3:
        return len(labels)
    return 3 if ".".join(labels[-2:]) in second_level_domains() else 2


def first_significant(domain: str) -> str:
    return domain.split(".")[-_significant_label(domain)]


def cut_to_significant(domain: str) -> str:
    if not first_significant(domain):
        return ""
    return ".".join(domain.split(".")[-_significant_label(domain) :])


def _start(url: str) -> int:
    """Where the authority starts: behind `scheme://` or `//`."""
    found = _SCHEME.match(url)
    return found.end() if found else 0


def domain_rfc(url: str) -> str:
    return _authority_rfc(url)[0]


def port_rfc(url: str) -> int:
    text = _authority_rfc(url)[1]
    number = int(text) if re.fullmatch("[0-9]+", text) else 0
    return number if number < 65536 else 0


@lru_cache(_CACHED)
def _authority_rfc(url: str) -> tuple[str, str]:
    """Host and text of the port, as RFC 3986 places them; empty when there is no host with a dot."""
    authority = re.match("[^/?#]*", url[_start(url) :])
    assert authority is not None
    user, at, rest = authority[0].rpartition("@")
    if "@" in user:
        return "", ""
    if rest.startswith("["):
        host, closed, tail = rest[1:].partition("]")
        if not closed or ":" not in host or set(host) & (_RESTRICTED | _DELIMITERS | set(".[")):
            return "", ""
        return host, tail[1:] if tail.startswith(":") else ""
    host, _, port = rest.partition(":")
    dotted = "." in host or (at and "." in user.partition(":")[0])
    if (
        not dotted
        or not host
        or host.endswith(".")
        or (_RESTRICTED - {"%"}) & set(user)
        or _RESTRICTED & set(rest)
        or _DELIMITERS & set(rest)
    ):
        return "", ""
    return host, port


def netloc(url: str) -> str:
    """The network location: to the last `/`, or to `?` or a sub-delimiter; behind an `@` or before a `#` all of it."""
    start = _start(url)
    if not start and re.match(r"[\s\S][a-zA-Z0-9.+-]{0,14}[ \t<>%{}|\\^~\[\];=&]", url):
        return ""
    named = False
    slash = other = len(url)
    for position in range(start, len(url)):
        char = url[position]
        if char == "#" or (named and char in "/?"):
            return url[start:position]
        if char in " \t<>{}|\\^[]":
            return url[start : min(slash, other, position)]
        if char == "@":
            named = True
        elif char == "/":
            slash = position
        elif char == "?" or (char in "%~;=&" and other == len(url)):
            other = position
    return url[start:] if named else url[start : min(slash, other)]


# --- hierarchies ------------------------------------------------------------------------------------------------------

_HEAD = re.compile(r"[a-z0-9]+://(?=[\s\S])[^/?#]*")
_STEP = re.compile(r"[/?#]*[^/?#]+[/?#]?")


def _steps(url: str, start: int) -> Iterator[int]:
    """Where each level of the path ends."""
    while found := _STEP.match(url, start):
        start = found.end()
        yield start


def url_hierarchy(url: str) -> list[str]:
    if not url:
        return []
    head = _HEAD.match(url)
    if head is None:
        return [url]
    first = min(head.end() + 1, len(url))
    return [url[:first], *(url[:end] for end in _steps(url, first))]


def url_path_hierarchy(url: str) -> list[str]:
    head = _HEAD.match(url)
    if head is None:
        return []
    return [url[head.end() : end] for end in _steps(url, head.end() + 1)]


# --- parameters -------------------------------------------------------------------------------------------------------


def _parameters(url: str) -> Iterator[tuple[int, int, int]]:
    """(start, end of the name, end) of each parameter; a last one without `=` does not count."""
    query = re.search("[?#]", url)
    if query is None or query.end() >= len(url):
        return
    position = query.end()
    while True:
        stop = re.compile("[=&#?]").search(url, position)
        if stop is None:
            return
        if stop[0] == "?":
            position = stop.end()
            continue
        end = stop.start()
        if stop[0] == "=":
            after = re.compile("[&#]").search(url, end)
            yield position, end, after.start() if after else len(url)
            if after is None:
                return
            position = after.end()
        else:
            yield position, end, end
            position = stop.end()


def url_parameters(url: str) -> list[str]:
    return [url[start:end] for start, _, end in _parameters(url)]


def url_parameter_names(url: str) -> list[str]:
    return [url[start:end] for start, end, _ in _parameters(url)]


def cut_url_parameters(url: str, names: list[str]) -> str:
    """Without the first parameter of each name, and one `&` beside it. All are found in the URL as it came."""
    gone: set[int] = set()
    for name in names:
        gone.update(_parameter_places(url, f"{name}="))
    return "".join(char for position, char in enumerate(url) if position not in gone)


def _parameter_places(url: str, pattern: str) -> range:
    query = re.search("[?#]", url)
    if query is None:
        return range(0)
    start = url.find(pattern, query.end())
    while start > query.end() and url[start - 1] not in "?#&":
        start = url.find(pattern, start + 1)
    if start < 0:
        return range(0)
    after = re.compile("[&#]").search(url, start + len(pattern))
    end = after.start() if after else len(url)
    if url[end : end + 1] == "&":
        return range(start, end + 1)
    return range(start - (start != query.end() and url[start - 1] == "&"), end)


FUNCTIONS: dict[str, Udf] = {
    "tb_first_significant": Udf(first_significant, ("VARCHAR",), "VARCHAR"),
    "tb_cut_to_significant": Udf(cut_to_significant, ("VARCHAR",), "VARCHAR"),
    "tb_domain_rfc": Udf(domain_rfc, ("VARCHAR",), "VARCHAR"),
    "tb_port_rfc": Udf(port_rfc, ("VARCHAR",), "USMALLINT"),
    "tb_netloc": Udf(netloc, ("VARCHAR",), "VARCHAR"),
    "tb_url_hierarchy": Udf(url_hierarchy, ("VARCHAR",), "VARCHAR[]"),
    "tb_url_path_hierarchy": Udf(url_path_hierarchy, ("VARCHAR",), "VARCHAR[]"),
    "tb_url_parameters": Udf(url_parameters, ("VARCHAR",), "VARCHAR[]"),
    "tb_url_parameter_names": Udf(url_parameter_names, ("VARCHAR",), "VARCHAR[]"),
    "tb_cut_url_parameters": Udf(cut_url_parameters, ("VARCHAR", "VARCHAR[]"), "VARCHAR"),
}
