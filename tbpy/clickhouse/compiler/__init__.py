"""The typed compiler: a ClickHouse statement in, DuckDB SQL with ClickHouse names and types out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tbpy.clickhouse.compiler.catalog import Catalog, StaticCatalog, Table, TableColumn, TableEngine, View

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.statement import CompiledQuery, ResultColumn, compile_query

__all__ = [
    "Catalog",
    "CompiledQuery",
    "ResultColumn",
    "StaticCatalog",
    "Table",
    "TableColumn",
    "TableEngine",
    "View",
    "compile_query",
]


def __getattr__(name: str) -> Any:
    """The whole compiler loads when it is asked for: families of functions, which it calls, import parts of it."""
    if name not in ("CompiledQuery", "ResultColumn", "compile_query"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tbpy.clickhouse.compiler import statement

    return getattr(statement, name)
