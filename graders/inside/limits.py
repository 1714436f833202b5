"""The limits of a job, as the processes inside the sandbox keep them; the container has its own around these.

Used by PID 1, the checker and the learner's process. What a limit strikes at is told by the checker, never by the
process that it struck.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from dataclasses import dataclass
from typing import Any

LEARNER_UID = 10001
CHECKER_UID = 10002
_PR_SET_DUMPABLE = 4
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use; seconds and bytes."""

    wall_s: float = 60.0
    cell_s: float = 20.0
    cpu_s: float = 60.0
    output_bytes: int = 1 << 20
    disk_bytes: int = 64 << 20
    open_files: int = 256

    @property
    def backstop_s(self) -> float:
        """The time after which PID 1 ends everything without asking: the checker should have ended long before."""
        return self.wall_s + _GRACE_S


def parse_limits(data: Any) -> Limits:
    """Read limits from a job; what is missing or no positive number keeps its default."""
    found: dict[str, Any] = {}
    for name, kind in (("wall_s", float), ("cell_s", float), ("cpu_s", float)):
        found[name] = _positive(data, name, kind, getattr(_DEFAULTS, name))
    for name in ("output_bytes", "disk_bytes", "open_files"):
        found[name] = _positive(data, name, int, getattr(_DEFAULTS, name))
    return Limits(**found)


_DEFAULTS = Limits()


def _positive(data: Any, name: str, kind: type, default: Any) -> Any:
    value = data.get(name) if isinstance(data, dict) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return kind(value)
    return default


def become(uid: int) -> None:
    """Take on another user for good, with no group but its own; only root can."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def set_dumpable(*, dumpable: bool) -> None:
    """Say whether processes of the same user may look into this one."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, int(dumpable), 0, 0, 0)


def limit_learner(cpu_s: float, disk_bytes: int, open_files: int) -> None:
    """Set the learner's own limits; called in the learner's process before any code of the learner's runs."""
    seconds = max(1, int(cpu_s) + 1)
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, disk_bytes),
        (resource.RLIMIT_NOFILE, open_files),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901
        resource.setrlimit(kind, (value, value))


def volunteer_for_oom() -> None:
    """Ask the kernel to end this process first when memory runs out."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")
