"""The two users of a real sandbox: what the learner's cannot read, signal or outlast, and that the checker goes on."""

# ruff: noqa: E501 - the cells read best as their authors would write them
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graders.results import Limits
from graders.sandbox.job import CellJob, NotebookJob, Role, SandboxJob

if TYPE_CHECKING:
    from graders.sandbox.docker import DockerSandboxRunner
    from graders.sandbox.job import SandboxRun

pytestmark = pytest.mark.integration
LIMITS = Limits(wall_s=20, cell_s=5, memory_bytes=256 << 20)
CELLS = (
    ("one", Role.LEARNER, "def one(): return 1"),
    ("first", Role.TEST, "assert one() == 1"),
    ("two", Role.LEARNER, "def two(): return 2"),
    ("second", Role.TEST, "canary = 'CANARY-of-a-hidden-test'\nassert two() == 2"),
)
READ_OTHERS = """
import os
found = []
for pid in filter(str.isdigit, os.listdir('/proc')):
    for name in ('environ', 'mem', 'maps', 'fd', 'cwd', 'root', 'exe'):
        path = f'/proc/{pid}/{name}'
        if int(pid) == os.getpid(): continue
        try:
            found.append((path, os.listdir(path) if name == 'fd' else os.readlink(path) if name in ('cwd', 'root', 'exe') else open(path).read(9)))
        except OSError: pass
for root in ('/tmp', '/work', '/opt/atelier', '/root'):
    for folder, _, names in os.walk(root):
        for name in names:
            try: text = open(os.path.join(folder, name), 'rb').read()
            except OSError: continue
            if b'CANARY-of' + b'-a-hidden' in text: found.append(name)
print('found', found)
"""
ATTACKS = {
    "read others": (READ_OTHERS, "found []"),
    "kill the parent": ("import os\nos.kill(os.getppid(), 9)", "PermissionError"),
    "kill all": ("import os\nos.kill(-1, 15)\nprint('alone')", "alone"),
    "become another": (
        "import os\nfor user in (0, 10002):\n    try: os.setuid(user)\n    except OSError: print('no')",
        "no",
    ),
    "fork without end": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", ""),
    "fork and go on": ("import os\nprint('forked', os.fork() >= 0)", "forked True"),
    "eat memory": ("x = []\nwhile True: x.append(bytearray(10 ** 7))", ""),
    "fill the disk": ("f = open('/tmp/x', 'wb')\nwhile True: f.write(b'0' * 10 ** 6)", "OSError"),
    "open all files": ("f = []\nwhile True: f.append(open('/dev/null'))", "Too many open files"),
    "write everywhere": (
        "import os\nfor fd in range(1, 99):\n    try: os.write(fd, b'x')\n    except OSError: pass",
        "",
    ),
}


def run(
    sandbox: DockerSandboxRunner, answer: str, record: dict[str, object] | None, mode: str = "grade"
) -> SandboxRun:
    cells = tuple(
        CellJob(at, role, answer if name == "two" else source, name, 1.0 if role is Role.TEST else None)
        for at, (name, role, source) in enumerate(CELLS)
    )
    return sandbox.run(SandboxJob((NotebookJob("nb", cells, record),), {}, LIMITS, mode))


@pytest.fixture(scope="module")
def record(sandbox: DockerSandboxRunner) -> dict[str, object]:
    done = run(sandbox, CELLS[2][2], None, "record")
    assert [verdict.credit for verdict in done.verdicts] == [1.0, 1.0]
    return done.records["nb"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_walls_hold(sandbox: DockerSandboxRunner, record: dict[str, object], attack: str) -> None:
    answer, shown = ATTACKS[attack]
    done = run(sandbox, answer, record)
    assert [verdict.credit for verdict in done.verdicts] == [1.0, 0.0], done
    outputs = str([cell.outputs for cell in done.cells])
    assert shown in outputs
    assert "CANARY" not in outputs
