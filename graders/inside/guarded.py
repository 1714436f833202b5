"""A test cell in a guarded fork of the learner's process: for cells that can only run where the learner's objects are.

Weaker than the isolated way, and shown so to the trainer: the fork holds whatever the learner's code did to its
memory. What is cheap to undo is undone: builtins, the functions of the libraries that tests use, IPython's hooks,
tracing. The test's source reaches the fork alone, on a socket of its own.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.inside import cellcode, packing
from graders.inside.frames import Channel, ChannelClosedError
from graders.inside.sink import Sink

if TYPE_CHECKING:
    from graders.inside.shell import Shell

_LIBRARIES = (
    *("math", "operator", "functools", "itertools", "inspect", "json", "re", "collections", "random", "copy"),
    *("unittest", "unittest.case", "unittest.mock", "numpy", "numpy.testing", "pandas", "pandas.testing"),
)
_OUTPUT_BYTES = 64 << 10
_MAX_COPY_BYTES = 8 << 20


class Pristine:
    """How builtins and test libraries looked before any code of the learner's ran."""

    def __init__(self) -> None:
        self._builtins = dict(vars(builtins))
        self._libraries = {name: dict(vars(sys.modules[name])) for name in _LIBRARIES if name in sys.modules}
        self._modules = {name: sys.modules[name] for name in self._libraries}

    def restore(self) -> None:
        """Put them back, and stop tracing."""
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        present = vars(builtins)
        present.update(self._builtins)
        for name in [name for name in present if name not in self._builtins]:
            del present[name]
        for name, names in self._libraries.items():
            module = self._modules[name]
            sys.modules[name] = module
            vars(module).update(names)
        signal.setitimer(signal.ITIMER_REAL, 0)


def serve(channel: Channel, shell: Shell, pristine: Pristine) -> None:
    """Run one test cell for the checker and answer with how it ended."""
    pristine.restore()
    _leave_directory()
    with contextlib.suppress(ChannelClosedError):
        request = channel.receive()
        shell.sink = Sink(_OUTPUT_BYTES)
        for source in request["before"]:
            with contextlib.suppress(BaseException):
                _run(source, shell.user_ns)
        shell.sink = Sink(_OUTPUT_BYTES)
        channel.send({"n": request["n"], **_judge(request["source"], shell)})
    os._exit(0)


def _leave_directory() -> None:
    """Work in a copy of the directory: what a test writes must not be there when the cell runs another way."""
    files = list(Path.cwd().rglob("*"))[:500]
    if (
        sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())
        < _MAX_COPY_BYTES
    ):
        with contextlib.suppress(OSError, shutil.Error):
            copy = tempfile.mkdtemp(prefix="guarded-")
            shutil.copytree(Path.cwd(), copy, symlinks=True, dirs_exist_ok=True)
            os.chdir(copy)


def _judge(source: str, shell: Shell) -> dict[str, Any]:
    try:
        value = _run(source, shell.user_ns)
    except BaseException as error:  # noqa: BLE001 - any end of a test cell is an answer
        return {
            "passed": False,
            "exception": type(error).__name__,
            "message": str(error)[:2000] if cellcode.is_authors(error) else "",
            "is_assertion": isinstance(error, AssertionError),
            "evidence": cellcode.trace_of(error),
        }
    packer = packing.Packer(lambda _: ["other"])
    return {"passed": True, "value": packer.pack(value), "states": []}


def _run(source: str, names: dict[str, Any]) -> Any:
    tree = ast.parse(source, cellcode.FILE_NAME)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not cellcode.ends_silent(source):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    names["__builtins__"] = builtins
    exec(compile(tree, cellcode.FILE_NAME, "exec", dont_inherit=True), names)  # noqa: S102 - the author's test
    if last is None:
        return None
    return eval(compile(last, cellcode.FILE_NAME, "eval", dont_inherit=True), names)  # noqa: S307
