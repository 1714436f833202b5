"""The sandbox itself, in both ways in: walls that hold, clocks that strike, nothing left behind."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graders.command import grade_command
from graders.errors import EngineError
from graders.results import Limits
from graders.sandbox.choice import Door, SandboxConfig, make_runner
from graders.sandbox.docker import DockerSandboxRunner
from graders.sandbox.job import CellJob, End, NotebookJob, Role, SandboxJob
from graders.sandbox.options import Shape, container_options
from graders.sandbox.pool import WarmPool
from graders.sandbox.reaper import MAX_AGE, Reaper
from tests.doubles.notebooks import WRONG, answer, exercise, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

pytestmark = pytest.mark.integration
LIMITS = Limits(wall_s=6.0, cell_s=2.0, memory_bytes=200 * 2**20)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", params=[Door.ENGINE, Door.RUNC])
def runner(
    request: pytest.FixtureRequest, image: str, instance: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    config = SandboxConfig(image, instance, tmp_path_factory.mktemp("sandboxes"), door=request.param)
    made = make_runner(config)
    yield made
    made.close()


def said(runner: Any, code: str, limits: Limits = LIMITS) -> tuple[Any, str]:
    """Run one learner's cell; return the run and what the cell printed."""
    job = SandboxJob((NotebookJob("n", (CellJob(0, Role.LEARNER, code, "a"),)),), {}, limits)
    run = runner.run(job)
    printed = "".join(output.get("text", "") for cell in run.cells for output in cell.outputs)
    return run, printed.strip()


WALLS = {
    "who it is": ("import os; print(os.getuid(), os.getgid(), os.getgroups())", "10001 10001 []"),
    "no capabilities": (
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm'))])",
        "['0000000000000000', '0000000000000000']",
    ),
    "no new privileges": (
        "print([l for l in open('/proc/self/status') if 'NoNewPrivs' in l][0].split()[1])",
        "1",
    ),
    "seccomp filters": (
        "print([l for l in open('/proc/self/status') if l.startswith('Seccomp:')][0].split()[1])",
        "2",
    ),
    "no network": (
        "print(sorted(l.split(':')[0].strip() for l in list(open('/proc/net/dev'))[2:]))",
        "['lo']",
    ),
    "read-only root": (
        "try:\n    open('/opt/x', 'w')\nexcept OSError as error:\n    print(error.errno)",
        "30",
    ),
    "core dumps off": ("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))", "(0, 0)"),
    "open files": ("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])", "256"),
    "bounded scratch space": (
        "import os; v = os.statvfs('.'); print(v.f_blocks * v.f_frsize, v.f_files)",
        "67108864 4096",
    ),
    "nothing of the environment": (
        "import os; print([n for n in os.environ if 'ATELIER' in n or 'TOKEN' in n or 'DOCKER' in n])",
        "[]",
    ),
}


@pytest.mark.parametrize("wall", WALLS)
def test_wall(runner: Any, wall: str) -> None:
    code, expected = WALLS[wall]
    run, printed = said(runner, code)
    assert run.end is End.FINISHED
    assert printed == expected


def test_the_wall_clock_strikes(runner: Any) -> None:
    run, _ = said(runner, "import time\ntime.sleep(100)", replace(LIMITS, wall_s=1.5, cell_s=100.0))
    assert run.verdict == "timeout" or run.end is End.WALL_CLOCK
    assert run.seconds["sandbox_run"] < 10.0


def test_memory_is_the_engines_word(runner: Any) -> None:
    run, _ = said(
        runner,
        "kept = []\nwhile True:\n    kept.append(bytearray(b'x' * 10**6))",
        replace(LIMITS, cell_s=6.0),
    )
    assert run.out_of_memory


def test_what_runs_here_is_what_was_asked_for(engine: docker.DockerClient, image: str, instance: str) -> None:
    """The engine took every flag: none was dropped or changed on the way."""
    runner = DockerSandboxRunner(image, instance)
    sandbox = runner.start(LIMITS)
    try:
        real = engine.api.inspect_container(sandbox.container_id)["HostConfig"]
        version = int(engine.info().get("CgroupVersion") or 1)
        asked = container_options(
            image, Shape.of(LIMITS), instance=instance, owner="x", cgroup_version=version
        )
        differing = {
            flag: (value, real.get(flag))
            for flag, value in asked["HostConfig"].items()
            if (real.get(flag) or None) != (value or None)
        }
        assert not differing
        assert real["MaskedPaths"]
        assert real["ReadonlyPaths"]
    finally:
        sandbox.remove()
        runner.close()


