"""The columns that Tinybird's connectors add to a data source whose SCHEMA does not name them.

Source: Tinybird's documentation of the connectors for Kafka and DynamoDB. They stand behind those of the SCHEMA, so
that rows without names keep their places. Rows that do not come from a connector need no values for them.
"""

from __future__ import annotations

from dataclasses import replace

from tbpy.datafiles import Column, Datasource

_KAFKA = (
    Column("__value", "String", default="''"),
    Column("__topic", "LowCardinality(String)", default="''"),
    Column("__partition", "Int16", default="0"),
    Column("__offset", "Int64", default="0"),
    Column("__timestamp", "DateTime", default="now()"),
    Column("__key", "String", default="''"),
)
_HEADERS = Column("__headers", "Map(String, String)", default="map()")
_DYNAMODB = (
    Column("_record", "String", nullable=True, default="NULL"),
    Column("_old_record", "String", nullable=True, default="NULL"),
    Column("_timestamp", "DateTime64(3)", default="now64(3)"),
    Column("_event_name", "LowCardinality(String)", default="''"),
    Column("_is_deleted", "UInt8", default="0"),
)


def with_connector_columns(datasource: Datasource) -> Datasource:
    """The data source with all columns that it has on the server."""
    wanted = _wanted(datasource)
    if not wanted:
        return datasource
    defaults = {column.name: column.default for column in wanted}
    named = tuple(replace(column, default=column.default or defaults.get(column.name)) for column in datasource.columns)
    added = tuple(column for column in wanted if datasource.column(column.name) is None)
    return replace(datasource, columns=(*named, *added))


def _wanted(datasource: Datasource) -> tuple[Column, ...]:
    settings = datasource.settings
    if settings.find("kafka_topic") is not None:
        stores_headers = (settings.get("kafka_store_headers") or "").lower() == "true"
        return (*_KAFKA, _HEADERS) if stores_headers else _KAFKA
    return _DYNAMODB if settings.find("import_table_arn") is not None else ()
