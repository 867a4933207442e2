"""The typed compiler: a ClickHouse statement in, DuckDB SQL with ClickHouse names and types out."""

from __future__ import annotations

from tbpy.clickhouse.compiler.catalog import Catalog, StaticCatalog, Table, TableColumn, TableEngine, View
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
