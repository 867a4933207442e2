"""SQL for the places where DuckDB takes no volatile expression: the keys of windows."""

from __future__ import annotations

import re

_FAILURE = re.compile(r"'(?:[^']|'')*'|\berror\(|[()]")


def steady(sql: str) -> str:
    """The same SQL, each `error(message)`, which is volatile to DuckDB, as a conversion that fails with the message."""
    if "error(" not in sql:
        return sql
    parts: list[str] = []
    ends: list[bool] = []  # for each open bracket whether it is that of an error
    last = 0
    for found in _FAILURE.finditer(sql):
        parts.append(sql[last : found.start()])
        last = found.end()
        token = found[0]
        if token == "error(":
            ends.append(True)
            token = "[NULL][CAST("
        elif token == "(":
            ends.append(False)
        elif token == ")":
            token = " AS BIGINT)]" if ends.pop() else ")"
        parts.append(token)
    return "".join([*parts, sql[last:]])
