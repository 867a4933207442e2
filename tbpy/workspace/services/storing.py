"""The tables of the logs: the schema `service` of the workspace's database. No append waits for the compiler here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.types import parse_type
from tbpy.engines import Session
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.identifiers import resource_id
from tbpy.workspace.services.columns import column_types

SCHEMA = "service"
# One row: the id and the name of the workspace, as an organization lists it.
WORKSPACE = f"{SCHEMA}.workspace"
# What is written down as it happens, with the column that tells when, and how many days it is kept.
LOGS: dict[str, tuple[str, int]] = {
    "pipe_stats_rt": ("start_datetime", 7),
    "endpoint_errors": ("start_datetime", 30),
    "datasources_ops_log": ("timestamp", 30),
    "block_log": ("timestamp", 30),
    "jobs_log": ("created_at", 30),
    "datasources_storage": ("timestamp", 30),
}


def log_table(name: str) -> str:
    return f"{SCHEMA}.{name}"


@lru_cache(maxsize=16)
def log_columns(name: str) -> dict[str, str]:
    """The DuckDB types of a log's columns, by name."""
    return {column: duckdb_type(parse_type(type_)) for column, type_ in column_types(name).items()}


@dataclass(frozen=True)
class Identity:
    """What an organization knows of a workspace."""

    workspace_id: str
    name: str


def prepare(session: Session, identity: Identity) -> None:
    """Makes the tables where there are none. One of another tbpy, with other columns, begins anew."""
    session.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    session.execute(
        f"CREATE OR REPLACE TABLE {WORKSPACE} AS SELECT {duckdb_string(identity.workspace_id)} AS workspace_id, "
        f"{duckdb_string(identity.name)} AS name"
    )
    sql = "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = $schema"
    found: dict[str, list[str]] = dict(session.rows(f"{sql} GROUP BY table_name", {"schema": SCHEMA}))
    for name in LOGS:
        if found.get(name) == list(column_types(name)):
            continue
        session.execute(f"DROP TABLE IF EXISTS {log_table(name)}")
        columns = ", ".join(f"{duckdb_name(column)} {type_}" for column, type_ in log_columns(name).items())
        session.execute(f"CREATE TABLE {log_table(name)} ({columns})")


def stored_rows(found: StoredDatasource, moment: str) -> str:
    """SQL of one row: how much is stored of a data source now, at `moment`. Bytes are those of values."""
    width = found.row_width
    rows, quarantined = f"(SELECT count(*) FROM {found.table})", f"(SELECT count(*) FROM {found.quarantine})"
    values = {
        "datasource_id": duckdb_string(resource_id("datasource", found.name)),
        "datasource_name": duckdb_string(found.name),
        "timestamp": moment,
        "bytes": f"CAST({rows} * {width} AS UBIGINT)",
        "rows": f"CAST({rows} AS UBIGINT)",
        "bytes_quarantine": f"CAST({quarantined} * {width} AS UBIGINT)",
        "rows_quarantine": f"CAST({quarantined} AS UBIGINT)",
    }
    return f"SELECT {', '.join(f'{value} AS {duckdb_name(name)}' for name, value in values.items())}"
