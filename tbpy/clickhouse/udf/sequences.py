"""Chains of events in time: windowFunnel, and the pattern language of sequenceMatch and sequenceCount.

Source: ClickHouse's documentation of parametric aggregate functions; ties and modes held to recorded answers. An event
is `{"t": time, "m": mask}`, where bit i of the mask says that condition i + 1 holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypedDict

from tbpy.clickhouse.udf import Udf


class Event(TypedDict):
    t: int
    m: int


# --- windowFunnel ---


@dataclass(frozen=True, slots=True)
class Hit:
    """A condition (from 0; -1 for a row that meets none) met at a time by a row."""

    time: int
    level: int
    row: int


def _hits(events: list[Event], count: int, strict_order: bool) -> list[Hit]:
    hits: list[Hit] = []
    for row, event in enumerate(events):
        levels = [level for level in range(count) if event["m"] >> level & 1]
        if strict_order and not levels:
            levels = [-1]
        hits.extend(Hit(event["t"], level, row) for level in levels)
    return sorted(hits, key=lambda hit: (hit.time, hit.level, hit.row))


def window_funnel(events: list[Event], count: int, window: int, modes: str) -> int:
    """The longest chain of conditions met in order, each within `window` of the first."""
    chosen = frozenset(modes.split(",")) - {""}
    hits = _hits(events, count, "strict_order" in chosen)
    if not hits:
        return 0
    if "strict_once" in chosen:
        return _strict_once(hits, count, window, chosen)
    return _level(hits, count, window, chosen)


def _level(hits: list[Hit], count: int, window: int, modes: frozenset[str]) -> int:
    chains: list[tuple[int, int] | None] = [None] * count  # per level the first and the last time of its chain
    for hit in hits:
        level = hit.level
        before = chains[level - 1] if level > 0 else None
        if level == -1:
            if chains[0] is not None:
                break
        elif level == 0:
            chains[0] = (hit.time, hit.time)
        elif "strict_deduplication" in modes and chains[level] is not None:
            break
        elif "strict_order" in modes and chains[0] is not None and before is None:
            return chains.index(None)
        elif before is not None:
            start, last = before
            if hit.time <= start + window and ("strict_increase" not in modes or last < hit.time):
                chains[level] = (start, hit.time)
                if level + 1 == count:
                    return count
    return max((level + 1 for level, chain in enumerate(chains) if chain is not None), default=0)


@dataclass(frozen=True, slots=True)
class Chain:
    start: int
    last: int
    rows: tuple[int, ...]


def _strict_once(hits: list[Hit], count: int, window: int, modes: frozenset[str]) -> int:
    """As above, but one row counts for one condition only: all chains so far are followed."""
    chains: list[list[Chain]] = [[] for _ in range(count)]
    for hit in hits:
        level = hit.level
        if level == -1:
            if chains[0]:
                break
        elif level == 0:
            chains[0].append(Chain(hit.time, hit.time, (hit.row,)))
        elif "strict_deduplication" in modes and chains[level]:
            break
        elif "strict_order" in modes and chains[0] and not chains[level - 1]:
            return next(place for place, found in enumerate(chains) if not found)
        else:
            for chain in chains[level - 1]:
                grows = "strict_increase" not in modes or chain.last < hit.time
                if hit.time <= chain.start + window and hit.row not in chain.rows and grows:
                    chains[level].append(Chain(chain.start, hit.time, (*chain.rows, hit.row)))
                    if level + 1 == count:
                        return count
    return max((level + 1 for level, found in enumerate(chains) if found), default=0)


# --- sequenceMatch and sequenceCount ---


class PatternError(ValueError):
    """A pattern that ClickHouse would refuse."""


@dataclass(frozen=True, slots=True)
class Action:
    """`kind`: "event" (number is its bit), "any", "star", or the comparison of a time condition (number is seconds)."""

    kind: str
    number: int = 0


_TOKEN = re.compile(r"\(\?(\d+)\)|\(\?t(<=|>=|==|<|>)(\d+)\)|(\.\*)|(\.)")


@lru_cache(maxsize=256)
def parse_pattern(pattern: str, count: int) -> tuple[Action, ...]:
    """The actions of a pattern; it may start anywhere among the events."""
    actions = [Action("star")]
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise PatternError(f"Could not parse pattern, unexpected symbol starting at position {position}")
        number, comparison, seconds, star, _ = token.groups()
        if number is not None:
            if not 1 <= int(number) <= count:
                raise PatternError(f"Event number {number} is out of range")
            actions.append(Action("event", int(number) - 1))
        elif comparison is not None:
            if actions[-1].kind not in ("event", "any", "star"):
                raise PatternError("Temporal condition should be preceded by an event condition")
            actions.append(Action(comparison, int(seconds)))
        else:
            actions.append(Action("star" if star else "any"))
        position = token.end()
    return tuple(actions)


def sequence_count(events: list[Event], count: int, pattern: str, most: int) -> int:
    """How many times the pattern matches one after the other, at most `most` times when that is not negative."""
    actions = parse_pattern(pattern, count)
    ordered = sorted(events, key=lambda event: event["t"])
    found, place = 0, 0
    while place < len(ordered) and found != most:
        after = _match(actions, ordered, place)
        if after is None:
            break
        found, place = found + 1, after
    return found


def _match(actions: tuple[Action, ...], events: list[Event], place: int) -> int | None:
    """Where the events go on after a match that starts at `place` or later; None when there is none."""
    stack: list[tuple[int, int, int]] = []
    action, base = 0, place

    while action < len(actions) and place < len(events):
        step = actions[action]
        if step.kind == "star":
            stack.append((action, place, base))
            action, base = action + 1, place
        elif step.kind == "any" or (step.kind == "event" and events[place]["m"] >> step.number & 1):
            base, action, place = place, action + 1, place + 1
        elif step.kind != "event" and _holds(step, events[place]["t"] - events[base]["t"]):
            stack.append((action, place, base))
            action, base = action + 1, place
        else:
            if step.kind in (">=", ">", "=="):
                place += 1
                if place < len(events):
                    continue
            resumed = _backtrack(stack, len(events))
            if resumed is None:
                break
            action, place, base = resumed
    while action < len(actions) and actions[action].kind == "star":
        action += 1
    return place if action == len(actions) else None


def _backtrack(stack: list[tuple[int, int, int]], end: int) -> tuple[int, int, int] | None:
    while stack:
        action, place, base = stack.pop()
        if place + 1 < end:
            return action, place + 1, base
    return None


def _holds(step: Action, passed: int) -> bool:
    match step.kind:
        case "<=":
            return passed <= step.number
        case "<":
            return passed < step.number
        case ">=":
            return passed >= step.number
        case ">":
            return passed > step.number
    return passed == step.number


_EVENT = "STRUCT(t HUGEINT, m BIGINT)[]"

FUNCTIONS = {
    "tb_window_funnel": Udf(window_funnel, (_EVENT, "INTEGER", "BIGINT", "VARCHAR"), "INTEGER"),
    "tb_sequence_count": Udf(sequence_count, (_EVENT, "INTEGER", "VARCHAR", "BIGINT"), "BIGINT"),
}
