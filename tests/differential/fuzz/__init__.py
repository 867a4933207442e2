"""Random queries over random tables, on tbpy and on ClickHouse: `python -m tests.differential.fuzz --help`."""
