"""One project, its workspace and its server, from the start of `tbpy dev` to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from types import TracebackType
from urllib.parse import quote, urlencode

from tbpy.api.app import Api
from tbpy.api.service import Service, open_service
from tbpy.api.serving import Listener, listen, reachable
from tbpy.api.tokens.store import LOCAL_NAME
from tbpy.dev.rebuilding import Rebuilt, rebuild
from tbpy.dev.watching import snapshot, watch
from tbpy.templating import Parameter
from tbpy.workspace import EndpointInfo, Workspace
from tbpy.workspace.lock import OnWait


class Development:
    """Use it as a context: inside, the workspace is served at `url`."""

    def __init__(
        self,
        root: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        read_secrets: Callable[[], Mapping[str, str]] = dict,
        on_wait: OnWait | None = None,
    ) -> None:
        """`port` None takes the first free one from 7181 on. `read_secrets` gives those of the project's files."""
        self.root = root
        self._host = host
        self._port = port
        self._read_secrets = read_secrets
        self._on_wait = on_wait
        self._stop = Event()

    def __enter__(self) -> Development:
        """Raises `ConflictError` when the workspace stays in use or the port is taken."""
        self.workspace = Workspace.open(self.root, secrets=self._read_secrets(), on_wait=self._on_wait)
        try:
            self.service: Service = open_service(self.workspace, file_secrets=self._read_secrets)
            try:
                self._listener = Listener(Api(self.service), listen(self._host, self._port))
            except BaseException:
                self.service.close()
                raise
        except BaseException:
            self.workspace.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._listener.stop()
        self.service.close()
        self.workspace.close()

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def url(self) -> str:
        host = "localhost" if self._host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self._host
        return f"http://{host}:{self.port}"

    def start(self) -> Rebuilt:
        """Builds, then takes requests; also when the build failed, for the last one may answer."""
        self._seen = snapshot(self.root)
        first = rebuild(self.service)
        self._listener.start()
        self.service.announce(f"http://{reachable(self._host)}:{self.port}")
        return first

    def changes(self) -> Iterator[Rebuilt]:
        """A rebuild for each change of files, until `stop`."""
        for files in watch(self.root, self._stop, self._seen):
            yield rebuild(self.service, files)

    def stop(self) -> None:
        self._stop.set()

    def address(self, endpoint: EndpointInfo) -> str:
        """An endpoint's address with a token and example parameters, to be opened as it is."""
        given = {p.name: text for p in endpoint.parameters if (text := example(p)) is not None}
        given["token"] = self.service.tokens.get(LOCAL_NAME).token
        return f"{self.url}/v0/pipes/{quote(endpoint.name)}.json?{urlencode(given)}"


def example(parameter: Parameter) -> str | None:
    """A value to try a parameter with: its example, its default, or the first of what it may be; None without any."""
    enum = parameter.enum
    values = (parameter.example, parameter.default, enum[0] if isinstance(enum, list) and enum else None)
    found = next((value for value in values if value is not None), None)
    return None if found is None else str(found)
