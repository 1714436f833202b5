"""Where things are, before there are settings: the checkout, its venv, the state directory and what is kept
in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[3]

SOCKET_PATH_LIMIT = 100
"""Linux refuses longer paths of Unix sockets (108 bytes with the ending that supervisord adds while it
starts)."""


SETUP_LOG_BYTES = 5_000_000
"""Beyond this, a new set-up begins a new log and keeps the last one."""


@dataclass(frozen=True)
class Places:
    """The paths of one checkout and one state directory."""

    root: Path
    state: Path

    @classmethod
    def from_environment(cls, root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> Places:
        """Return the places of this checkout; ATELIER_STATE_DIR moves the state, as in hub/settings.py."""
        return cls(root=root, state=Path(environ.get("ATELIER_STATE_DIR") or root / "var").absolute())

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def venv_bin(self) -> Path:
        return self.venv / "bin"

    @property
    def venv_python(self) -> Path:
        return self.venv_bin / "python"

    @property
    def constraints(self) -> Path:
        return self.root / "constraints.txt"

    @property
    def node_modules(self) -> Path:
        return self.root / "node_modules"

    @property
    def vendor(self) -> Path:
        """What the pages load of other projects, copied out of node_modules."""
        return self.root / "hub" / "pages" / "static" / "vendor"

    @property
    def vendor_list(self) -> Path:
        """Which files of node_modules the pages load."""
        return self.root / "hub" / "pages" / "vendor.json"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def setup_log(self) -> Path:
        return self.log / "setup.log"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def demo_accounts(self) -> Path:
        return self.state / "demo-accounts.json"

    @property
    def supervisor_config(self) -> Path:
        return self.root / "config" / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        return self.run / "supervisord.pid"

    @property
    def supervisor_socket(self) -> Path:
        """The socket in the state directory, or in a private temporary folder where that path is too long."""
        socket = self.run / "supervisor.sock"
        if len(os.fsencode(socket)) <= SOCKET_PATH_LIMIT - 10:
            return socket
        name = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"atelier-{os.getuid()}-{name}" / "supervisor.sock"

    def ensure_state(self) -> None:
        """Make the state directory and its folders, readable by the operator only."""
        for folder in (self.state, self.log, self.run, self.supervisor_socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.setup_log.exists() and self.setup_log.stat().st_size > SETUP_LOG_BYTES:
            self.setup_log.replace(self.setup_log.with_suffix(".log.1"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one set-up at a time change this checkout (`make up` and `make test` may be started
        together).
        """
        lock = self.root / ".venv.lock"
        with lock.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def digest_of_files(files: Mapping[str, Path], *salt: str) -> str:
    """Return a hash of names, contents and salt: the stamp that tells whether a step has to be done again.

    Args:
        files: the name that counts, and the file whose content counts.
        salt: whatever else changes the result, such as a version.
    """
    digest = hashlib.sha256()
    for text in salt:
        digest.update(f"{len(text)}:{text}".encode())
    for name in sorted(files):
        content = files[name].read_bytes()
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()
