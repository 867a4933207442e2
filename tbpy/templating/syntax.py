"""Reads the Python inside tags with `ast`. Nothing here, or anywhere in this room, compiles or runs Python code."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from tbpy.errors import TemplateError
from tbpy.templating.source import Fragment, Source

_FORBIDDEN_WORD = re.compile(r"\b(from|import)\b")


@dataclass(frozen=True, slots=True)
class Code:
    """A fragment, with what was put before it so that it could be parsed on its own.

    `prefix_lines` lines were added, and `prefix` characters to its first line (below zero: cut off).
    """

    source: Source
    fragment: Fragment
    prefix_lines: int = 0
    prefix: int = 0

    def offset(self, node: ast.AST) -> int:
        """Where a node stands in the template."""
        return self._offset(getattr(node, "lineno", 1), getattr(node, "col_offset", self.prefix))

    def error(self, message: str, node: ast.AST) -> TemplateError:
        return self.source.error(message, self.offset(node))

    def name_error(self, name: str, node: ast.AST) -> TemplateError:
        line, _ = self.source.line_column(self.offset(node))
        return self.error(f'"{name}" can not be used as a variable name, line {line}', node)

    def syntax_error(self, error: Exception) -> TemplateError:
        offset = self.fragment.offset
        if isinstance(error, SyntaxError) and error.lineno is not None:
            offset = self._offset(error.lineno, max((error.offset or 1) - 1, 0), in_bytes=False)
        if word := _FORBIDDEN_WORD.search(self.fragment.text):
            return self.source.syntax_error(f'"{word.group()}" is a forbidden word', self.fragment.offset)
        reason = error.msg if isinstance(error, SyntaxError) else "the expression is too complex"
        return self.source.syntax_error(reason, offset)

    def _offset(self, line: int, column: int, *, in_bytes: bool = True) -> int:
        lines = self.fragment.text.split("\n")
        index = min(max(line - 1 - self.prefix_lines, 0), len(lines) - 1)
        before = column - (self.prefix if index == 0 else 0)
        text = lines[index]
        width = len(text.encode()[: max(before, 0)].decode(errors="ignore")) if in_bytes else before
        return self.fragment.offset + sum(len(x) + 1 for x in lines[:index]) + min(max(width, 0), len(text))


def parse_output(source: Source, fragment: Fragment) -> tuple[ast.expr, Code]:
    """The expression of `{{ }}`. It may span lines, and a comment breaks it, as inside the brackets of a call."""
    code = Code(source, fragment, prefix=1)
    try:
        node = _parse(code, f"[{fragment.text}]")
    except TemplateError:
        _parse(Code(source, fragment), fragment.text)  # complains without the bracket
        raise source.syntax_error("invalid syntax", fragment.offset) from None
    expression = node.body[0] if len(node.body) == 1 else None
    if not (isinstance(expression, ast.Expr) and isinstance(expression.value, ast.List) and expression.value.elts):
        raise source.syntax_error("invalid syntax", fragment.offset)
    items = expression.value.elts
    if len(items) == 1 and not fragment.text.endswith(","):
        return items[0], code
    whole = ast.Tuple(elts=items, ctx=ast.Load())
    return ast.copy_location(whole, items[0]), code


def parse_assignment(source: Source, fragment: Fragment) -> tuple[ast.stmt, Code]:
    """The one statement of `{% set %}`."""
    code = Code(source, fragment)
    body = _parse(code, fragment.text).body
    if len(body) != 1:
        raise source.error("Invalid set statement", fragment.offset)
    return body[0], code


_HEADERS: dict[str, tuple[str, type[ast.stmt]]] = {
    "if": ("", ast.If),
    "elif": ("", ast.If),
    "while": ("", ast.While),
    "for": ("", ast.For),
    "except": ("try:\n pass\n", ast.Try),
}


def parse_header(source: Source, operator: str, fragment: Fragment) -> tuple[ast.stmt, Code]:
    """The statement that a block's header opens; its body is a single `pass`.

    `else`, `try` and `finally` stand alone and are not parsed: see `check_bare`.
    """
    before, kind = _HEADERS[operator]
    text = fragment.text
    prefix = 0
    if operator == "elif":
        text, prefix = text[2:], -2
    code = Code(source, fragment, prefix_lines=before.count("\n"), prefix=prefix)
    body = _parse(code, f"{before}{text}:\n pass").body
    if len(body) != 1 or not isinstance(body[0], kind) or not _is_bare_pass(body[0]):
        raise source.syntax_error("invalid syntax", fragment.offset)
    return body[0], code


def _is_bare_pass(statement: ast.stmt) -> bool:
    body: list[ast.stmt] = getattr(statement, "body", [])
    handlers: list[ast.ExceptHandler] = getattr(statement, "handlers", [])
    bodies = [body, *(handler.body for handler in handlers)]
    return len(handlers) <= 1 and not getattr(statement, "orelse", []) and all(map(_is_pass, bodies))


def _is_pass(body: list[ast.stmt]) -> bool:
    return len(body) == 1 and isinstance(body[0], ast.Pass)


def check_bare(source: Source, operator: str, fragment: Fragment) -> None:
    """Raises unless the tag is the word alone, as in `{% else %}` or `{% break %}`."""
    if fragment.text != operator:
        raise source.syntax_error("invalid syntax", fragment.offset)


def _parse(code: Code, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise code.syntax_error(error) from None
