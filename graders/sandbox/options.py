"""The options of a sandbox container: the one place where they are built.

Called by the runner. Every flag has a reason in docs/adr/0001 and a line in the unit test. The result is the
body of the engine's own "create container" request, so that nothing between here and the engine can change it.
It must not know what runs inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graders.results import Limits

ROLE_LABEL = "atelier.role"
INSTANCE_LABEL = "atelier.instance"
OWNER_LABEL = "atelier.owner"
ROLE = "sandbox"

LEARNER_UID = 10001
"""The user that runs submitted code; PID 1 has no CHOWN, so the working directory is mounted as theirs."""

SHM_BYTES = 16 * 1024 * 1024
"""Semaphores of `multiprocessing` live in /dev/shm: small, but there."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a container is built with and can't change later: warm ones are matched to jobs by it."""

    memory_bytes: int
    pids: int
    disk_bytes: int
    inodes: int
    open_files: int
    cpus: float = 1.0

    @classmethod
    def of(cls, limits: Limits) -> Shape:
        """Return the shape that a job's limits ask for."""
        return cls(limits.memory_bytes, limits.pids, limits.disk_bytes, limits.inodes, limits.open_files)


def container_options(
    image: str,
    shape: Shape,
    *,
    instance: str,
    owner: str,
    cgroup_version: int,
    runtime: str | None = None,
) -> dict[str, Any]:
    """Return the engine's "create container" body for one single-use sandbox.

    Args:
        image: the grader image; its entry point is PID 1.
        shape: memory, processes, disk and open files.
        instance: the platform's instance, for the reaper and for people.
        owner: the worker that started it, for the reaper.
        cgroup_version: 1 or 2, as the engine reports it.
        runtime: another OCI runtime that the engine knows (runsc), or None for its default.
    """
    host: dict[str, Any] = {
        # nothing in, nothing out
        "NetworkMode": "none",
        "PublishAllPorts": False,
        "Binds": [],
        "Devices": [],
        # memory equals memory and swap: no swapping, the kernel ends what takes more
        "Memory": shape.memory_bytes,
        "MemorySwap": shape.memory_bytes,
        "OomKillDisable": False,
        "OomScoreAdj": 500,
        "PidsLimit": shape.pids,
        "NanoCpus": int(shape.cpus * 1_000_000_000),
        # PID 1 starts two users, and needs these two for it; the users themselves hold none
        "CapDrop": ["ALL"],
        "CapAdd": ["SETUID", "SETGID"],
        "Privileged": False,
        # seccomp, masked paths and device rules are the engine's defaults: kept by not being named
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "Tmpfs": {
            "/tmp": _tmpfs(shape.disk_bytes, shape.inodes, mode="1777"),  # noqa: S108 - inside the container
            "/work": _tmpfs(shape.disk_bytes, shape.inodes, mode="0755", owner=LEARNER_UID),
        },
        "ShmSize": SHM_BYTES,
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "CgroupnsMode": "private",
        "Ulimits": [
            _ulimit("nofile", shape.open_files),
            _ulimit("core", 0),
            _ulimit("fsize", shape.disk_bytes),
            _ulimit("memlock", 65536),
        ],
        # our own PID 1 reaps
        "Init": False,
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        # removed by us in `finally`: the engine's own removal would take the state we read (OOM) with it
        "AutoRemove": False,
    }
    if cgroup_version == 1:
        host["MemorySwappiness"] = 0  # cgroup v2 has no such knob, and engines refuse or warn
    if runtime:
        host["Runtime"] = runtime
    return {
        "Image": image,
        "User": "0:0",
        "WorkingDir": "/work",
        "Hostname": "sandbox",
        "Env": ["LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"],
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "Tty": False,
        "NetworkDisabled": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": {ROLE_LABEL: ROLE, INSTANCE_LABEL: instance, OWNER_LABEL: owner},
        "HostConfig": host,
    }


def _tmpfs(size_bytes: int, inodes: int, *, mode: str, owner: int | None = None) -> str:
    owned = "" if owner is None else f",uid={owner},gid={owner}"
    return f"rw,nosuid,nodev,exec,size={size_bytes},nr_inodes={inodes},mode={mode}{owned}"


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}
