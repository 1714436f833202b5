"""A few sandboxes kept ready, so that a submission need not wait for the engine. Each is used once.

Called by the worker's processes as their SandboxRunner. One background thread starts what is missing. It must
not know about jobs beyond their shape.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import structlog

from graders.errors import SandboxError
from graders.results import Limits
from graders.sandbox.options import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.sandbox.job import SandboxJob, SandboxRun
    from graders.sandbox.sandbox import Sandbox

log = structlog.get_logger(__name__)

MAX_IDLE_S = 600.0
RETRY_S = 5.0


class _Starter(Protocol):
    """The part of a runner that the pool needs."""

    @property
    def fingerprint(self) -> str: ...

    def start(self, limits: Limits) -> Sandbox: ...

    def close(self) -> None: ...


class WarmPool:
    """Keeps `size` sandboxes of one shape ready; a job of another shape gets a fresh one.

    At most `size` are ready or being started at a time, so that memory is bounded by `size` and the number of
    jobs under way.
    """

    def __init__(self, connect: Callable[[], _Starter], *, size: int, limits: Limits | None = None) -> None:
        """Start filling at once.

        Args:
            connect: makes a runner; called once for each of the two threads that talk to the engine.
            size: how many to keep ready; 0 turns the pool off.
            limits: the shape to keep ready; the default limits' by default.
        """
        self._runner = connect()
        self._limits = limits or Limits()
        self._shape = Shape.of(self._limits)
        self._size = size
        self._ready: list[Sandbox] = []
        self._leaving: list[Sandbox] = []
        self._busy: set[str] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._starter: _Starter | None = None  # the background thread's own
        self._filler = threading.Thread(target=self._fill, args=(connect,), name="sandbox-pool", daemon=True)
        if size > 0:
            self._filler.start()

    @property
    def fingerprint(self) -> str:
        """The runner's."""
        return self._runner.fingerprint

    @property
    def books(self) -> frozenset[str]:
        """Ids of the containers in use or kept ready: what the reaper leaves alone."""
        with self._changed:
            return frozenset({sandbox.container_id for sandbox in self._ready} | self._busy)

    def await_full(self, timeout_s: float = 60.0) -> bool:
        """Wait until the pool is full; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._ready) >= self._size, timeout_s)

    def run(self, job: SandboxJob) -> SandboxRun:
        """Run `job` in a ready sandbox, or in a fresh one. See SandboxRunner."""
        began = time.monotonic()
        sandbox = self._take(Shape.of(job.limits)) or self._start_now(job.limits)
        try:
            return sandbox.converse(job, waited_s=time.monotonic() - began)
        finally:
            self._leave(sandbox)

    def _start_now(self, limits: Limits) -> Sandbox:
        sandbox = self._runner.start(limits)
        with self._changed:
            self._busy.add(sandbox.container_id)
        try:
            sandbox.await_ready()
        except BaseException:
            self._leave(sandbox)
            raise
        return sandbox

    def _leave(self, sandbox: Sandbox) -> None:
        """Have a used sandbox removed: in the background, where there is one, since a learner is waiting."""
        with self._changed:
            if self._filler.is_alive() and not self._closing:
                self._leaving.append(sandbox)
                self._changed.notify_all()
                return
        self._remove(sandbox)

    def _remove(self, sandbox: Sandbox) -> None:
        sandbox.remove()
        with self._changed:
            self._busy.discard(sandbox.container_id)

    def close(self) -> None:
        """Stop filling and remove every sandbox that is ready."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._size > 0:
            self._filler.join(timeout=60)
        with self._changed:
            left = self._ready + self._leaving
            self._ready, self._leaving = [], []
        for sandbox in left:
            self._remove(sandbox)
        for runner in (self._starter, self._runner):
            if runner is not None:
                runner.close()

    def _take(self, shape: Shape) -> Sandbox | None:
        stale: list[Sandbox] = []
        taken = None
        with self._changed:
            while shape == self._shape and self._ready and taken is None:
                sandbox = self._ready.pop(0)
                if self._is_fresh(sandbox):
                    taken = sandbox
                    self._busy.add(sandbox.container_id)
                else:
                    stale.append(sandbox)
            self._changed.notify_all()
        for sandbox in stale:
            sandbox.remove()
        return taken

    @staticmethod
    def _is_fresh(sandbox: Sandbox) -> bool:
        return time.monotonic() - sandbox.started_at < MAX_IDLE_S and sandbox.is_alive()

    def _fill(self, connect: Callable[[], _Starter]) -> None:
        """Body of the background thread: start sandboxes while some are missing."""
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, MAX_IDLE_S / 2)
                if self._closing:
                    break
                stale = [sandbox for sandbox in self._ready if not self._is_fresh(sandbox)]
                self._ready = [sandbox for sandbox in self._ready if sandbox not in stale]
                missing = self._size - len(self._ready)
                stale += self._leaving
                self._leaving = []
            for sandbox in stale:
                self._remove(sandbox)
            if missing <= 0:
                continue
            try:
                self._starter = self._starter or connect()
                self._add(self._starter)
            except SandboxError as error:
                log.warning("pool_not_filled", error=str(error))
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY_S)

    def _has_work(self) -> bool:
        return self._closing or bool(self._leaving) or len(self._ready) < self._size

    def _add(self, runner: _Starter) -> None:
        sandbox = runner.start(self._limits)
        try:
            sandbox.await_ready()
        except BaseException:
            sandbox.remove()
            raise
        with self._changed:
            if not self._closing:
                self._ready.append(sandbox)
                self._changed.notify_all()
                return
        sandbox.remove()
