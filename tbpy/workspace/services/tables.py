"""`tinybird.<name>` for the compiler: tables of the schema `service`, and what is made of them and of the catalogue.

`organization.<name>` is the same of an organization that has this workspace alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tbpy.clickhouse.compiler import Table, TableColumn, View
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.types import STRING, parse_type
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.services.columns import DATABASE, NAMES, OF_ORGANIZATION, ORGANIZATION, WORKSPACES, column_types
from tbpy.workspace.services.storing import LOGS, WORKSPACE, log_table, stored_rows

# What ClickHouse SQL makes of the logs.
_VIEWS = {
    "pipe_stats": """
        SELECT toStartOfDay(start_datetime) AS date, pipe_id, pipe_name, avgState(duration) AS avg_duration_state,
            sum(toUInt64(error)) AS error_count, count() AS view_count,
            quantilesTimingState(0.9, 0.95, 0.99)(toFloat64(duration)) AS quantile_timing_state,
            sum(read_bytes) AS read_bytes_sum, sum(read_rows) AS read_rows_sum,
            sum(toFloat64(cpu_time)) AS cpu_time_sum, resource_tags
        FROM tinybird.pipe_stats_rt GROUP BY date, pipe_id, pipe_name, resource_tags
    """,
    "datasources_ops_stats": """
        SELECT toStartOfDay(timestamp) AS event_date, datasource_id, datasource_name,
            toLowCardinality(event_type) AS event_type, pipe_id, pipe_name, countIf(result = 'error') AS error_count,
            count() AS executions, avgState(elapsed_time) AS avg_elapsed_time_state,
            quantilesState(0.9, 0.95, 0.99)(toFloat64(elapsed_time)) AS quantiles_state,
            sum(l.read_rows) AS read_rows, sum(l.read_bytes) AS read_bytes, sum(l.written_rows) AS written_rows,
            sum(l.written_bytes) AS written_bytes, sum(l.written_rows_quarantine) AS written_rows_quarantine,
            sum(l.written_bytes_quarantine) AS written_bytes_quarantine, sum(toFloat64(l.cpu_time)) AS cpu_time,
            resource_tags
        FROM tinybird.datasources_ops_log AS l
        GROUP BY event_date, datasource_id, datasource_name, l.event_type, pipe_id, pipe_name, resource_tags
    """,
}


@dataclass(frozen=True)
class ServiceCatalog:
    """The service data sources of a workspace that has `stored`; nothing else."""

    stored: Mapping[str, StoredDatasource]

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        if database == ORGANIZATION:
            return self._of_organization(name)
        if database != DATABASE or name not in NAMES:
            return None
        if name in _VIEWS:
            return View(f"{DATABASE}.{name}", _VIEWS[name], self)
        return Table(f"{DATABASE}.{name}", self._relation(name), columns_of(name))

    def names(self) -> tuple[str, ...]:
        own = (f"{DATABASE}.{name}" for name in sorted(NAMES))
        return (*own, *(f"{ORGANIZATION}.{name}" for name in sorted(OF_ORGANIZATION | {WORKSPACES})))

    def _of_organization(self, name: str) -> Table | View | None:
        full = f"{ORGANIZATION}.{name}"
        if name == WORKSPACES:
            return Table(full, WORKSPACE, _WORKSPACE_COLUMNS)
        if name not in OF_ORGANIZATION:
            return None
        own = f"{DATABASE}.{name}"
        if "workspace_id" in column_types(name):
            return View(full, f"SELECT * FROM {own}", self)
        of = f"{ORGANIZATION}.{WORKSPACES}"
        return View(full, f"SELECT w.workspace_id AS workspace_id, s.* FROM {own} AS s CROSS JOIN {of} AS w", self)

    def _relation(self, name: str) -> str:
        if name == "datasources_storage":
            return _storage(self.stored.values())
        if name == "jobs_log":
            return f"(SELECT * FROM {log_table(name)} UNION ALL {_COPY_JOBS})"
        return log_table(name) if name in LOGS else _nothing(name)


# Copies have their jobs in the catalogue, written with the rows. Ids are those of `resource_id`.
_COPY_JOBS = (
    f"SELECT id, kind, status, error, (SELECT workspace_id FROM {WORKSPACE}), NULL, "
    "'t_' || substr(sha256('pipe:' || pipe), 1, 32), "
    "'t_' || substr(sha256('datasource:' || datasource), 1, 32), created_at, created_at, updated_at, "
    "json_object('rows', rows) FROM tbpy.jobs"
)
_WORKSPACE_COLUMNS = (TableColumn("workspace_id", STRING), TableColumn("name", STRING))
_NOW = "CAST(date_trunc('second', now()) AS TIMESTAMP)"


@lru_cache(maxsize=64)
def columns_of(name: str) -> tuple[TableColumn, ...]:
    return tuple(TableColumn(column, parse_type(type_)) for column, type_ in column_types(name).items())


def _nothing(name: str) -> str:
    columns = (f"CAST(NULL AS {duckdb_type(c.type)}) AS {duckdb_name(c.name)}" for c in columns_of(name))
    return f"(SELECT {', '.join(columns)} WHERE false)"


def _storage(stored: Iterable[StoredDatasource]) -> str:
    """How much is stored now, after what was noted of every hour before."""
    noted = f"SELECT * FROM {log_table('datasources_storage')}"
    return f"({' UNION ALL '.join((noted, *(stored_rows(found, _NOW) for found in stored)))})"
