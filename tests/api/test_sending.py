"""Head and body of an answer go out together, and nothing that was written is held for long or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from tbpy.api.sending import Joining


class Recorder:
    """A transport that tells what was done with it."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def write(self, data: bytes) -> None:
        self.done.append(bytes(data))

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.done.append([bytes(piece) for piece in pieces])

    def close(self) -> None:
        self.done.append("closed")


def test_head_and_body_are_one_piece_and_the_rest_follows_in_order() -> None:
    async def write() -> list[object]:
        recorder = Recorder()
        joining = Joining(cast("asyncio.Transport", recorder), asyncio.get_running_loop())
        joining.write(b"head")
        joining.write(b"body")
        joining.write(b"alone")
        assert recorder.done == [[b"head", b"body"]]
        await asyncio.sleep(0)
        joining.write(b"last")
        joining.close()
        await asyncio.sleep(0)
        return recorder.done

    assert asyncio.run(write()) == [[b"head", b"body"], b"alone", b"last", "closed"]
