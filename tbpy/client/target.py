"""Where a command goes: a server that speaks Tinybird's HTTP API, with the token that lets one in."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tbpy.errors import UsageError

STAGING = "staging"


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is a URL without a slash at its end; `name` that of the profile, or where the token is from.

    `staging` is whether requests go to the deployment that is not live yet.
    """

    name: str
    host: str
    token: str = field(repr=False)
    staging: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.host}{', staging' if self.staging else ''})"


def host_url(text: str) -> str:
    """`api.tinybird.co` and `https://api.tinybird.co/` are the same host. Raises `UsageError` for what is no host."""
    local = text.startswith(("localhost", "127.0.0.1", "[::1]"))
    url = text if "://" in text else f"{'http' if local else 'https'}://{text}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{text!r} is no host", hint="write it as https://host, or http://localhost:7181")
    return url.rstrip("/")
