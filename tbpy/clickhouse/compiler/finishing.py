"""What DuckDB's SELECT cannot say in one level: DISTINCT with LIMIT BY or a foreign order, WITH TIES, WITH FILL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.select import SelectCompiler


def finish(select: SelectCompiler) -> Block:
    if select.select.with_ties:
        raise failures.unsupported("LIMIT WITH TIES", select.select)
    if any(item.fill is not None for item in select.select.order_by):
        raise failures.unsupported("ORDER BY WITH FILL", select.select)
    if select.select.limit_by is not None and select.clauses.distinct:
        raise failures.unsupported("DISTINCT with LIMIT BY", select.select)
    return Block(select.plain_sql(), select.outputs)
