"""A server process: the application on a socket, in a thread of its own."""

from __future__ import annotations

import errno
import gc
import socket
import ssl
import sys
import time
from pathlib import Path
from threading import Thread

import uvicorn

from tbpy.api.app import Api
from tbpy.api.sending import Protocol
from tbpy.api.telling import Telling
from tbpy.errors import ConflictError, UsageError

DEFAULT_PORT = 7181
_MORE_PORTS = 50
_START_SECONDS = 10.0
_GRACE_SECONDS = 5
# How long a busy thread may hold up another one. Events go from one thread to another and back: Python's 5 ms, a few
# times for each commit, would be most of the time that an answer takes.
_SWITCH_SECONDS = 0.001
# How many objects are made before Python looks for cycles among the young ones; each request makes some dozens.
_YOUNG_OBJECTS = 10_000


class Listener:
    """Serves from `start` to `stop`. `port` is the one that it listens on. `tls` are the files of a certificate (with
    its chain) and of its key."""

    def __init__(self, app: Api, listening: socket.socket, tls: tuple[Path, Path] | None = None) -> None:
        self._socket = listening
        self.port: int = listening.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=Protocol,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"The certificate and its key cannot be used: {error}") from error
        self._server = uvicorn.Server(config)
        self._telling = Telling()
        self._thread = Thread(target=self._run, name="tbpy-http", daemon=True)

    def start(self) -> None:
        """Returns when requests are taken."""
        self._telling.start()
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                raise ConflictError("The HTTP server did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """Answers what was asked, for a few seconds at most, and takes no more."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(_GRACE_SECONDS + 2)
        self._socket.close()
        self._telling.stop()

    def _run(self) -> None:
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.freeze()  # what was loaded until now stays: no need to look at it again and again
        gc.set_threshold(_YOUNG_OBJECTS)
        self._server.run(sockets=[self._socket])


def listen(host: str, port: int | None = None) -> socket.socket:
    """A socket on `port`; without one on the first free port from 7181 on. Raises `ConflictError` for a taken one."""
    ports = range(DEFAULT_PORT, DEFAULT_PORT + _MORE_PORTS) if port is None else (port,)
    for candidate in ports:
        try:
            return _bind(host, candidate)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise ConflictError(f"Cannot listen on {host}:{candidate}: {error.strerror or error}") from error
    hint = "name a free one with --port" if port is not None else None
    taken = f"port {port} is" if port is not None else f"ports {ports[0]} to {ports[-1]} are"
    raise ConflictError(f"{taken} in use", hint=hint)


def reachable(host: str) -> str:
    """The host in an address by which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening
