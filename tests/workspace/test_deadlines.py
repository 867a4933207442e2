"""One thread for all deadlines: each at its time, in whatever order they are asked for."""

from __future__ import annotations

import time
from threading import Event

from tbpy.engines.deadlines import Deadlines


def test_deadlines_come_in_order_of_their_times() -> None:
    deadlines, happened, last = Deadlines(), list[str](), Event()
    deadlines.after(0.10, lambda: (happened.append("later"), last.set()))
    deadlines.after(0.02, lambda: happened.append("sooner"))
    deadlines.after(0.05, lambda: happened.append("never")).call_off()
    assert last.wait(5)
    assert happened == ["sooner", "later"]


def test_a_deadline_after_all_others_are_gone() -> None:
    deadlines, first, second = Deadlines(), Event(), Event()
    deadlines.after(0, first.set)
    assert first.wait(5)
    time.sleep(0.02)
    deadlines.after(0.01, second.set)
    assert second.wait(5)
