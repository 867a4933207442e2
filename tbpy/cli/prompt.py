"""The prompt of `tbpy dev`: SQL and commands are typed while the project is served, and answered above the line."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from tbpy.cli import output
from tbpy.cli.answering import answer, print_answer, wanted
from tbpy.cli.commands import ENTRIES
from tbpy.cli.trouble import point_into, report, report_bug, talk
from tbpy.errors import QueryError, TbpyError, UsageError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from tbpy.dev import Development

SIGN = "tbpy> "
ENDS = ("exit", "quit")
KEYWORDS = """
    SELECT FROM WHERE PREWHERE GROUP BY HAVING ORDER LIMIT OFFSET WITH FILL TOTALS ROLLUP CUBE DISTINCT UNION ALL
    INTERSECT EXCEPT JOIN LEFT INNER FULL ANY SEMI ANTI ASOF ON USING ARRAY FINAL QUALIFY WINDOW OVER PARTITION
    INTERVAL BETWEEN LIKE ILIKE CASE WHEN THEN ELSE END DESC ASC FORMAT SETTINGS SHOW TABLES DESCRIBE EXPLAIN
"""
HELP = """\
  SQL is answered: a query, SHOW TABLES, DESCRIBE, EXPLAIN. Its FORMAT clause is heeded.
  A command of tbpy runs, with or without `tbpy` before it: append, datasource truncate, endpoint data, test run, ...
  The tab key completes names, the arrow keys go through what was typed before.
  exit, Ctrl-D, or Ctrl-C on an empty line ends tbpy dev."""


@contextmanager
def prompting(development: Development) -> Iterator[None]:
    """Answers what is typed, as long as the context lasts. What is printed meanwhile appears above the line."""
    from prompt_toolkit.patch_stdout import patch_stdout

    session = open_session(development)
    thread = Thread(target=answer_lines, args=(development, session), daemon=True, name="prompt")
    with patch_stdout(raw=True):
        thread.start()
        try:
            yield
        finally:
            leave(session)
            thread.join(1)


def open_session(development: Development) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory

    return PromptSession(
        SIGN,
        history=FileHistory(str(development.root / ".tbpy" / "history")),
        completer=WordCompleter(lambda: known_words(development), ignore_case=True),
        complete_while_typing=False,
    )


def leave(session: PromptSession[str]) -> None:
    """End a prompt that waits for a line, which gives the terminal back as it was."""
    app = session.app
    if app.is_running and app.loop is not None:
        app.loop.call_soon_threadsafe(lambda: app.exit(exception=EOFError()))


def answer_lines(development: Development, session: PromptSession[str]) -> None:
    """Reads and answers, a line each, until the person ends it: then the process is interrupted, as by Ctrl-C."""
    while True:
        try:
            line = session.prompt(handle_sigint=False).strip()
        except EOFError:
            break
        except KeyboardInterrupt:
            if session.default_buffer.text:
                continue
            break
        if line in ENDS:
            break
        if line:
            answer_line(development, line)
    os.kill(os.getpid(), signal.SIGINT)


def answer_line(development: Development, line: str) -> None:
    if line == "help":
        talk(HELP)
    elif is_command(line):
        run_command(development, line)
    else:
        answer_sql(development, line)


def is_command(line: str) -> bool:
    """No statement of SQL begins with the name of a command."""
    first = line.split(maxsplit=1)[0]
    return first == "tbpy" or first in ENTRIES


def run_command(development: Development, line: str) -> None:
    """In a process of its own, which asks this one, as in another shell."""
    try:
        words = shlex.split(line.removeprefix("tbpy "))
    except ValueError as error:
        report(UsageError(f"{error}: {line}"))
        return
    subprocess.run([sys.executable, "-m", "tbpy.cli.main", "-C", str(development.root), *words], check=False)


def answer_sql(development: Development, sql: str) -> None:
    from tbpy.cli.query import format_clause

    try:
        how = wanted(None, clause=format_clause(sql))
        result = development.workspace.query(sql, time_limit=development.service.limits.query_seconds)
        output.show(answer(result, how), print_answer, as_json=False)
    except TbpyError as error:
        if isinstance(error, QueryError):
            point_into(error, sql)
        report(error)
    except Exception as error:  # the prompt goes on
        report_bug(error)


def known_words(development: Development) -> list[str]:
    """What the tab key completes: data sources and their columns, endpoints, commands, words of SQL, functions."""
    from tbpy.clickhouse.function_names import listed_names

    datasources, endpoints = development.workspace.datasources(), development.workspace.endpoints()
    columns = (name for datasource in datasources for name, _ in datasource.columns)
    tables = [datasource.name for datasource in datasources] + [endpoint.name for endpoint in endpoints]
    return sorted({*tables, *columns, *ENTRIES, *KEYWORDS.split(), *listed_names()})
