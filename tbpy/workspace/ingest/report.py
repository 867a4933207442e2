"""What an append did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows went to quarantine: `column` is empty for lines that could not be read at all."""

    column: str
    rows: int
    example: str


@dataclass(frozen=True, slots=True)
class AppendReport:
    """`rows` landed in the data source and `quarantined` in its quarantine; together they are all rows of the input.

    `invalid_lines` counts those of the quarantined that are no JSON object or no CSV record at all. `elapsed` is in
    seconds. `causes` are the most frequent ones, most frequent first.
    """

    datasource: str
    rows: int
    quarantined: int
    invalid_lines: int
    elapsed: float
    files: tuple[str, ...]
    import_id: str
    causes: tuple[Cause, ...] = ()

    @property
    def error_text(self) -> str | None:
        """The sentence with which Tinybird's import API reports rows that did not land; None when all did."""
        parts = []
        if self.quarantined:
            parts.append(f"{self.quarantined} {'row' if self.quarantined == 1 else 'rows'} in quarantine")
        if self.invalid_lines:
            parts.append(f"{self.invalid_lines} invalid {'line' if self.invalid_lines == 1 else 'lines'}")
        return f"There was an error with file contents: {' and '.join(parts)}." if parts else None
