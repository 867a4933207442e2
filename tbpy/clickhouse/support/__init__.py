"""What of ClickHouse's SQL tbpy answers, as a page that is made from the catalogue.

`python -m tbpy.clickhouse.support > docs/clickhouse-support.md` writes it again.
"""

from tbpy.clickhouse.compiler.rows import load

load()  # the page reads whole registries, and the compiler must be there before the families that it calls
