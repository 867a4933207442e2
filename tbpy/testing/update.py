"""Writing results back into `tests/<pipe>.yaml`: only those that changed, so comments and layout of the rest stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tbpy.testing.model import Case


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered: the HTTP status, and the text that a test compares."""

    status: int
    text: str

    @property
    def is_error(self) -> bool:
        return self.status >= 400


@dataclass(frozen=True, slots=True)
class Updated:
    """Which results were written anew: names of cases by file. `unchanged` counts the others."""

    files: Mapping[str, tuple[str, ...]]
    unchanged: int


def update(root: Path, answers: Sequence[tuple[Case, Answer]]) -> Updated:
    """Write the answers into the files of their cases, below `root`; a file in which nothing changed is not touched.

    Tests of Tinybird Classic are left alone.
    """
    changed = [(case, answer) for case, answer in answers if case.sql is None and not case.printed]
    changed = [(case, answer) for case, answer in changed if not agrees(case, answer)]
    files = sorted({case.file for case, _ in changed})
    for name in files:
        path = root / name
        own = [(case, answer) for case, answer in changed if case.file == name]
        path.write_text(rewrite(path.read_text(encoding="utf-8-sig"), own), encoding="utf-8")
    names = {name: tuple(case.name for case, _ in changed if case.file == name) for name in files}
    return Updated(names, len(answers) - len(changed))


def rewrite(text: str, answers: Sequence[tuple[Case, Answer]]) -> str:
    """`text` with the result and status of each case as answered. A status is written for errors only, as `tb` does."""
    text = text if text.endswith("\n") else text + "\n"
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    nodes = {node.start_mark.line + 1: node for node in document.value} if document is not None else {}
    lines = text.splitlines(keepends=True)
    # From the last case to the first, so that lines still to be edited keep their numbers.
    for case, answer in sorted(answers, key=lambda pair: -pair[0].line):
        if not agrees(case, answer):
            lines = _edit(lines, nodes[case.line], answer)
    return "".join(lines)


def agrees(case: Case, answer: Answer) -> bool:
    status = answer.status if answer.is_error else None
    return case.expected_result == answer.text and case.expected_http_status == status


def _edit(lines: list[str], node: yaml.MappingNode, answer: Answer) -> list[str]:
    edits = []
    indent = node.value[0][0].start_mark.column
    for key, value in node.value:
        if key.value == "expected_result":
            new = _result(answer.text, indent)
            if answer.is_error:
                new = f"{' ' * indent}expected_http_status: {answer.status}\n{new}"
            edits.append((key.start_mark.line, _last_line(lines, key, value), new))
        elif key.value == "expected_http_status":
            edits.append((key.start_mark.line, _last_line(lines, key, value), ""))
    for start, end, new in sorted(edits, reverse=True):
        kept = lines[start][:indent] if lines[start][:indent].strip() else ""
        if kept:  # the key stands on the line of the list's dash
            new = kept + (new[indent:] or "\n")
        lines = [*lines[:start], new, *lines[end:]]
    return "".join(lines).splitlines(keepends=True)


def _last_line(lines: list[str], key: yaml.Node, value: yaml.ScalarNode) -> int:
    """The line after the value. A block scalar's mark is past the blank lines that follow it: they are not its own."""
    end = value.end_mark.line
    if value.style not in ("|", ">"):
        return int(end) + 1
    while end > key.start_mark.line + 1 and not lines[end - 1].strip():
        end -= 1
    return int(end)


def _result(text: str, indent: int) -> str:
    """In the style of `tb test update`: a literal block for lines, plain or quoted text for less."""
    margin = " " * indent
    if not _fits_block(text):
        return f"{margin}expected_result: {_inline(text)}\n"
    chomping = "" if text.endswith("\n") else "-"
    indicator = "2" if text.startswith(" ") else ""
    body = "".join(f"{margin}  {line}\n" if line else "\n" for line in text.removesuffix("\n").split("\n"))
    return f"{margin}expected_result: |{indicator}{chomping}\n{body}"


def _fits_block(text: str) -> bool:
    """Lines of printable characters. Blank lines at either end would mix with those between the tests."""
    printable = yaml.reader.Reader.NON_PRINTABLE.search(text) is None and not set(text) & set(
        "\r\x85\u2028\u2029\ufeff"
    )
    return "\n" in text and printable and not text.startswith("\n") and not text.endswith("\n\n")


def _inline(text: str) -> str:
    dumped: str = yaml.safe_dump(text, width=float("inf"), allow_unicode=True)
    return dumped.removesuffix("\n").removesuffix("\n...")
