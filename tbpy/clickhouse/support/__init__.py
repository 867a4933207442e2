"""What of ClickHouse's SQL tbpy answers, as a page that is made from the catalogue.

`python -m tbpy.clickhouse.support > docs/clickhouse-support.md` writes it again.
"""
