"""The warm pool: each sandbox once, refilled, bounded, closed."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import pytest

from graders.errors import SandboxError
from graders.results import Limits
from graders.sandbox.job import End, SandboxJob, SandboxRun
from graders.sandbox.options import Shape
from graders.sandbox.pool import WarmPool

JOB = SandboxJob((), {}, Limits())


class Box:
    def __init__(self, number: int, limits: Limits) -> None:
        self.container_id = f"box{number}"
        self.shape = Shape.of(limits)
        self.started_at = time.monotonic()
        self.alive = True
        self.ready = False
        self.removed = threading.Event()
        self.jobs = 0

    def await_ready(self) -> None:
        assert not self.ready, "the word `ready` comes once"
        self.ready = True

    def is_alive(self) -> bool:
        return self.alive

    def converse(self, job: SandboxJob, *, waited_s: float = 0.0) -> SandboxRun:
        assert self.ready
        self.jobs += 1
        if job.mode == "broken":
            raise SandboxError("broken")
        return SandboxRun(End.FINISHED, detail=self.container_id)

    def remove(self) -> None:
        self.removed.set()


class Starter:
    fingerprint = "double"

    def __init__(self, boxes: list[Box], failures: int = 0) -> None:
        self.boxes = boxes
        self.failures = failures
        self.numbers = itertools.count(len(boxes))

    def start(self, limits: Limits) -> Any:
        if self.failures:
            self.failures -= 1
            raise SandboxError("no engine")
        box = Box(len(self.boxes), limits)
        self.boxes.append(box)
        return box

    def close(self) -> None: ...


@pytest.fixture
def boxes() -> list[Box]:
    return []


def pool_of(boxes: list[Box], size: int = 2) -> WarmPool:
    return WarmPool(lambda: Starter(boxes), size=size)  # type: ignore[arg-type]


def test_each_sandbox_is_used_once_and_removed(boxes: list[Box]) -> None:
    pool = pool_of(boxes)
    try:
        assert pool.await_full(5)
        used = []
        for _ in range(5):
            used.append(pool.run(JOB).detail)
            assert pool.await_full(5)
        assert len(used) == len(set(used)) == 5
        assert all(box.removed.wait(5) for box in boxes if box.container_id in used)
        assert all(box.jobs <= 1 for box in boxes)
    finally:
        pool.close()
    assert all(box.removed.is_set() for box in boxes)
    assert not pool.books


def test_it_never_holds_more_than_its_size(boxes: list[Box]) -> None:
    pool = pool_of(boxes, size=3)
    try:
        assert pool.await_full(5)
        assert len(pool.books) == 3
    finally:
        pool.close()


def test_another_shape_gets_a_fresh_one(boxes: list[Box]) -> None:
    pool = pool_of(boxes)
    try:
        assert pool.await_full(5)
        larger = Limits(memory_bytes=2**30)
        used = pool.run(SandboxJob((), {}, larger)).detail
        (box,) = [box for box in boxes if box.container_id == used]
        assert box.shape == Shape.of(larger)
        assert box.removed.wait(5)
    finally:
        pool.close()


def test_a_dead_one_is_not_handed_out(boxes: list[Box]) -> None:
    pool = pool_of(boxes, size=1)
    try:
        assert pool.await_full(5)
        boxes[0].alive = False
        assert pool.run(JOB).detail != "box0"
        assert boxes[0].removed.wait(5)
    finally:
        pool.close()


def test_one_that_breaks_is_removed_too(boxes: list[Box]) -> None:
    pool = pool_of(boxes, size=1)
    try:
        assert pool.await_full(5)
        with pytest.raises(SandboxError):
            pool.run(SandboxJob((), {}, Limits(), mode="broken"))
        assert boxes[0].removed.wait(5)
    finally:
        pool.close()


def test_size_zero_is_no_pool(boxes: list[Box]) -> None:
    pool = pool_of(boxes, size=0)
    assert pool.run(JOB).detail == "box0"
    assert boxes[0].removed.is_set()
    assert not pool.books
    pool.close()
    assert len(boxes) == 1
