"""The database of a workspace, opened as soon as nobody else has it."""

from __future__ import annotations

from pathlib import Path

from tbpy.engines import DatabaseInUseError, DuckDBEngine
from tbpy.workspace.lock import OnWait, wait_for


def open_engine(
    path: Path, threads: int | None, memory_limit: str | None, timeout: float, on_wait: OnWait | None
) -> DuckDBEngine:
    """Waits although the lock is held: a process that ends may let go of the lock first, and a stranger has no lock.

    Raises `DatabaseInUseError` when `timeout` seconds were not enough.
    """
    refused: list[DatabaseInUseError] = []

    def attempt() -> DuckDBEngine | None:
        try:
            return DuckDBEngine(path, threads=threads, memory_limit=memory_limit)
        except DatabaseInUseError as error:
            refused.append(error)
            return None

    engine = wait_for(attempt, lambda: refused[-1].owner, timeout=timeout, on_wait=on_wait)
    if engine is None:
        raise refused[-1]
    return engine
