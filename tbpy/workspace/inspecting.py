"""Numbers about what is stored."""

from __future__ import annotations

from tbpy.engines import Session
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.infos import DatasourceInfo


def datasource_info(session: Session, datasource: StoredDatasource) -> DatasourceInfo:
    rows, quarantined = session.rows(
        f"SELECT (SELECT count(*) FROM {datasource.table}), (SELECT count(*) FROM {datasource.quarantine})"
    )[0]
    columns = tuple((column.name, column.type) for column in datasource.columns)
    return DatasourceInfo(datasource.name, rows, quarantined, rows * datasource.row_width, columns)
