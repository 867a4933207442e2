"""What a workspace tells of its resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tbpy.templating import Parameter


@dataclass(frozen=True, slots=True)
class DatasourceInfo:
    """`rows` and `quarantined` are counts, `bytes` the size of the data on disk (0 while it is only in the log)."""

    name: str
    rows: int
    quarantined: int
    bytes: int
    columns: tuple[tuple[str, str], ...]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class PipeInfo:
    """`type` is that of its typed node: endpoint, materialized, copy, sink; None for a pipe without one."""

    name: str
    type: str | None
    nodes: tuple[str, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    name: str
    parameters: tuple[Parameter, ...]
    description: str | None = None
