"""Every flag of a sandbox container, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from graders.results import Limits
from graders.sandbox.options import Shape, container_options

LIMITS = Limits(memory_bytes=300_000_000, pids=64, disk_bytes=5_000_000, inodes=77, open_files=99)
FLAGS = {
    "NetworkMode": "none",
    "PublishAllPorts": False,
    "Binds": [],
    "Devices": [],
    "Memory": 300_000_000,
    "MemorySwap": 300_000_000,
    "MemorySwappiness": 0,
    "OomKillDisable": False,
    "OomScoreAdj": 500,
    "PidsLimit": 64,
    "NanoCpus": 1_000_000_000,
    "CapDrop": ["ALL"],
    "CapAdd": ["SETUID", "SETGID"],
    "Privileged": False,
    "SecurityOpt": ["no-new-privileges"],
    "ReadonlyRootfs": True,
    "ShmSize": 16 * 1024 * 1024,
    "IpcMode": "private",
    "PidMode": "",
    "UTSMode": "",
    "CgroupnsMode": "private",
    "Init": False,
    "LogConfig": {"Type": "none", "Config": {}},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "AutoRemove": False,
}
TOP = {
    "Image": "grader:1",
    "User": "0:0",
    "WorkingDir": "/work",
    "AttachStdin": True,
    "AttachStdout": True,
    "AttachStderr": True,
    "OpenStdin": True,
    "StdinOnce": True,
    "Tty": False,
    "NetworkDisabled": True,
    "Healthcheck": {"Test": ["NONE"]},
    "Labels": {"atelier.role": "sandbox", "atelier.instance": "ateliertest-unit", "atelier.owner": "w1"},
}


def options(**changes: Any) -> dict[str, Any]:
    wanted = {"instance": "ateliertest-unit", "owner": "w1", "cgroup_version": 1, **changes}
    return container_options("grader:1", Shape.of(LIMITS), **wanted)


@pytest.mark.parametrize("flag", FLAGS)
def test_flag(flag: str) -> None:
    assert options()["HostConfig"][flag] == FLAGS[flag]


@pytest.mark.parametrize("key", TOP)
def test_container(key: str) -> None:
    assert options()[key] == TOP[key]


def test_no_flag_is_untested() -> None:
    body = options()
    assert set(body["HostConfig"]) == {*FLAGS, "Tmpfs", "Ulimits"}
    assert set(body) == {*TOP, "HostConfig", "Hostname", "Env"}


@pytest.mark.parametrize(
    ("path", "mode"),
    [("/tmp", "mode=1777"), ("/work", "mode=0755,uid=10001,gid=10001")],
)
def test_scratch_space_is_bounded(path: str, mode: str) -> None:
    flags = options()["HostConfig"]["Tmpfs"][path]
    assert flags == f"rw,nosuid,nodev,exec,size=5000000,nr_inodes=77,{mode}"


@pytest.mark.parametrize(
    ("name", "value"), [("nofile", 99), ("core", 0), ("fsize", 5_000_000), ("memlock", 65536)]
)
def test_ulimit(name: str, value: int) -> None:
    assert {"Name": name, "Soft": value, "Hard": value} in options()["HostConfig"]["Ulimits"]


def test_cgroup_v2_has_no_swappiness() -> None:
    assert "MemorySwappiness" not in options(cgroup_version=2)["HostConfig"]


def test_the_default_runtime_is_not_named() -> None:
    assert "Runtime" not in options()["HostConfig"]
    assert options(runtime="runsc")["HostConfig"]["Runtime"] == "runsc"


def test_nothing_of_the_host_is_mounted_and_seccomp_is_kept() -> None:
    text = str(options())
    assert "docker.sock" not in text
    assert "unconfined" not in text
    assert "Mounts" not in text


def test_the_environment_holds_no_secret() -> None:
    assert options()["Env"] == ["LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"]
