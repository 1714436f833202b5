"""What the OCI runtime needs to start a sandbox without the engine: a runtime configuration.

Called by runc.py. The configuration is not written by us: the engine is asked once to start a container with exactly our
options (options.py), and what it hands to the runtime - seccomp list, masked paths, device rules, capabilities, AppArmor -
is taken over. So both ways into a sandbox have the same walls, on every version of the engine.
"""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.errors import SandboxError

if TYPE_CHECKING:
    import docker

CONFIG_PLACES = (
    Path("/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby"),
    Path("/run/containerd/io.containerd.runtime.v2.task/moby"),
)
"""Where the engine leaves the runtime's configuration: its own containerd, and the system's."""

KEPT_MOUNTS = frozenset({"/proc", "/dev", "/dev/pts", "/sys", "/dev/mqueue", "/dev/shm", "/tmp", "/work"})  # noqa: S108
"""The engine's name files (hosts, resolv.conf) and the cgroup tree have no use in a sandbox without network."""


def read_template(client: docker.APIClient, options: dict[str, Any]) -> dict[str, Any]:
    """Start a container with `options` through the engine and return the configuration it gave to the runtime.

    Raises:
        SandboxError: the configuration is not where engines leave it, or not as it must be.
    """
    name = f"{options['Labels']['atelier.instance']}-template-{uuid.uuid4().hex[:8]}"
    container_id = client.create_container_from_config(options, name)["Id"]
    try:
        client.start(container_id)
        for place in CONFIG_PLACES:
            path = place / container_id / "config.json"
            if path.is_file():
                config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return config
    finally:
        client.remove_container(container_id, force=True, v=True)
    raise SandboxError(
        "the engine's runtime configuration is not where this version was expected to leave it"
    )


def sandbox_config(template: dict[str, Any], rootfs: Path, cgroup: str) -> dict[str, Any]:
    """Return the configuration of one sandbox: the engine's, less what needs the engine, plus a /proc without neighbours.

    Args:
        template: what `read_template` returned.
        rootfs: the image's files; mounted read-only.
        cgroup: the sandbox's own cgroup path.

    Raises:
        SandboxError: a wall that must be there is missing.
    """
    config = copy.deepcopy(template)
    check_walls(config)
    config.pop(
        "hooks", None
    )  # the engine's network set-up; without it the namespace has a loopback and nothing else
    config["root"] = {"path": str(rootfs), "readonly": True}
    config["hostname"] = "sandbox"
    config["process"]["terminal"] = False
    config["process"]["env"] = [
        variable for variable in config["process"]["env"] if not variable.startswith("HOSTNAME=")
    ]
    config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] in KEPT_MOUNTS]
    for mount in config["mounts"]:
        if mount["destination"] == "/proc":
            mount["options"] = [*mount["options"], "hidepid=2"]
    linux = config["linux"]
    linux["cgroupsPath"] = cgroup
    for namespace in linux["namespaces"]:
        namespace.pop("path", None)  # every namespace is new
    return config


def check_walls(config: dict[str, Any]) -> None:
    """Refuse a configuration that lacks a wall: a runtime starts whatever it is given.

    Raises:
        SandboxError: naming the wall.
    """
    process, linux = config.get("process", {}), config.get("linux", {})
    resources = linux.get("resources", {})
    kinds = {namespace["type"] for namespace in linux.get("namespaces", ())}
    capabilities = process.get("capabilities", {})
    held = {name for names in capabilities.values() for name in names or ()}
    walls = {
        "seccomp": linux.get("seccomp", {}).get("defaultAction") == "SCMP_ACT_ERRNO",
        "no_new_privileges": process.get("noNewPrivileges") is True,
        "capabilities": held <= {"CAP_SETUID", "CAP_SETGID"},
        "namespaces": {"mount", "network", "uts", "pid", "ipc"} <= kinds,
        "masked paths": "/proc/kcore" in linux.get("maskedPaths", ()),
        "read-only paths": "/proc/sys" in linux.get("readonlyPaths", ()),
        "device rules": any(
            not rule.get("allow", True) and not rule.get("type") for rule in resources.get("devices", ())
        ),
        "memory": 0 < resources.get("memory", {}).get("limit", 0) == resources.get("memory", {}).get("swap"),
        "pids": resources.get("pids", {}).get("limit", 0) > 0,
        "read-only root": config.get("root", {}).get("readonly") is True,
    }
    missing = sorted(name for name, there in walls.items() if not there)
    if missing:
        raise SandboxError(f"the runtime configuration lacks: {', '.join(missing)}")
