"""Python functions that compiled SQL calls, where DuckDB's SQL cannot say it. Their SQL names start with `tb_`.

One module per family; each has `FUNCTIONS`, its part of the table. The engine registers those that a query names.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Udf:
    """`arguments` and `result` are DuckDB types. `null_handling`: "default" (NULL in, NULL out, without a call) or
    "special" (the function sees None). `vectorized`: it takes and gives Arrow arrays instead of values."""

    function: Callable[..., Any]
    arguments: tuple[str, ...]
    result: str
    null_handling: str = "default"
    vectorized: bool = False


class _Functions(Mapping[str, Udf]):
    """All functions by name; the families are imported when the first is asked for."""

    def __init__(self) -> None:
        self._found: dict[str, Udf] = {}

    def _all(self) -> dict[str, Udf]:
        if not self._found:
            found: dict[str, Udf] = {}
            for family in pkgutil.iter_modules(__path__):
                found.update(importlib.import_module(f"{__name__}.{family.name}").FUNCTIONS)
            self._found = found  # at once: other threads must not see a part of it
        return self._found

    def __getitem__(self, name: str) -> Udf:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


FUNCTIONS: Mapping[str, Udf] = _Functions()
