"""A deployment that is not live, to ask: the same questions over its own project and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.questions import Questions
from tbpy.workspace.state import State

if TYPE_CHECKING:
    from tbpy.project import Project


class Beside(Questions):
    """Shares database, clock and log with the workspace that it is beside."""

    def __init__(self, live: State, project: Project, stored: Catalogue) -> None:
        self.root = project.root
        self.log = live.log
        self._engine, self._clock = live._engine, live._clock
        self._built = (project, stored)
