"""Settings of connectors: they are checked, and whoever wrote them is told that nothing comes or goes by them yet."""

from __future__ import annotations

from tbpy.datafiles import Datasource, Pipe
from tbpy.project.report import Report

# The setting that names a source of rows, and what tbpy does not do with it.
_SOURCES = {
    "kafka_topic": "tbpy does not read from Kafka yet",
    "import_bucket_uri": "tbpy does not import from buckets yet",
    "import_table_arn": "tbpy does not follow tables of DynamoDB yet",
    "pg_table": "tbpy does not read from PostgreSQL yet",
}
_APPEND = "Rows come by the Events API and by: tbpy append {name} <file>"


def source_that_waits(datasource: Datasource) -> str | None:
    """What a data source is connected to and tbpy does not read; None for one without a connector."""
    return next((text for name, text in _SOURCES.items() if datasource.settings.find(name)), None)


def tell_of_datasource(report: Report, datasource: Datasource) -> None:
    for name, text in _SOURCES.items():
        setting = datasource.settings.find(name)
        if setting is not None:
            hint = _APPEND.format(name=datasource.name)
            message = f"{text}: '{datasource.name}' gets no rows by itself"
            report.warning("not-run", message, datasource.file, setting.span, hint=hint)


def tell_of_pipe(report: Report, pipe: Pipe) -> None:
    for node in pipe.nodes:
        if node.type == "sink":
            message = f"tbpy does not run sinks yet: node '{node.name}' is checked, and writes nothing"
            report.warning("not-run", message, pipe.file, node.span)
