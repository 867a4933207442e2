"""Work that the process which has the workspace does not do for others yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.errors import ConflictError

if TYPE_CHECKING:
    from tbpy.client import RemoteWorkspace
    from tbpy.workspace import Workspace


def own(workspace: Workspace | RemoteWorkspace) -> Workspace:
    """The workspace, when it is open here. Raises `ConflictError` when another process has it."""
    from tbpy.workspace import Workspace

    if isinstance(workspace, Workspace):
        return workspace
    message = "tbpy dev or tbpy server has the workspace, and does not do this for another command"
    raise ConflictError(message, hint="stop it, and run the command again")
