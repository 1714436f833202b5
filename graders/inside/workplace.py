"""The directory in which the learner's code runs, and the two descriptors that programs write to.

Runs in the learner's process; everything it says of files is in the learner's hands.
"""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.inside import limits

if TYPE_CHECKING:
    from graders.inside.sink import Sink

_MAX_FILES = 2000
_MAX_CAUGHT_BYTES = 256 << 10


class Workplace:
    """Lays out the files of a job and says later which were made or changed."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}
        self._descriptors: list[int] = []

    def lay_out(self, request: dict[str, Any]) -> None:
        """Write the files, go there, and set the learner's limits; before any code of the learner's."""
        roots = [root for root in (request["work_dir"], tempfile.gettempdir()) if os.access(root, os.W_OK)]
        directory = Path(roots[0]) / request["directory"]
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for entry in request["files"]:
            target = directory / entry["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(base64.b64decode(entry["data_b64"]))
        os.chdir(directory / request["folder"])
        os.environ.update({str(key): str(value) for key, value in request["env"].items()})
        os.environ["HOME"] = str(directory)
        self.changed_files()
        limits.limit_learner(request["cpu_s"], request["disk_bytes"], request["open_files"])

    def changed_files(self, suffixes: list[str] | None = None, budget: int = 0) -> list[list[str]]:
        """Return the files with one of some suffixes that are new since the last time, as far as a budget reaches."""
        changed: list[list[str]] = []
        for path in sorted(Path.cwd().rglob("*"))[:_MAX_FILES]:
            if path.is_symlink() or not path.is_file():
                continue
            state = path.stat()
            name = str(path.relative_to(Path.cwd()))
            stamp = (state.st_mtime_ns, state.st_size)
            if self._seen.get(name) == stamp:
                continue
            if suffixes is not None:
                if path.suffix.lower() not in suffixes or state.st_size > budget:
                    continue
                budget -= state.st_size
                changed.append([name, base64.b64encode(path.read_bytes()).decode("ascii")])
            self._seen[name] = stamp
        return changed

    def capture_descriptors(self) -> None:
        """Catch what programs and libraries write to descriptors 1 and 2, past sys.stdout."""
        for descriptor in (1, 2):
            memory = os.memfd_create(f"atelier-{descriptor}")
            os.dup2(memory, descriptor)
            os.close(memory)
            self._descriptors.append(descriptor)

    def collect_descriptors(self, sink: Sink) -> None:
        """Add what was caught to the outputs."""
        for descriptor in self._descriptors:
            with contextlib.suppress(OSError):
                size = os.fstat(descriptor).st_size
                if size:
                    caught = os.pread(descriptor, min(size, _MAX_CAUGHT_BYTES), 0)
                    os.ftruncate(descriptor, 0)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    with contextlib.suppress(BaseException):
                        sink.write(
                            "stdout" if descriptor == 1 else "stderr", caught.decode("utf-8", "replace")
                        )
