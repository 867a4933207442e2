"""A compiled query as a part of a larger one: DuckDB SQL whose columns are c0, c1, ..., and what they are."""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse.compiler.context import Output
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.compiler.typed import Typed


@dataclass(frozen=True, slots=True)
class Block:
    """`totals` is the SQL of the totals row, where the query has WITH TOTALS; `ordered` is whether ORDER BY holds."""

    sql: str
    outputs: tuple[Output, ...]
    totals: str | None = None
    ordered: bool = False

    def relation(self, alias: str, names: tuple[str, ...], titles: tuple[str, ...] = ()) -> Relation:
        """The block as a source that DuckDB knows as `alias`; `titles` rename its columns, all of them."""
        given = titles or tuple(output.name for output in self.outputs)
        numbered = enumerate(zip(self.outputs, given, strict=True))
        columns = (
            Column(title, Typed(f"{alias}.c{position}", output.value.type)) for position, (output, title) in numbered
        )
        return Relation(names, tuple(columns))


def select_list(values: tuple[Typed, ...]) -> str:
    """The columns of a block: each value in its exact storage type, named by position."""
    return ", ".join(f"{value.exact()} AS c{position}" for position, value in enumerate(values))
