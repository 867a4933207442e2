"""A scan: rows with the text or value that a reader gives for each column, and the statements made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from tbpy.clickhouse import types as t
from tbpy.clickhouse.storage import duckdb_type
from tbpy.workspace.ingest.readings import Reading
from tbpy.workspace.ingest.target import TargetColumn

BAD_ROWS = "tbpy_bad_rows"


@dataclass(frozen=True, slots=True)
class Scan:
    """`relation` is SQL with a column `s<i>` for each reading, and perhaps others; `readable` is SQL over them.

    A row is good when it is readable and every reading takes it.
    """

    relation: str
    columns: Sequence[TargetColumn]
    readings: tuple[Reading, ...]
    readable: str = "true"

    @property
    def values(self) -> str:
        """The select list of what is stored, over the rows of `converted`: a DEFAULT stands in for what is absent."""
        return ", ".join(
            f"v{i}" if column.default is None else f"CASE WHEN s{i} IS NULL THEN {column.default} ELSE v{i} END AS v{i}"
            for i, column in enumerate(self.columns)
        )

    @property
    def names(self) -> str:
        """The names of what `values` gives."""
        return ", ".join(f"v{i}" for i in range(len(self.readings)))

    @property
    def good(self) -> str:
        return " AND ".join(chain([self.readable], (f"({reading.good})" for reading in self.readings)))

    @property
    def converted(self) -> str:
        """All of `relation`, and `v<i>` for each reading."""
        values = ", ".join(f"{reading.value} AS v{i}" for i, reading in enumerate(self.readings))
        return f"SELECT *, {values} FROM ({self.relation})"

    @property
    def judged(self) -> str:
        """The values and a column `good`."""
        return f"SELECT {self.values}, {self.good} AS good FROM ({self.converted})"

    @property
    def good_values(self) -> str:
        """The values of the good rows. Each other row takes a number of the sequence `BAD_ROWS`, which counts them."""
        taken = f"CASE WHEN {self.good} THEN true ELSE nextval('{BAD_ROWS}') < 0 END"
        return f"SELECT {self.values} FROM ({self.converted}) WHERE {taken}"

    def distinct_counts(self, limit: int) -> str | None:
        """One row: the number of the first rows, and of the different values of each text column among them.

        None when there are no such columns, or one of them is declared to repeat its values.
        """
        types = [t.not_nullable(column.type) for column in self.columns]
        texts = [i for i, type_ in enumerate(types) if duckdb_type(type_) == "VARCHAR"]
        if not texts or any(isinstance(types[i], t.LowCardinality | t.Enum) for i in texts):
            return None
        values = ", ".join(f"v{i}" for i in texts)
        counts = ", ".join(f"count(DISTINCT v{i})" for i in texts)
        return f"SELECT count(*), {counts} FROM (SELECT {values} FROM ({self.converted}) LIMIT {limit})"

    @property
    def good_counts(self) -> str:
        """One row: the number of rows, of those that are readable, and of those that are good for each reading."""
        counts = ", ".join(f"count(*) FILTER (WHERE {reading.good})" for reading in self.readings)
        return f"SELECT count(*), count(*) FILTER (WHERE {self.readable}), {counts} FROM ({self.converted})"
