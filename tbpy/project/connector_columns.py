"""The columns that Tinybird's Kafka connector adds to a data source whose SCHEMA does not name them.

Source: Tinybird's documentation of the connector. They stand behind those of the SCHEMA, so that rows without names
keep their places. Rows that do not come from Kafka need no values for them.
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


def with_connector_columns(datasource: Datasource) -> Datasource:
    """The data source with all columns that it has on the server."""
    if datasource.settings.find("kafka_topic") is None:
        return datasource
    stores_headers = (datasource.settings.get("kafka_store_headers") or "").lower() == "true"
    wanted = (*_KAFKA, _HEADERS) if stores_headers else _KAFKA
    defaults = {column.name: column.default for column in (*_KAFKA, _HEADERS)}
    named = tuple(replace(column, default=column.default or defaults.get(column.name)) for column in datasource.columns)
    added = tuple(column for column in wanted if datasource.column(column.name) is None)
    return replace(datasource, columns=(*named, *added))
