"""The prompt of `tbpy dev` in a terminal of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.dev.test_development import EVENTS, TOTAL, until, write


class Terminal:
    """`tbpy dev` at a terminal. `seen` is what it showed since something was typed."""

    def __init__(self, root: Path) -> None:
        self._keyboard, screen = pty.openpty()
        self.settings = termios.tcgetattr(screen)
        command = [sys.executable, "-m", "tbpy.cli.main", "-C", str(root), "dev", "--port", "0"]
        environment = os.environ | {"NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
        self.process = subprocess.Popen(
            command, stdin=screen, stdout=screen, stderr=screen, env=environment, start_new_session=True
        )
        self._screen = screen
        self.seen = ""
        Thread(target=self._watch, daemon=True).start()
        self.wait_for("tbpy>")

    def _watch(self) -> None:
        while read := os.read(self._keyboard, 65536):
            self.seen += read.decode("utf-8", "replace")

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.seen or self.process.poll() is not None, seconds=60)
        assert text in self.seen, self.seen

    def type(self, keys: str) -> None:
        self.seen = ""
        os.write(self._keyboard, keys.encode())

    def settings_now(self) -> object:
        return termios.tcgetattr(self._screen)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    write(tmp_path, "datasources/events.datasource", EVENTS.format(more=""))
    write(tmp_path, "endpoints/total.pipe", TOTAL.format(what="count()"))
    write(tmp_path, "rows.ndjson", '{"id": 1}\n{"id": 2}\n')
    terminal = Terminal(tmp_path)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()


def test_sql_and_commands(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type(f"append events {tmp_path / 'rows.ndjson'}\r")
    terminal.wait_for("2 rows")
    terminal.type("select count() + 40 as found from eve\t")
    terminal.wait_for("nts")
    terminal.type("\r")
    terminal.wait_for("│    42 │")
    terminal.type("selct\r")
    terminal.wait_for("failed at position 1 (selct)")
    terminal.type('query "select 1\r')
    terminal.wait_for("No closing quotation")
    terminal.type("exit\r")
    assert terminal.process.wait(10) == 0
    assert terminal.settings_now() == terminal.settings


@pytest.mark.parametrize("keys", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_keys_that_end_it(terminal: Terminal, keys: str) -> None:
    terminal.type("half a line\x03")
    terminal.type(keys)
    assert terminal.process.wait(10) == 0
    assert terminal.settings_now() == terminal.settings


def test_the_terminal_after_a_signal(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(10) == 0
    assert terminal.settings_now() == terminal.settings
