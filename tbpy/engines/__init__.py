"""Engines: what stores and computes. This room alone imports a database driver."""

from tbpy.engines.duckdb import DuckDBEngine
from tbpy.engines.failures import DatabaseInUseError
from tbpy.engines.interruption import Interruption
from tbpy.engines.result import QueryResult, Row, Scan, Statistics
from tbpy.engines.session import Session

__all__ = ["DatabaseInUseError", "DuckDBEngine", "Interruption", "QueryResult", "Row", "Scan", "Session", "Statistics"]