def _ours(engine: docker.DockerClient, instance: str) -> list[Any]:
    found: list[Any] = engine.containers.list(all=True, filters={"label": f"atelier.instance={instance}"})
    return found


def test_nothing_is_left_after_a_run(engine: docker.DockerClient, image: str) -> None:
    runner = DockerSandboxRunner(image, "ateliertest-left")
    said(runner, "1")
    runner.close()
    assert not _ours(engine, "ateliertest-left")


def test_the_reaper_takes_what_a_dead_worker_left(engine: docker.DockerClient, image: str) -> None:
    instance = "ateliertest-reap"
    runner = DockerSandboxRunner(image, instance, owner="dead-1")
    sandbox = runner.start(LIMITS)
    reaper = Reaper(instance, owner="alive-2")
    later = Reaper(instance, owner="alive-2", now=lambda: datetime.now(UTC) + MAX_AGE + timedelta(seconds=1))
    try:
        assert reaper.sweep(()) == []
        assert later.sweep({sandbox.container_id}) == []
        assert later.sweep(()) == [sandbox.container_id]
        assert not _ours(engine, instance)
    finally:
        sandbox.remove()
        for item in (runner, reaper, later):
            item.close()


@pytest.mark.parametrize("door", [Door.ENGINE, Door.RUNC])
def test_a_warm_pool_keeps_its_promise(
    engine: docker.DockerClient, image: str, tmp_path: Path, door: Door
) -> None:
    instance = "ateliertest-pool"
    config = SandboxConfig(image, instance, tmp_path, door=door)
    pool = WarmPool(lambda: make_runner(config), size=2, limits=LIMITS)
    try:
        assert pool.await_full(30)
        first, _ = said(pool, "import os\nopen('/tmp/mark', 'w').close()\nopen('mark', 'w').close()")
        second, printed = said(pool, "import os; print(os.path.exists('/tmp/mark'), os.path.exists('mark'))")
        assert first.end is second.end is End.FINISHED
        assert max(first.seconds["sandbox_wait"], second.seconds["sandbox_wait"]) < 0.1
        assert printed == "False False"
    finally:
        pool.close()
    assert not _ours(engine, instance)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the SDK's own unfinished socket
def test_an_engine_that_is_away_is_an_outage(monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setattr("docker.constants.DEFAULT_UNIX_SOCKET", "http+unix:///nowhere.sock")
    monkeypatch.setattr("docker.api.client.DEFAULT_UNIX_SOCKET", "http+unix:///nowhere.sock", raising=False)
    monkeypatch.setattr("docker.utils.utils.DEFAULT_UNIX_SOCKET", "http+unix:///nowhere.sock", raising=False)
    with pytest.raises(EngineError) as caught:
        DockerSandboxRunner(image, "ateliertest-away")
    assert caught.value.outage
    del caught
    gc.collect()


@pytest.mark.parametrize(("text", "score"), [("def double(x):\n    return 2 * x", 2.0), (WRONG, 0.0)])
def test_the_command(tmp_path: Path, image: str, instance: str, text: str, score: float) -> None:
    source = write(tmp_path / "source", {"double": exercise()})
    folder = write(tmp_path / "submission", {"double": answer(text)})
    code, printed = grade_command(source, folder, image=image, instance=instance)
    assert (code, printed["verdict"], printed["score"]) == (0, "graded", score)


def test_the_program(tmp_path: Path) -> None:
    """The real command line: JSON alone on standard output, exit code 2 for a source that can't be used."""
    program = Path(sys.executable).with_name("atelier")
    source = write(tmp_path / "source", {"double": b"nonsense"})
    run = subprocess.run(
        [program, "grade", source, source, "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert json.loads(run.stdout)["verdict"] == "internal_error"
    assert "Traceback" not in run.stderr
