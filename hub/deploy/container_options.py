"""The options of a learner's (or trainer's) container: one function, one frozen value, every flag tested.

Called by the spawner and by the tests that scan from inside. Nothing here comes from a request; nobody inside
can raise a limit.

What is limited: memory (with swap), CPU, processes, open files, the size of any one file, the temporary
folders, the log. What is not, unless the engine's storage has quotas (then the home volume is limited too,
see home_volume.py): the sum of all files in a home.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from docker.types import LogConfig, Ulimit

from hub.deploy.naming import INSTANCE_LABEL, KIND_LABEL, network_name

if TYPE_CHECKING:
    from hub.deploy.profile import Profile
    from hub.settings import Settings

LEARNER_UID = 1000
HOME = "/home/learner"
CPU_PERIOD_US = 100_000

START = (
    "for attempt in $(seq 300); do "
    '(exec 3<>/dev/tcp/127.0.0.11/53) 2>/dev/null || exec "$@"; sleep 0.1; done; '
    "echo 'The name service of this container is still open: not starting.' >&2; exit 70"
)
"""Docker's resolver answers inside every container for all others. The trusted side shuts it right after the
start; nothing of the learner's runs before it is shut, and nothing at all if it never is."""

COMMAND = ("/bin/bash", "--noprofile", "--norc", "-c", START, "atelier-start", "jupyterhub-singleuser")


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """All that a container is started with, beside its image's own content, its name, environment and
    home.
    """

    image: str
    network: str
    labels: dict[str, str]
    memory_bytes: int
    cpus: float
    pids: int
    file_bytes: int
    open_files: int = 4096
    user: str = f"{LEARNER_UID}:{LEARNER_UID}"
    hostname: str = "atelier"
    read_only: bool = True
    cap_drop: tuple[str, ...] = ("ALL",)
    security_opt: tuple[str, ...] = ("no-new-privileges",)
    tmpfs: dict[str, str] = field(
        default_factory=lambda: {
            "/tmp": "rw,nosuid,nodev,size=256m,nr_inodes=65536,mode=1777",  # noqa: S108 - in the container
            "/run": "rw,nosuid,nodev,noexec,size=16m,nr_inodes=1024,mode=0755",
        }
    )
    shm_bytes: int = 64 * 1024 * 1024
    oom_score_adj: int = 500
    """Under pressure the kernel ends a learner's processes, not the platform's."""

    log_bytes: str = "1m"
    log_files: int = 2

    def create_kwargs(self) -> dict[str, Any]:
        """Return the arguments of docker's create_container that the spawner does not set itself."""
        return {"user": self.user, "hostname": self.hostname, "labels": dict(self.labels)}

    def host_config(self) -> dict[str, Any]:
        """Return the arguments of docker's create_host_config that the spawner does not set itself."""
        return {
            "network_mode": self.network,
            "mem_limit": self.memory_bytes,
            "memswap_limit": self.memory_bytes,
            "cpu_period": CPU_PERIOD_US,
            "cpu_quota": int(self.cpus * CPU_PERIOD_US),
            "pids_limit": self.pids,
            "read_only": self.read_only,
            "tmpfs": dict(self.tmpfs),
            "shm_size": self.shm_bytes,
            "cap_drop": list(self.cap_drop),
            "security_opt": list(self.security_opt),
            "privileged": False,
            "init": True,
            "ipc_mode": "private",
            "oom_score_adj": self.oom_score_adj,
            "restart_policy": {"Name": "no"},
            "ulimits": [
                Ulimit(name="nofile", soft=self.open_files, hard=self.open_files),
                Ulimit(name="fsize", soft=self.file_bytes, hard=self.file_bytes),
                Ulimit(name="core", soft=0, hard=0),
            ],
            "log_config": LogConfig(
                type=LogConfig.types.JSON,
                config={"max-size": self.log_bytes, "max-file": str(self.log_files)},
            ),
        }

    def binds(self, home_volume: str) -> dict[str, dict[str, str]]:
        """Return the mounts: the person's home, and an empty list of name servers. Nothing of the host's."""
        return {
            home_volume: {"bind": HOME, "mode": "rw"},
            "/dev/null": {"bind": "/etc/resolv.conf", "mode": "ro"},
        }


def learner_options(settings: Settings, profile: Profile) -> ContainerOptions:
    """Return the options of a container of this profile."""
    return ContainerOptions(
        image=settings.learner_image,
        network=network_name(settings),
        labels={INSTANCE_LABEL: settings.instance, KIND_LABEL: "server", "atelier.profile": profile.name},
        memory_bytes=int(settings.learner_memory * profile.memory_factor),
        cpus=settings.learner_cpus,
        pids=settings.learner_pids,
        file_bytes=settings.learner_disk,
    )
