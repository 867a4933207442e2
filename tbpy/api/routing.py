"""Which handler answers a path. Every path is there with and without a slash at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tbpy.api.routes.common import Handler, Route
from tbpy.errors import NotFoundError

# The paths that are asked again and again are found at once; as many are remembered.
_MOST_FOUND = 1000
_Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """`route` is the path with names in braces, `parameters` what stands in their places."""

    handler: Handler
    route: str
    parameters: Mapping[str, str]


class NoMethodError(NotFoundError):
    """The path is there, but not for the method that was asked; `allowed` are those it is there for."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__("Method Not Allowed")
        self.allowed = sorted(allowed)


@dataclass(slots=True)
class _Branch:
    """The paths with one beginning: `fixed` by their next part, `named` whatever it is, `rest` with what follows."""

    fixed: dict[str, _Branch] = field(default_factory=dict)
    named: dict[str, _Branch] = field(default_factory=dict)
    rest: dict[str, _Branch] = field(default_factory=dict)
    route: str = ""
    handlers: dict[str, Handler] = field(default_factory=dict)


class Router:
    """What is fixed in a path goes before what is a name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Branch()
        self._found: dict[tuple[str, str], Found] = {}
        for methods, path, handler in routes:
            branch = self._branch(path)
            branch.route = path
            branch.handlers.update(dict.fromkeys(methods, handler))

    def find(self, method: str, path: str) -> Found:
        """Raises `NotFoundError` for no path of a route, `NoMethodError` for one that other methods have."""
        found = self._found.get((method, path))
        if found is None:
            found = self._find(method, path)
            if len(self._found) >= _MOST_FOUND:
                self._found.clear()
            self._found[method, path] = found
        return found

    def _find(self, method: str, path: str) -> Found:
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for branch, parameters in _ends(self._root, _parts(path), 0, ()):
            handler = branch.handlers.get(wanted)
            if handler is not None:
                return Found(handler, branch.route, dict(parameters))
            allowed.update(branch.handlers)
        raise NoMethodError(allowed) if allowed else NotFoundError("Not Found")

    def _branch(self, path: str) -> _Branch:
        branch = self._root
        for part in _parts(path):
            if part.endswith(":path}"):
                branch = branch.rest.setdefault(part[1:-6], _Branch())
            elif part.startswith("{"):
                branch = branch.named.setdefault(part[1:-1], _Branch())
            else:
                branch = branch.fixed.setdefault(part, _Branch())
        return branch


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def _ends(branch: _Branch, parts: list[str], place: int, found: _Parameters) -> Iterator[tuple[_Branch, _Parameters]]:
    """Where a path may end from its part at `place` on, what fits best first."""
    if place == len(parts):
        if branch.handlers:
            yield branch, found
        return
    part = parts[place]
    if part in branch.fixed:
        yield from _ends(branch.fixed[part], parts, place + 1, found)
    if part:
        for name, under in branch.named.items():
            yield from _ends(under, parts, place + 1, (*found, (name, part)))
    for name, under in branch.rest.items():
        yield under, (*found, (name, "/".join(parts[place:])))
