"""A private PostgreSQL server in a folder, spoken to over a socket in it; gone when the block is left.

Needs Debian's package postgresql (any version): its programs lie outside PATH, and refuse to run as root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    if program is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    return Path(program).resolve().parent


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a fresh server with an empty database."""
    programs, user = _programs(), _user()
    data = folder / "data"
    folder.mkdir(parents=True)
    if user is not None:
        shutil.chown(folder, user)
    folder.chmod(0o700)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True, cwd="/", env=environment, user=user, group=None, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    run("initdb", "-D", str(data), "-U", "atelier", "-A", "trust", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        run("createdb", "-h", str(folder), "-U", "atelier", "atelier")
        yield f"postgresql+psycopg://atelier@/atelier?host={folder}"
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
