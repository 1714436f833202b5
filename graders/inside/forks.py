"""Forks of the learner's process that the checker talks to on a socket of their own. Used by learner.py."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Forks:
    """Starts forks and buries those that have ended; other children are the learner's own and are left alone."""

    def __init__(self) -> None:
        self._children: list[int] = []

    def start(self, connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        """Receive a socket over the connection and serve it in a fork, which then ends."""
        self._bury()
        _data, descriptors, _flags, _address = socket.recv_fds(connection, 1, 1)
        other = socket.socket(fileno=descriptors[0])
        child = os.fork()
        if child == 0:
            try:
                connection.close()
                serve(other)
            finally:
                os._exit(0)
        other.close()
        self._children.append(child)

    def _bury(self) -> None:
        for child in list(self._children):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG)[0] == 0:
                    continue
            self._children.remove(child)
