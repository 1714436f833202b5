"""The spawner tells the hub at once when a workspace listens, and doesn't wait for ever for one that never does."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

from hub.deploy import spawner

if TYPE_CHECKING:
    import pytest


def test_it_returns_once_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawner, "PORT_PAUSE_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]

    async def story() -> bool:
        waiting = asyncio.create_task(spawner._await_port("127.0.0.1", port))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        early = bool(done)
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
        async with server:
            await asyncio.wait_for(waiting, 5)
        return early

    assert asyncio.run(story()) is False


def test_it_gives_up_when_nobody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawner, "PORT_PAUSE_S", 0.001)
    monkeypatch.setattr(spawner, "PORT_LOOKS", 3)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    began = time.monotonic()
    asyncio.run(spawner._await_port("127.0.0.1", port))
    assert time.monotonic() - began < 5
