"""Compiles the tree of a template into steps that write its SQL into a `Frame`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.expressions import ExpressionCompiler, Thunk
from tbpy.templating.frame import BudgetError, Frame
from tbpy.templating.source import Fragment, Source
from tbpy.templating.syntax import Code, check_bare, parse_assignment, parse_header, parse_output
from tbpy.templating.tree import Block, Node, Output, Section, Statement, Text
from tbpy.templating.values import sql_text

_SHOWN = 20


class Signal(Enum):
    """What a step tells the loop around it."""

    BREAK = auto()
    CONTINUE = auto()


Step = Callable[[Frame], Signal | None]


class StatementCompiler:
    """Compiles the nodes of one template. Raises `TemplateError` with a place for what the language does not allow.

    Every piece of Python that was read is kept in `parsed`, in order, for the extraction of parameters.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.parsed: list[ast.AST] = []

    def body(self, nodes: tuple[Node, ...]) -> Step:
        steps = [self._step(node) for node in nodes]

        def run(frame: Frame) -> Signal | None:
            for step in steps:
                signal = step(frame)
                if signal is not None:
                    return signal
            return None

        return run

    def _step(self, node: Node) -> Step:
        match node:
            case Text():
                return _write_text(node)
            case Output():
                return self._output(node.fragment)
            case Statement():
                return self._statement(node)
            case Block():
                return _BLOCKS[node.sections[0].operator](self, node.sections)

    def _output(self, fragment: Fragment) -> Step:
        expression, code = parse_output(self._source, fragment)
        self.parsed.append(expression)
        value = ExpressionCompiler(code, output=True).compile(expression)
        shown, tag = _shortened(fragment.text), fragment.tag

        def write(frame: Frame) -> None:
            frame.at = tag
            result = value(frame)
            if result is None:
                raise TemplateError(f'expression "{shown}" evaluated to null')
            text = sql_text(result)
            frame.charge(1 + (len(text) >> 6))
            frame.pieces.append(text)
            frame.places.append(~tag)

        return write

    def _statement(self, node: Statement) -> Step:
        if node.operator == "set":
            return self._set(node.fragment)
        check_bare(self._source, node.operator, node.fragment)
        signal = Signal.BREAK if node.operator == "break" else Signal.CONTINUE
        return lambda frame: signal

    def _set(self, fragment: Fragment) -> Step:
        statement, code = parse_assignment(self._source, fragment)
        self.parsed.append(statement)
        compiler = ExpressionCompiler(code, output=False)
        match statement:
            case ast.Assign(targets=targets, value=value):
                action = _assign([compiler.target(target) for target in targets], compiler.compile(value))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                action = _assign([compiler.target(target)], compiler.compile(value))
            case ast.AugAssign():
                action = _augment(compiler, statement)
            case ast.Expr(value=value):
                action = compiler.compile(value)
            case _:
                raise code.error("Invalid set statement", statement)
        tag = fragment.tag

        def run(frame: Frame) -> None:
            frame.at = tag
            action(frame)

        return run

    def _header(self, section: Section) -> tuple[Any, Code]:
        statement, code = parse_header(self._source, section.operator, section.header)
        return statement, code

    def _test(self, section: Section) -> Thunk:
        statement, code = self._header(section)
        self.parsed.append(statement.test)
        test = ExpressionCompiler(code, output=False).compile(statement.test)
        tag = section.header.tag

        def evaluate(frame: Frame) -> Any:
            frame.at = tag
            return test(frame)

        return evaluate

    def _otherwise(self, sections: tuple[Section, ...]) -> Step | None:
        """The body of a closing `else`, after which nothing may follow."""
        if not sections:
            return None
        section = sections[0]
        if section.operator != "else" or len(sections) > 1:
            extra = section if section.operator != "else" else sections[1]
            raise self._source.syntax_error("invalid syntax", extra.header.tag)
        check_bare(self._source, "else", section.header)
        return self.body(section.body)

    def _if(self, sections: tuple[Section, ...]) -> Step:
        arms: list[tuple[Thunk, Step]] = []
        rest = list(sections)
        while rest and rest[0].operator in ("if", "elif"):
            section = rest.pop(0)
            arms.append((self._test(section), self.body(section.body)))
        otherwise = self._otherwise(tuple(rest))

        def run(frame: Frame) -> Signal | None:
            for test, body in arms:
                if test(frame):
                    return body(frame)
            return None if otherwise is None else otherwise(frame)

        return run

    def _for(self, sections: tuple[Section, ...]) -> Step:
        statement, code = self._header(sections[0])
        self.parsed.extend((statement.target, statement.iter))
        compiler = ExpressionCompiler(code, output=False)
        assign, iterable = compiler.target(statement.target), compiler.compile(statement.iter)
        body, otherwise = self.body(sections[0].body), self._otherwise(sections[1:])
        tag = sections[0].header.tag

        def run(frame: Frame) -> Signal | None:
            frame.at = tag
            for value in frame.take(iterable(frame)):
                frame.charge(1)
                assign(frame, value)
                if body(frame) is Signal.BREAK:
                    return None
                frame.at = tag
            return None if otherwise is None else otherwise(frame)

        return run

    def _while(self, sections: tuple[Section, ...]) -> Step:
        test, body = self._test(sections[0]), self.body(sections[0].body)
        otherwise = self._otherwise(sections[1:])

        def run(frame: Frame) -> Signal | None:
            while test(frame):
                frame.charge(1)
                if body(frame) is Signal.BREAK:
                    return None
            return None if otherwise is None else otherwise(frame)

        return run

    def _try(self, sections: tuple[Section, ...]) -> Step:
        check_bare(self._source, "try", sections[0].header)
        body = self.body(sections[0].body)
        rest = list(sections[1:])
        handlers = []
        while rest and rest[0].operator == "except":
            handlers.append(self._handler(rest.pop(0)))
        otherwise = self._otherwise((rest.pop(0),)) if rest and rest[0].operator == "else" and handlers else None
        final = self._finally(rest.pop(0)) if rest and rest[0].operator == "finally" else None
        if rest or not (handlers or final):
            raise self._source.syntax_error("invalid syntax", (rest or list(sections))[0].header.tag)
        guarded = _guarded(body, handlers, otherwise)
        return guarded if final is None else _finishing(guarded, final)

    def _finally(self, section: Section) -> Step:
        check_bare(self._source, "finally", section.header)
        return self.body(section.body)

    def _handler(self, section: Section) -> tuple[tuple[type[Exception], ...], str | None, Step]:
        statement, code = self._header(section)
        handler: ast.ExceptHandler = statement.handlers[0]
        if handler.name is not None:
            ExpressionCompiler(code, output=False).check_name(handler.name, handler)
        return _caught(handler.type, code), handler.name, self.body(section.body)


