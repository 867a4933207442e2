"""Numbers about what is stored."""

from __future__ import annotations

from tbpy.clickhouse.quoting import duckdb_string
from tbpy.engines import Session
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.infos import DatasourceInfo


def datasource_info(session: Session, datasource: StoredDatasource) -> DatasourceInfo:
    rows, quarantined = session.rows(
        f"SELECT (SELECT count(*) FROM {datasource.table}), (SELECT count(*) FROM {datasource.quarantine})"
    )[0]
    columns = tuple((column.name, column.type) for column in datasource.columns)
    return DatasourceInfo(datasource.name, rows, quarantined, stored_bytes(session, datasource), columns)


def stored_bytes(session: Session, datasource: StoredDatasource) -> int:
    """The blocks that a table takes in the database file; what is still in the log counts nothing."""
    storage = f"pragma_storage_info({duckdb_string(datasource.table)})"
    blocks = session.value(f"SELECT count(DISTINCT block_id) FROM {storage} WHERE block_id >= 0")
    return int(blocks) * int(session.value("SELECT block_size FROM pragma_database_size() LIMIT 1"))
