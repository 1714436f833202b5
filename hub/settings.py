"""Every setting of the trusted side, typed, with its default and its reason. Only this file reads the environment.

A setting `x` is read from the variable `ATELIER_X`. What runs in a learner's container reads its own few
variables (hub/exchange), and the set-up (hub/deploy/setup) runs before this file's libraries are installed.
"""

from __future__ import annotations

import ipaddress
import os
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

LANGUAGES = ("en", "fr", "nl")
ROLES = ("learner", "trainer", "mentor", "admin")


class Settings(BaseSettings):
    """The platform's settings. Sizes in bytes, times in seconds, unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="ATELIER_", extra="ignore", frozen=True)

    instance: str = Field("atelier", pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """Prefix and label of every container, volume and network; two instances on one machine never meet."""

    state_dir: Path = ROOT / "var"
    """Database, stored submissions, secrets, logs."""

    url: str = "http://atelier.localhost:8000"
    """The address people type. Each person's server gets a subdomain of its host."""

    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in the state directory."""

    exercises_dir: Path = ROOT / "exercises"
    """Source folders that set-up publishes."""

    bind_ip: str = "127.0.0.1"
    """Where the proxy listens."""

    bind_port: int | None = None
    """The port the proxy listens on; by default the address's own, or 8000 behind a reverse proxy that ends TLS."""

    tls_certificate: Path | None = None
    tls_key: Path | None = None
    """Certificate (with its chain) for the address and `*.` of it, and its key: TLS ends here. None: loopback only."""

    hub_port: int = 8081
    """JupyterHub's API, on the learner network's gateway address."""

    service_port: int = 8082
    """The Atelier service, on the learner network's gateway address."""

    proxy_api_port: int = 8001
    """The proxy's control port, on loopback."""

    learner_subnet: ipaddress.IPv4Network = ipaddress.IPv4Network("10.213.0.0/22")
    """Addresses of the learners' containers; the first one is the gateway."""

    learner_image: str = "atelier-learner:latest"
    grader_image: str = "atelier-grader:latest"

    learner_memory: int = 1024 * 1024 * 1024
    learner_cpus: float = 1.0
    learner_pids: int = 256
    learner_disk: int = 1024 * 1024 * 1024
    idle_cull: int = 3600
    """A server without activity for this long is stopped; nothing in its home is lost."""

    submission_max_bytes: int = 20 * 1024 * 1024
    submission_max_files: int = 200
    submission_max_depth: int = 6
    submissions_per_minute: int = 10

    sign_in_max_failures: int = 8
    """Failed sign-ins for one name within the window, after which that name has to wait."""

    sign_in_max_failures_per_address: int = 60
    """The same for one address; a whole classroom may share one."""

    sign_in_window: int = 300

    demo: bool = True
    """Make demo people and enrol them at first start."""

    sandbox_door: Literal["auto", "engine", "runc"] = "auto"
    """How sandboxes are started: through the runtime directly where that is possible, or always through the engine."""

    sandbox_runtime: str = ""
    """Another OCI runtime that the engine knows, such as runsc; empty means the engine's default."""

    worker_slots: int = 2
    """How many submissions one worker grades side by side."""

    worker_pool: int = 2
    """How many sandboxes each slot keeps ready."""

    worker_id: str = "worker-1"
    """Stable and exclusive: a job held by a dead worker is taken up again by the one with the same id."""

    @field_validator("url")
    @classmethod
    def _url_has_host(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError("ATELIER_URL must look like https://learn.example.org (no path)")
        return value.rstrip("/")

    @property
    def effective_database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.state_dir / 'atelier.sqlite'}"

    @property
    def host(self) -> str:
        """The host name of the address, without port."""
        return str(urlsplit(self.url).hostname)

    @property
    def port(self) -> int:
        """The port that the proxy listens on."""
        parts = urlsplit(self.url)
        if self.bind_port is not None:
            return self.bind_port
        if parts.scheme == "https" and self.tls_certificate is None:
            return 8000
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def gateway(self) -> str:
        """The address on which learners' containers reach the hub and the service."""
        return str(self.learner_subnet.network_address + 1)

    @property
    def service_prefix(self) -> str:
        """The path under which the service's pages live, with both slashes."""
        return "/services/atelier/"

    @property
    def service_origin(self) -> str:
        """Scheme, host and port of the service's own subdomain, as JupyterHub derives it."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://atelier--service.{parts.hostname}{port}"

    @property
    def service_url(self) -> str:
        """Where people find the platform's pages."""
        return self.service_origin + self.service_prefix

    @property
    def internal_service_url(self) -> str:
        """Where the proxy, the worker and learners' containers find the service."""
        return f"http://{self.gateway}:{self.service_port}{self.service_prefix}"

    @property
    def internal_hub_api_url(self) -> str:
        """JupyterHub's REST API, from this machine and from learners' containers."""
        return f"http://{self.gateway}:{self.hub_port}/hub/api"

    @property
    def store_dir(self) -> Path:
        """Content-addressed files: submissions, published exercises, feedback."""
        return self.state_dir / "store"

    @property
    def courses_dir(self) -> Path:
        """The trusted side's nbgrader course folders and gradebooks, one a track."""
        return self.state_dir / "courses"

    @property
    def secrets_dir(self) -> Path:
        """Generated once, readable by the operator only."""
        return self.state_dir / "secrets"

    def secret(self, name: str) -> str:
        """Return the secret called `name`, made at set-up.

        Raises:
            FileNotFoundError: set-up has not run.
        """
        return (self.secrets_dir / name).read_text(encoding="ascii").strip()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()


def inherited_environment(*names: str) -> dict[str, str]:
    """Return those of the named variables that are set: the keep-list for a child process."""
    return {name: os.environ[name] for name in names if name in os.environ}
