"""The files of tests: `tests/<pipe>.yaml`, and those of Tinybird Classic.

The format is Tinybird's (Tinybird docs, "Test your project"): a list of cases, each with a name, a query string of
parameters, and the exact text that the endpoint must answer. The stem of the file names the pipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from tbpy.errors import Diagnostic, DiagnosticsError, Span
from tbpy.testing import classic
from tbpy.testing.model import Case, Suite

KEYS = ("name", "description", "parameters", "expected_result", "expected_http_status")


def find_suites(root: Path, names: tuple[str, ...] = ()) -> tuple[Suite, ...]:
    """The suites of a project in order of their paths; `names` picks some, by pipe or by file.

    Raises `DiagnosticsError` with the mistakes of all files.
    """
    files = sorted(file for file in (root / "tests").rglob("*") if file.suffix in (".yaml", ".yml", ".test"))
    wanted = {Path(name).stem for name in names}
    suites: list[Suite] = []
    mistakes: list[Diagnostic] = []
    for file in files:
        if wanted and file.stem not in wanted:
            continue
        path = file.relative_to(root).as_posix()
        if file.suffix == ".test":
            suites.append(classic.command(file, path))
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
            suites.append(parse_suite(text, pipe=file.stem, file=path))
        except DiagnosticsError as error:
            mistakes += error.diagnostics
    if mistakes:
        raise DiagnosticsError(tuple(mistakes))
    return tuple(suites)


def parse_suite(text: str, *, pipe: str, file: str) -> Suite:
    """Raises `DiagnosticsError` for text that is not YAML, or not a list of cases."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _mistake(f"not valid YAML: {error.problem}", text, file, mark) from error
    except yaml.YAMLError as error:
        raise _mistake(f"not valid YAML: {error}", text, file, None) from error
    if document is None or _is_null(document):
        return Suite(pipe, file, ())
    if not isinstance(document, yaml.SequenceNode):
        raise _mistake("a test file is a list of tests", text, file, document.start_mark, "start each with `- name:`")
    items = document.value
    if items and all(map(classic.is_regression, items)):
        return Suite("", file, (), "regression tests compare two releases of Tinybird Classic")
    if items and all(map(classic.is_rule, items)):
        return Suite("", file, tuple(classic.rule(node, file) for node in items))
    return Suite(pipe, file, tuple(_case(node, text, pipe, file) for node in items))


def _case(node: yaml.Node, text: str, pipe: str, file: str) -> Case:
    if not isinstance(node, yaml.MappingNode):
        raise _mistake("a test has a name, parameters and an expected_result", text, file, node.start_mark)
    values = dict(_fields(node, text, file))
    for key in ("name", "parameters", "expected_result"):
        if key not in values:
            raise _mistake(f"this test has no {key}", text, file, node.start_mark, f"add `{key}:`, which may be ''")
    result = values["expected_result"]
    return Case(
        pipe=pipe,
        file=file,
        name=_scalar(values["name"]),
        description=_scalar(values["description"]) if "description" in values else "",
        parameters=_scalar(values["parameters"]),
        expected_result=_scalar(result),
        expected_http_status=_status(values.get("expected_http_status"), text, file),
        line=node.start_mark.line + 1,
        result_line=result.start_mark.line + (2 if result.style in ("|", ">") else 1),
    )


def _fields(node: yaml.MappingNode, text: str, file: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    for key, value in node.value:
        name = _scalar(key) if isinstance(key, yaml.ScalarNode) else ""
        if name not in KEYS:
            raise _mistake(f"unknown key '{name}' in a test", text, file, key.start_mark, f"known: {', '.join(KEYS)}")
        if not isinstance(value, yaml.ScalarNode):
            raise _mistake(f"{name} must be text", text, file, value.start_mark, "quote it, or use a block: `|`")
        yield name, value


def _scalar(node: yaml.ScalarNode) -> str:
    return "" if _is_null(node) else str(node.value)


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _status(node: yaml.ScalarNode | None, text: str, file: str) -> int | None:
    if node is None or _is_null(node):
        return None
    if not node.value.isdigit():
        raise _mistake("expected_http_status must be a number", text, file, node.start_mark)
    return int(node.value)


def _mistake(message: str, text: str, file: str, mark: yaml.Mark | None, hint: str | None = None) -> DiagnosticsError:
    span = source = None
    if mark is not None:
        span = Span.at(mark.line + 1, mark.column + 1)
        lines = text.splitlines()
        source = lines[mark.line] if mark.line < len(lines) else ""
    return DiagnosticsError((Diagnostic("test-file", message, file=file, span=span, source=source, hint=hint),))
