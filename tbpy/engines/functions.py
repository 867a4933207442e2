"""Python functions that compiled SQL calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

if TYPE_CHECKING:
    from tbpy.clickhouse.udf import Udf

_NULLS = {"default": FunctionNullHandling.DEFAULT, "special": FunctionNullHandling.SPECIAL}


def create_function(connection: duckdb.DuckDBPyConnection, name: str, udf: Udf) -> None:
    """Makes a function known to the database of a connection."""
    connection.create_function(
        name,
        udf.function,
        [duckdb.sqltype(argument) for argument in udf.arguments],
        duckdb.sqltype(udf.result),
        type=PythonUDFType.ARROW if udf.vectorized else PythonUDFType.NATIVE,
        null_handling=_NULLS[udf.null_handling],
    )
