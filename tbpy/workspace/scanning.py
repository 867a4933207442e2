"""What a query reads, for its statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from tbpy.clickhouse.memory import row_width
from tbpy.clickhouse.types import parse_type
from tbpy.engines import Scan
from tbpy.workspace.definitions import StoredDatasource

_QUARANTINE = "_quarantine"


def scans_of(tables: Collection[str], stored: Mapping[str, StoredDatasource]) -> tuple[Scan, ...]:
    """The data sources and quarantines among the tables of a compiled query, each once."""
    return tuple(scan for name in tables if (scan := _scan(name, stored)) is not None)


def _scan(name: str, stored: Mapping[str, StoredDatasource]) -> Scan | None:
    found = stored.get(name)
    if found is not None:
        return Scan(found.table, _width(tuple(column.type for column in found.columns)))
    base = stored.get(name.removesuffix(_QUARANTINE))
    return None if base is None else Scan(base.quarantine, 16 * len(base.columns))


@lru_cache(maxsize=1024)
def _width(types: tuple[str, ...]) -> int:
    return row_width(map(parse_type, types))
