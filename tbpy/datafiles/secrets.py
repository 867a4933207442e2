"""`{{ tb_secret("name", "default") }}` and control blocks in the text of a data source or connection.

The language of nodes has many functions; here Tinybird offers only `tb_secret`, so this is a small interpreter of its
own over Python's expression grammar, with an allow-list. Source: the recorded behaviour of Tinybird's Forward
command-line tool.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tbpy.datafiles.source import Source
from tbpy.errors import DatafileError, Span

_TAG = re.compile(r"\{\{(?P<expression>.*?)\}\}|\{%(?P<block>.*?)%\}|\{#(?P<comment>.*?)#\}", re.DOTALL)
_UNCLOSED = re.compile(r"\{\{|\{%")
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}


class _Refused(Exception):
    """Why an expression cannot be evaluated."""


class _Missing(_Refused):
    """A secret that is neither given nor has a default."""


@dataclass
class _Branch:
    """An open `if`: whether its current arm prints, and whether an arm was taken already."""

    prints: bool
    taken: bool
    opened_at: int


@dataclass
class _Output:
    """The rendered text so far, and for each of its lines the line of the file it came from."""

    parts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=lambda: [1])

    def add(self, text: str, line: int, *, from_file: bool) -> None:
        self.parts.append(text)
        for count in range(1, text.count("\n") + 1):
            self.lines.append(line + count if from_file else line)


def render_secrets(source: Source, secrets: Mapping[str, str], *, ignore_missing: bool = False) -> Source:
    """The source with its tags evaluated. A missing secret without a default raises `DatafileError` at its tag, or
    leaves the tag as it stands with `ignore_missing`."""
    if not _UNCLOSED.search(source.text):
        return source
    text = source.text.replace("\r\n", "\n").replace("\r", "\n")
    renderer = _Renderer(replace(source, text=text), secrets, ignore_missing)
    output = renderer.render()
    places = tuple(source.file_line(line - 1) for line in output.lines)
    return replace(source, text="".join(output.parts), written=source.written or text, line_map=places)


class _Renderer:
    def __init__(self, source: Source, secrets: Mapping[str, str], ignore_missing: bool) -> None:
        self.source, self.text, self.secrets = source, source.text, secrets
        self.ignore_missing = ignore_missing
        self.names: dict[str, Any] = {}
        self.branches: list[_Branch] = []
        self.output = _Output()

    def render(self) -> _Output:
        position = 0
        for tag in _TAG.finditer(self.text):
            self._text(position, tag.start())
            self._tag(tag)
            position = tag.end()
        self._text(position, len(self.text))
        if self.branches:
            opened = self.branches[-1].opened_at
            raise self._error(f"Missing {{% end %}} block for if at line {self._line(opened)}", opened, opened + 2)
        return self.output

    def _line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def _prints(self) -> bool:
        return all(branch.prints for branch in self.branches)

    def _text(self, start: int, end: int) -> None:
        unclosed = _UNCLOSED.search(self.text, start, end)
        if unclosed:
            missing = "expression }}" if unclosed[0] == "{{" else "block %}"
            raise self._error(f"Missing end {missing}", unclosed.start(), unclosed.end())
        if self._prints():
            self.output.add(self.text[start:end], self._line(start), from_file=True)

    def _tag(self, tag: re.Match[str]) -> None:
        if tag["block"] is not None:
            self._block(tag, tag["block"].strip())
        elif tag["expression"] is not None and self._prints():
            value = self._evaluate(tag, tag["expression"])
            self.output.add("" if value is None else str(value), self._line(tag.start()), from_file=False)

    def _block(self, tag: re.Match[str], content: str) -> None:
        operator_, _, rest = content.partition(" ")
        if operator_ == "if":
            value = self._prints() and bool(self._evaluate(tag, rest))
            self.branches.append(_Branch(value, value, tag.start()))
        elif operator_ in ("elif", "else", "end"):
            self._continue_branch(tag, operator_, rest)
        elif operator_ == "set":
            name, _, expression = rest.partition("=")
            if self._prints():
                self.names[name.strip()] = self._evaluate(tag, expression)
        elif operator_ != "comment":
            raise self._tag_error(tag, f"unknown operator: '{operator_}'")

    def _continue_branch(self, tag: re.Match[str], operator_: str, rest: str) -> None:
        if not self.branches:
            raise self._tag_error(
                tag, "Extra {% end %} block" if operator_ == "end" else f"{operator_} outside if block"
            )
        branch = self.branches.pop()
        if operator_ == "end":
            return
        wanted = not branch.taken and self._prints()
        prints = wanted and (operator_ == "else" or bool(self._evaluate(tag, rest)))
        self.branches.append(_Branch(prints, branch.taken or prints, branch.opened_at))

    def _evaluate(self, tag: re.Match[str], text: str) -> Any:
        try:
            return self._value(ast.parse(text.strip(), mode="eval").body)
        except _Missing as error:
            if not self.ignore_missing:
                raise self._tag_error(tag, str(error)) from None
            return tag[0] if tag["expression"] is not None else None
        except (_Refused, SyntaxError, TypeError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise self._tag_error(tag, reason) from None

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if node.id in self.names:
                return self.names[node.id]
            case ast.Name():
                raise _Refused(f"name '{node.id}' is not defined")
            case ast.Call(func=ast.Name(id="tb_secret" | "tb_var")):
                return self._secret(*(self._value(argument) for argument in _arguments(node)))
            case ast.Call():
                self._value(node.func)
                raise _Refused("only tb_secret can be called here")
            case ast.BoolOp():
                return self._boolean(node)
            case ast.UnaryOp(op=ast.Not()):
                return not self._value(node.operand)
            case ast.IfExp():
                return self._value(node.body if self._value(node.test) else node.orelse)
            case ast.BinOp(op=ast.Add()):
                return self._value(node.left) + self._value(node.right)
            case ast.Compare(ops=[comparison], comparators=[right]):
                return _COMPARISONS[type(comparison)](self._value(node.left), self._value(right))
        raise _Refused(f"Invalid expression type: {type(node).__name__}")

    def _boolean(self, node: ast.BoolOp) -> Any:
        stops_at = isinstance(node.op, ast.Or)
        value: Any = None
        for operand in node.values:
            value = self._value(operand)
            if bool(value) is stops_at:
                break
        return value

    def _secret(self, name: Any = None, default: Any = None, *_: Any) -> str:
        if name in self.secrets:
            return self.secrets[name]
        if default is None:
            raise _Missing(
                f"Cannot access secret '{name}'. "
                "Check the secret exists in the Workspace and the token has the required scope."
            )
        # An empty default keeps the instruction its value: the quotes go when the value is read.
        return str(default) if default != "" else '""'

    def _tag_error(self, tag: re.Match[str], reason: str) -> DatafileError:
        return self._error(f"Error rendering template with secrets: {reason}", tag.start(), tag.end())

    def _error(self, message: str, start: int, end: int) -> DatafileError:
        line = self._line(start)
        column = start - (self.text.rfind("\n", 0, start) + 1) + 1
        length = len(self.text[start:end].partition("\n")[0])
        secret = "Cannot access secret" in message
        hint = 'Set the secret, or give a default: tb_secret("name", "default").' if secret else None
        code = "secret" if secret else "template"
        return self.source.error(code, message, Span.at(line, column, length), hint=hint)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]
