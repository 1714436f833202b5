"""PID 1 of a sandbox: starts the learner's process and the checker, reaps, kills on request, ends with the checker.

Run as root with SETUID and SETGID alone. It never reads a byte of the job, so that a process forked from it, early or
late, holds nothing of one.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from typing import TYPE_CHECKING, Any

from graders.inside import checker, learner, limits
from graders.inside.shell import Shell, make_shell

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT_VARIABLES = ("MPLCONFIGDIR", "PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH")


class Init:
    """Parent of both processes.

    Args:
        same_user: for tests alone, which may not be root: no change of user, and killing by session.
    """

    def __init__(self, shell: Shell, work_dir: str, *, same_user: bool = False) -> None:
        self.shell = shell
        self.work_dir = work_dir
        self.same_user = same_user
        self.learner_pid = 0
        self.checker_pid = 0
        self.control: socket.socket | None = None
        self.deadline: float | None = None
        self._sessions: list[int] = []

    def run(self, host_fds: tuple[int, int] = (0, 1)) -> int:
        """Run one sandbox; returns the checker's exit status."""
        woken, wake = os.pipe()
        for descriptor in (woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        first = self._fork_learner()
        self.control, theirs = socket.socketpair()
        self.checker_pid = os.fork()
        if self.checker_pid == 0:
            self._child(lambda: self._become_checker(host_fds, first, theirs))
        first.close()
        theirs.close()
        for descriptor in {*host_fds} - {2}:
            os.close(descriptor)
        status: int | None = None
        while status is None:
            left = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
            watched: list[Any] = [woken, self.control]
            ready = select.select(watched, [], [], left)[0]
            if not ready and left is not None:
                break
            if self.control in ready:
                self._serve_control()
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            status = self._reap()
        self._kill_learner()
        if status is None:
            with contextlib.suppress(PermissionError):  # PID 1 has no right to; its own end is the end of all
                os.kill(self.checker_pid, signal.SIGKILL)
        return 124 if status is None else status

    def _reap(self) -> int | None:
        status: int | None = None
        while True:
            try:
                pid, ended = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return status
            if pid == 0:
                return status
            if pid == self.checker_pid:
                status = os.waitstatus_to_exitcode(ended)
            elif pid == self.learner_pid:
                self.learner_pid = 0
                self._kill_learner()  # what it left behind holds its socket open

    def _serve_control(self) -> None:
        control = self.control
        assert control is not None  # noqa: S101 - for the type checker
        request = control.recv(1)
        if request == b"K":
            self._kill_learner()
            control.sendall(b"K")
        elif request == b"N":
            self._kill_learner()
            connection = self._fork_learner()
            socket.send_fds(control, [b"N"], [connection.fileno()])
            connection.close()
        elif request == b"T":
            milliseconds = int.from_bytes(control.recv(8, socket.MSG_WAITALL), "big")
            self.deadline = time.monotonic() + milliseconds / 1000
        elif not request:
            self.control = _never_ready()

    def _fork_learner(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.learner_pid = os.fork()
        if self.learner_pid == 0:
            self._child(lambda: self._become_learner(theirs))
        self._sessions.append(self.learner_pid)
        theirs.close()
        return ours

    def _kill_learner(self) -> None:
        """Kill every process of the learner's user; without CAP_KILL only that user itself can."""
        if self.same_user:
            for session in self._sessions:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(session, signal.SIGKILL)
            self._sessions.clear()
            return
        # No fork: a learner who has used up all processes must not be safe from this. For a moment this process is the
        # learner's user; its saved user stays root, so nobody of that user can look into it meanwhile.
        os.setresuid(limits.LEARNER_UID, limits.LEARNER_UID, 0)
        try:
            for _ in range(_KILL_ROUNDS):
                os.kill(-1, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left
        finally:
            os.setresuid(0, 0, 0)

    # --- in the children -------------------------------------------------------------------------------------

    def _child(self, body: Callable[[], None]) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            body()
            status = 0
        except BaseException:  # noqa: BLE001 - the operator reads PID 1's standard error
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)

    def _become_learner(self, connection: socket.socket) -> None:
        os.setsid()
        descriptor = os.dup2(connection.fileno(), 3)
        connection.detach()
        with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        os.closerange(4, _MAX_DESCRIPTORS)
        os.set_inheritable(3, False)
        limits.volunteer_for_oom()
        if not self.same_user:
            limits.become(limits.LEARNER_UID)
        limits.set_dumpable(dumpable=True)
        _clean_environment()
        learner.main(socket.socket(fileno=descriptor), self.shell)

    def _become_checker(
        self, host_fds: tuple[int, int], connection: socket.socket, control: socket.socket
    ) -> None:
        own = self.control
        assert own is not None  # noqa: S101 - for the type checker
        own.close()
        source, sink = (os.dup(descriptor) for descriptor in host_fds)
        with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)
        if not self.same_user:
            limits.become(limits.CHECKER_UID)
            limits.set_dumpable(dumpable=False)
        _clean_environment()
        checker.main((source, sink), connection, control, self.shell, self.work_dir)


_MAX_DESCRIPTORS = 4096
_KILL_ROUNDS = 3
_FONT_LISTS = "/opt/atelier/matplotlib"  # made once, when the image was built
# What IPython imports on the first error, and what many cells import: here it is shared by all processes.
_COMMON = (
    "bdb",
    "stack_data",
    "html",
    "asyncio",
    "random",
    "unittest",
    "unittest.mock",
    "statistics",
    "csv",
    "copy",
)


def _never_ready() -> socket.socket:
    ours, theirs = socket.socketpair()
    theirs.detach()
    return ours


def _clean_environment() -> None:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    os.environ["HOME"] = tempfile.gettempdir()
    if "matplotlib" not in sys.modules:
        _copy_font_lists()


def _copy_font_lists() -> None:
    fonts = os.path.join(tempfile.gettempdir(), f"matplotlib-{os.getpid()}")  # noqa: PTH118
    os.environ["MPLCONFIGDIR"] = fonts
    with contextlib.suppress(OSError):
        shutil.copytree(_FONT_LISTS, fonts)


def preimport(modules: list[str]) -> None:
    """Import the libraries of the image's profile, so that no job waits for them."""
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def main() -> int:
    """Run as PID 1; arguments are names of libraries to import beforehand."""
    _copy_font_lists()
    preimport([*_COMMON, *sys.argv[1:]])
    return Init(make_shell(tempfile.mkdtemp(prefix="ipython-")), "/work").run()


if __name__ == "__main__":
    sys.exit(main())
