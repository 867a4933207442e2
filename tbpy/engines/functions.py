"""Python functions that compiled SQL calls: registered once a database, and only those that a query names."""

from __future__ import annotations

from collections.abc import Iterable

from tbpy.engines.session import Session


def register(session: Session, names: Iterable[str], registered: set[str]) -> None:
    """Makes the functions of `tbpy.clickhouse.udf.FUNCTIONS` with these names known to the database."""
    missing = [name for name in names if name not in registered]
    if not missing:
        return
    from tbpy.clickhouse.udf import FUNCTIONS

    for name in missing:
        function = FUNCTIONS[name]
        session.register(name, function)
        registered.add(name)
