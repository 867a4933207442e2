"""The text of one template: places in it, and errors that name them."""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.errors import TemplateError


@dataclass(frozen=True, slots=True)
class Fragment:
    """Python text inside a tag: `text` starts at `offset` of the template, its tag at `tag`."""

    text: str
    offset: int
    tag: int


@dataclass(frozen=True, slots=True)
class Source:
    """A template's text and the name that its syntax errors carry."""

    text: str
    name: str

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset."""
        before = self.text.count("\n", 0, offset)
        return before + 1, offset - self.text.rfind("\n", 0, offset)

    def syntax_error(self, message: str, offset: int) -> TemplateError:
        """An error of the tag language itself: its message ends with `at name:line`."""
        line, column = self.line_column(offset)
        return TemplateError(f"{message} at {self.name}:{line}", line=line, column=column)

    def error(self, message: str, offset: int, *, hint: str | None = None) -> TemplateError:
        line, column = self.line_column(offset)
        return TemplateError(message, line=line, column=column, hint=hint)

    def locate(self, error: TemplateError, offset: int) -> TemplateError:
        """Gives an error the place where rendering stood, unless it knows a place."""
        if error.line is None:
            error.line, error.column = self.line_column(offset)
        return error
