"""Tests as values that know their lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qsl

Parameters = dict[str, str | list[str]]

# Arguments that every Tinybird client may send and that no template ever sees.
RESERVED = frozenset({"token", "from", "cli_version", "debug", "playground", "release_replacements", "format"})


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `line` is where it begins in the file, `result_line` where the first line of its result stands.

    With `sql` that is asked, else the pipe. `form` is the format of the answer; `printed` says that a command of
    Tinybird Classic printed the result.
    """

    pipe: str
    file: str
    name: str
    description: str
    parameters: str
    expected_result: str
    expected_http_status: int | None
    line: int
    result_line: int
    sql: str | None = None
    form: str = "JSONEachRow"
    printed: bool = False

    @property
    def title(self) -> str:
        return f"{self.pipe or PurePosixPath(self.file).stem}.{self.name}"

    @property
    def is_rule(self) -> bool:
        """Whether it is SQL that must answer no rows."""
        return self.sql is not None and not self.printed

    def arguments(self) -> Parameters:
        """The parameters decoded; a name that is given more than once is a list."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.parameters.rpartition("?")[2], keep_blank_values=True):
            found.setdefault(name, []).append(value)
        values = {name: items[0] if len(items) == 1 else items for name, items in found.items()}
        return {name: value for name, value in values.items() if name not in RESERVED and name[:5] != "__tb_"}


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file; `file` is relative to the project. `pipe` is empty where the cases need none.

    `skipped` is why its tests cannot be run, empty when they can.
    """

    pipe: str
    file: str
    cases: tuple[Case, ...]
    skipped: str = ""
