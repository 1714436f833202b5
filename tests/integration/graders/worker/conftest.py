"""Fixtures of the worker's tests.

platform        | the services over a fresh database: SQLite and PostgreSQL, one after the other
workers         | starts worker processes over that platform and ends what is left of them
until           | waits for something to become true
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub import migrations
from hub.db import Database
from hub.settings import Settings
from tests.doubles.platform import Platform, make_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[4]


@pytest.fixture(params=["sqlite", "postgresql"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    state = tmp_path / "state"
    state.mkdir()
    url = f"sqlite:///{state / 'atelier.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    settings = Settings(
        state_dir=state, database_url=url, instance="ateliertest-worker", submissions_per_minute=10_000
    )
    database = Database(url)
    migrations.upgrade(database)
    yield make_platform(settings, database)
    database.close()


class Workers:
    """Worker processes of one platform, one at a time as one id allows."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self._platform = platform
        self.log = folder / "grading.log"
        self.output = folder / "worker.out"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, step: str = "", count: int = 1) -> subprocess.Popen[bytes]:
        """Start a worker; with `step` it kills itself there."""
        settings = self._platform.settings
        command = [sys.executable, "-m", "tests.doubles.worker_process"]
        command += [str(settings.state_dir), settings.effective_database_url, str(self.log)]
        command += [step, str(count)] if step else []
        with self.output.open("ab") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        self.running.append(process)
        return process

    def graded(self) -> list[str]:
        """Return the submissions whose grading began, in order."""
        return [line.split()[2] for line in self._lines() if " grade " in line]

    def grading_processes(self) -> set[int]:
        """Return the grading processes that are alive."""
        return {pid for pid in {int(line.split()[0]) for line in self._lines()} if _alive(pid)}

    def _lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def end(self) -> None:
        """Stop what still runs."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def workers(platform: Platform, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(platform, tmp_path)
    yield workers
    workers.end()
    if workers.output.exists():
        sys.stdout.write(workers.output.read_text())  # pytest shows it when the test fails


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool], within_s: float = 90.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "this did not happen in time"
            time.sleep(0.02)

    return wait
