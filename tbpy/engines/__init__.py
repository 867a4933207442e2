"""Engines: what stores and computes. This room alone imports a database driver."""

from tbpy.engines.duckdb import DuckDBEngine
from tbpy.engines.result import QueryResult, Row, Statistics
from tbpy.engines.session import Session

__all__ = ["DuckDBEngine", "QueryResult", "Row", "Session", "Statistics"]
