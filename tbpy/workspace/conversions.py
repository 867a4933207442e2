"""How rows of one schema become rows of another, as SQL that can be kept and run later."""

from __future__ import annotations

from dataclasses import dataclass

OLD = "$old"


@dataclass(frozen=True, slots=True)
class Conversion:
    """`sql` are all new columns, in their order, over `$old`, the rows of the old schema.

    `same[i]` is whether column i has its new type already, so that only NULL could be wrong with it.
    """

    sql: str
    same: tuple[bool, ...]
    functions: tuple[str, ...] = ()

    def over(self, relation: str) -> str:
        """`relation` is a table or a subquery with the columns of the old schema."""
        return self.sql.replace(OLD, relation)
