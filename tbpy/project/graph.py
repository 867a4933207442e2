"""Cycles and orders of what needs what."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

_T = TypeVar("_T", bound=Hashable)


def find_cycles(needs: Mapping[_T, Iterable[_T]]) -> Iterator[tuple[_T, ...]]:
    """The cycles that a depth-first walk meets, each once: `(a, b, c)` when a needs b, b needs c, and c needs a."""
    done: set[_T] = set()
    for start in needs:
        yield from _walk(needs, start, done)


def _walk(needs: Mapping[_T, Iterable[_T]], start: _T, done: set[_T]) -> Iterator[tuple[_T, ...]]:
    path: list[_T] = []
    stack: list[tuple[_T, Iterator[_T]]] = []

    def enter(item: _T) -> None:
        path.append(item)
        stack.append((item, iter(needs.get(item, ()))))

    if start not in done:
        enter(start)
    while stack:
        item, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            stack.pop()
            path.pop()
            done.add(item)
        elif following in path:
            yield tuple(path[path.index(following) :])
        elif following not in done:
            enter(following)


def ordered(needs: Mapping[_T, Iterable[_T]]) -> tuple[_T, ...]:
    """What is needed first; among equals the order of the mapping. Items of a cycle come in the order they are met."""
    order: dict[_T, None] = {}
    for start in needs:
        _visit(needs, start, order)
    return tuple(order)


def _visit(needs: Mapping[_T, Iterable[_T]], start: _T, order: dict[_T, None]) -> None:
    entered = {start}
    stack = [(start, iter(needs.get(start, ())))]
    while stack:
        item, rest = stack[-1]
        following = next((other for other in rest if other not in entered and other not in order), None)
        if following is None:
            order[item] = None
            stack.pop()
        elif following in needs:
            entered.add(following)
            stack.append((following, iter(needs.get(following, ()))))
