"""Workspaces that an earlier tbpy made, brought to what this one keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tbpy.engines import Session
from tbpy.errors import ConflictError


def upgrade(session: Session, version: int, wanted: int) -> None:
    """All steps in one transaction. Raises `ConflictError` for a newer version, and for what no step can bring."""
    with session.transaction():
        while version != wanted:
            step = _STEPS.get(version)
            if step is None:
                raise ConflictError(
                    f"the workspace was made by another version of tbpy (format {version}, this one has {wanted})",
                    hint="use that version, or remove .tbpy and build again",
                )
            step(session)
            version += 1
        session.execute("UPDATE tbpy.meta SET value = $version WHERE name = 'format'", {"version": str(version)})


def _states_of_quantiles(session: Session) -> None:
    """States of quantiles are kept in another way since format 2; without any, nothing is different."""
    like = "definition LIKE '%Function(quantile%' OR definition LIKE '%Function(median%'"
    found = [name for (name,) in session.rows(f"SELECT name FROM tbpy.datasources WHERE {like} ORDER BY name")]
    if found:
        raise ConflictError(
            f"{', '.join(found)}: states of quantiles that were made by an earlier tbpy (format 1) cannot be read",
            hint="use that version, or remove .tbpy and build again",
        )


_STEPS: Mapping[int, Callable[[Session], None]] = {1: _states_of_quantiles}