_BLOCKS: dict[str, Callable[[StatementCompiler, tuple[Section, ...]], Step]] = {
    "if": StatementCompiler._if,
    "for": StatementCompiler._for,
    "while": StatementCompiler._while,
    "try": StatementCompiler._try,
}


def _write_text(node: Text) -> Step:
    text, place = node.text, node.offset if node.exact else ~node.offset
    cost = 1 + (len(text) >> 6)

    def write(frame: Frame) -> None:
        frame.charge(cost)
        frame.pieces.append(text)
        frame.places.append(place)

    return write


def _shortened(expression: str) -> str:
    return expression if len(expression) <= _SHOWN else expression[:_SHOWN] + "..."


def _assign(targets: list[Callable[[Frame, Any], None]], value: Thunk) -> Thunk:
    def run(frame: Frame) -> None:
        result = value(frame)
        for target in targets:
            target(frame, result)

    return run


def _augment(compiler: ExpressionCompiler, statement: ast.AugAssign) -> Thunk:
    current: ast.expr = statement.target
    apply = compiler.binary_operation(statement.op, statement)
    load, value, assign = compiler.compile(current), compiler.compile(statement.value), compiler.target(current)
    return lambda frame: assign(frame, apply(frame, load(frame), value(frame)))


_ERRORS: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (Exception, ArithmeticError, AttributeError, IndexError, KeyError, LookupError, NameError)
} | {error.__name__: error for error in (OverflowError, TypeError, ValueError, ZeroDivisionError)}


def _caught(node: ast.expr | None, code: Code) -> tuple[type[Exception], ...]:
    """The errors that a handler names. Errors of parameters and functions count as `ValueError`."""
    if node is None:
        return (Exception,)
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    if not all(isinstance(name, ast.Name) and name.id in _ERRORS for name in names):
        raise code.error("Invalid name: no such error", node)
    kinds = tuple(_ERRORS[name.id] for name in names if isinstance(name, ast.Name))
    return (*kinds, TemplateError) if ValueError in kinds else kinds


Handlers = list[tuple[tuple[type[Exception], ...], str | None, Step]]


def _guarded(body: Step, handlers: Handlers, otherwise: Step | None) -> Step:
    def run(frame: Frame) -> Signal | None:
        try:
            signal = body(frame)
        except BudgetError:
            raise
        except Exception as error:
            for kinds, name, handler in handlers:
                if isinstance(error, kinds):
                    if name is not None:
                        frame.variables[name] = str(error)
                    return handler(frame)
            raise
        return signal if otherwise is None or signal is not None else otherwise(frame)

    return run


def _finishing(guarded: Step, final: Step) -> Step:
    def run(frame: Frame) -> Signal | None:
        try:
            signal = guarded(frame)
        except BudgetError:
            raise
        except Exception:
            if final(frame) is None:
                raise
            return None
        return final(frame) or signal

    return run
