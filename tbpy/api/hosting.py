"""The workspaces of one server: the one of its project, and those that clients make beside it.

`tb` and the SDKs make a local workspace for each folder, git branch and test run, and know it by its name and token.
The names that they have for the served project's folder mean its own workspace; every other name is a workspace apart,
with data, tokens and variables of its own, so that a test run finds nothing but its fixtures.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from starlette.types import ASGIApp

from tbpy.api.describing import file_time
from tbpy.api.identifiers import resource_id
from tbpy.api.names import names_of_folder
from tbpy.api.service import Service, open_service
from tbpy.api.tokens import TokenStore
from tbpy.api.tokens.jwt import workspace_of_jwt
from tbpy.api.tokens.store import PERSONAL_NAME
from tbpy.errors import ConflictError, NotFoundError
from tbpy.project import find_datafiles
from tbpy.workspace import Workspace

# Where the scope of a request has it.
HOSTING = "tbpy.hosting"
_FOLDER = "workspaces"
_NAME, _BRANCH = "name", "branch"
# What `tb test run` makes, and leaves for its next run to remove.
_TEST = "Tinybird_Local_Test_"


@dataclass(frozen=True, slots=True)
class Listed:
    """A workspace under one of its names. `id` is what clients call it by, `main` the id of what it is a branch of.

    `created` is when it was made, as metadata tells time, where that is known.
    """

    name: str
    id: str
    token: str
    main: str | None = None
    created: str | None = None


@dataclass
class _Apart:
    """A workspace apart. It is opened by the first request that has one of its tokens."""

    name: str
    root: Path
    tokens: TokenStore
    is_branch: bool = False
    app: ASGIApp | None = None
    service: Service | None = field(default=None, repr=False)


class Hosting:
    """`serve` makes the application of a service."""

    def __init__(self, first: Service, serve: Callable[[Service], ASGIApp]) -> None:
        self._first = first
        self._serve = serve
        self._lock = RLock()
        self._folder = first.workspace.root / ".tbpy" / _FOLDER
        self._names = [first.name]
        self._apart = self._read()
        first.workspaces = self._workspaces
        first.closing.callback(self._close)

    def all(self) -> tuple[Listed, ...]:
        """The project's own first, once under each name that was asked for."""
        own = [Listed(name, self._own_id(name), admin_of(self._first.tokens)) for name in self._names]
        return (*own, *map(self._listed, tuple(self._apart.values())))

    def seen_by(self, service: Service) -> tuple[Listed, ...]:
        """What the admin of a workspace may know of: everything for the first one's and on a developer's machine."""
        everything = self.all()
        if self.is_first(service) or self._first.local:
            return everything
        return tuple(one for one in everything if one.id == service.tokens.workspace_id)

    def is_first(self, service: Service) -> bool:
        return service is self._first

    def find(self, wanted: str) -> Listed:
        """By name or id. Raises `NotFoundError`."""
        found = next((one for one in self.all() if wanted in (one.name, one.id)), None)
        if found is None:
            raise NotFoundError(f"Workspace {wanted} not found")
        return found

    def create(self, name: str) -> Listed:
        """The workspace of a name, made when there is none yet."""
        with self._lock:
            if self._is_own(name):
                if name not in self._names:
                    self._names.append(name)
            elif name not in self._apart:
                self._make(name)
            return self.find(name)

    def create_branch(self, name: str) -> Listed:
        """A workspace with the datafiles that the project's own has now, and no data. Raises `ConflictError`."""
        with self._lock:
            if name in self._apart or name in self._names:
                raise ConflictError(f"A workspace with name {name} already exists")
            root = self._make(name, is_branch=True)
            folder = self._first.folder
            for found in find_datafiles(folder):
                (root / found.file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / found.file, root / found.file)
            return self.find(name)

    def branches(self) -> tuple[Listed, ...]:
        return tuple(one for one in self.all() if one.main is not None)

    def find_branch(self, wanted: str) -> Listed:
        """By name or id. Raises `NotFoundError`."""
        found = next((one for one in self.branches() if wanted in (one.name, one.id)), None)
        if found is None:
            raise NotFoundError(f"Branch {wanted} not found")
        return found

    def _make(self, name: str, *, is_branch: bool = False) -> Path:
        root = self._folder / resource_id("workspace", name)
        (root / ".tbpy").mkdir(parents=True, exist_ok=True)
        if is_branch:
            (root / _BRANCH).touch()
        (root / _NAME).write_text(name, encoding="utf-8")
        self._apart[name] = _apart(root, name)
        return root

    def delete(self, wanted: str) -> None:
        """Removes a workspace apart with its data, or forgets one more name of the project's own, which stays."""
        with self._lock:
            name = self.find(wanted).name
            apart = self._apart.pop(name, None)
            if apart is not None:
                _close(apart)
                shutil.rmtree(apart.root, ignore_errors=True)
            elif name != self._first.name:
                self._names.remove(name)

    @property
    def has_others(self) -> bool:
        return bool(self._apart)

    def is_other(self, token: str | None) -> bool:
        """Whether a token belongs to another workspace than the project's own."""
        return self._of(token) is not None

    def app(self, token: str | None) -> ASGIApp | None:
        """The application of the workspace apart that a token belongs to; opening one takes a moment."""
        with self._lock:
            apart = self._of(token)
            if apart is None:
                return None
            if apart.app is None:
                apart.service = self._open(apart)
                apart.app = self._serve(apart.service)
            return apart.app

    def _open(self, apart: _Apart) -> Service:
        first = self._first
        workspace = Workspace.open(apart.root)
        service = open_service(workspace, local=first.local, limits=first.limits, name=apart.name, tokens=apart.tokens)
        service.closing.callback(workspace.close)
        try:
            service.build()
        except BaseException:
            service.close()
            raise
        return service

    def _workspaces(self) -> dict[str, Workspace]:
        """All of them by the place of their folder below the first one's; those that nobody asked yet are opened."""
        root = self._first.workspace.root
        found = {"": self._first.workspace}
        with self._lock:
            for apart in self._apart.values():
                if apart.app is None:
                    apart.service = self._open(apart)
                    apart.app = self._serve(apart.service)
                assert apart.service is not None
                found[apart.root.relative_to(root).as_posix()] = apart.service.workspace
        return found

    def _of(self, token: str | None) -> _Apart | None:
        if not token:
            return None
        workspace = workspace_of_jwt(token)
        return next(
            (
                apart
                for apart in tuple(self._apart.values())  # one may be made meanwhile
                if workspace == apart.tokens.workspace_id or apart.tokens.find(token) is not None
            ),
            None,
        )

    def _is_own(self, name: str) -> bool:
        if name == self._first.name:
            return True
        return self._first.local and names_of_folder(self._first.own_folder).include(name)

    def _own_id(self, name: str) -> str:
        """The project's workspace has the id that is in its tokens; its other names have ids of their own."""
        first = self._first
        return first.tokens.workspace_id if name == first.name else resource_id("workspace", name)

    def _listed(self, apart: _Apart) -> Listed:
        main = self._first.tokens.workspace_id if apart.is_branch else None
        created = file_time(apart.root, _NAME)
        return Listed(apart.name, apart.tokens.workspace_id, admin_of(apart.tokens), main, created)

    def _read(self) -> dict[str, _Apart]:
        """Those of an earlier run; what its test runs left is removed."""
        found: dict[str, _Apart] = {}
        for file in sorted(self._folder.glob(f"*/{_NAME}")):
            name, root = file.read_text(encoding="utf-8"), file.parent
            if name.startswith(_TEST):
                shutil.rmtree(root, ignore_errors=True)
            else:
                found[name] = _apart(root, name)
        return found

    def _close(self) -> None:
        with self._lock:
            for apart in self._apart.values():
                _close(apart)


def admin_of(tokens: TokenStore) -> str:
    """The token that clients work with."""
    return tokens.get(PERSONAL_NAME).token


def _apart(root: Path, name: str) -> _Apart:
    return _Apart(name, root, TokenStore(root / ".tbpy" / "tokens.json"), (root / _BRANCH).exists())


def _close(apart: _Apart) -> None:
    if apart.service is not None:
        apart.service.close()
        apart.service = apart.app = None
