"""Data sources and pipes of which a query sees only some rows, as the row filters of tokens say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbpy.clickhouse.compiler import Catalog, Table, View
from tbpy.clickhouse.parser import parse_expression
from tbpy.clickhouse.quoting import quote_identifier

_OWN = (None, "default")


@dataclass(frozen=True)
class Filtered:
    """A catalogue in which what `conditions` name has only the rows for which they hold.

    Names of another database stand in `conditions` as `database.name`.
    """

    inner: Catalog
    conditions: Mapping[str, str]

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        condition = self.conditions.get(name if database in _OWN else f"{database}.{name}")
        if condition is None or self.inner.resolve(name, database) is None:
            return self.inner.resolve(name, database)
        return filtered(name, database, condition, self.inner)

    def names(self) -> tuple[str, ...]:
        return self.inner.names()


def filtered(name: str, database: str | None, condition: str, catalog: Catalog) -> View:
    """What `name` is in `catalog`, without the other rows. Raises `QueryError` for what is no condition."""
    parse_expression(condition)  # so that it stays one, whatever stands around it
    table = quote_identifier(name) if database in _OWN else f"{database}.{quote_identifier(name)}"
    return View(name, f"SELECT * FROM {table} WHERE (\n{condition}\n)", catalog)
