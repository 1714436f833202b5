"""One IPython shell without a terminal or a kernel: runs cells, keeps what they show as nbformat outputs.

Made by PID 1 before it forks, so that both the learner's process and the checker have one ready. In the learner's
process everything here is in the learner's hands; nothing that it says is believed.
"""

from __future__ import annotations

import base64
import io
import sys
import types
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from graders.inside.sink import Output, Sink, safe_text


class Stream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr and writes into the shell's present sink."""

    def __init__(self, shell: Shell, name: str) -> None:
        super().__init__()
        self._shell = shell
        self._name = name

    @property
    def name(self) -> str:
        """Return the stream's name as a file shows it."""
        return f"<{self._name}>"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding that programs ask for."""
        return "utf-8"

    def writable(self) -> bool:
        """Return True: it takes text."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that programs started by a cell write to."""
        return 1 if self._name == "stdout" else 2

    def write(self, text: str) -> int:
        """Take text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.sink.write(self._name, text)
        return len(text)


class SinkDisplayHook(DisplayHook):
    """Shows the value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        """Print no prompt."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:  # noqa: ARG002 - IPython's signature
        """Keep the value as an execute_result."""
        self.shell.sink.add(  # type: ignore[union-attr]
            {
                "output_type": "execute_result",
                "execution_count": self.prompt_count,
                "data": clean_bundle(format_dict),
                "metadata": {},
            }
        )

    def finish_displayhook(self) -> None:
        """Print no separator."""
        self._is_active = False


class SinkDisplayPublisher(DisplayPublisher):
    """Takes what `display` shows."""

    def publish(self, data: dict[str, Any], *_args: Any, **_kwargs: Any) -> None:
        """Keep it as display_data."""
        self.shell.sink.add({"output_type": "display_data", "data": clean_bundle(data), "metadata": {}})

    def clear_output(self, wait: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - IPython's signature
        """Forget what the cell has shown."""
        self.shell.sink.clear()


class Shell(InteractiveShell):
    """IPython's shell with outputs kept in a sink."""

    displayhook_class = Type(SinkDisplayHook)
    display_pub_class = Type(SinkDisplayPublisher)

    def __init__(self, **kwargs: Any) -> None:
        self.sink = Sink(1 << 40)
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]

    def init_io(self) -> None:
        """Leave the streams of the process alone: they are put in place after the fork."""

    def enable_gui(self, gui: Any = None) -> None:
        """Run no event loop."""

    def ask_exit(self) -> None:
        """Let `exit` and `quit` in a cell end nothing."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        self.sink.add(
            {
                "output_type": "error",
                "ename": etype.__name__,
                "evalue": safe_text(evalue),
                "traceback": list(stb),
            }
        )

    def take_streams(self) -> None:
        """Make this shell's sink the standard output and error of the process."""
        sys.stdout = Stream(self, "stdout")
        sys.stderr = Stream(self, "stderr")

    def run(self, source: str, budget: int) -> tuple[list[Output], bool]:
        """Run a cell.

        Returns:
            What it showed, and whether it ran to its end.
        """
        self.sink = Sink(budget)
        finished = False
        try:
            finished = bool(self.run_cell(source, store_history=True).success)  # type: ignore[no-untyped-call]
        except BaseException as error:  # noqa: BLE001 - the process outlives whatever a cell raises
            self.sink.flush()
            self.sink.outputs.append(
                {
                    "output_type": "error",
                    "ename": type(error).__name__,
                    "evalue": safe_text(error),
                    "traceback": [],
                }
            )
        self.sink.flush()
        if self.sink.overflowed:
            finished = False
        return self.sink.outputs, finished


def clean_bundle(data: dict[str, Any]) -> dict[str, Any]:
    """Make a bundle of media types JSON, images in base64 as nbformat wants them."""
    return {
        kind: base64.b64encode(part).decode("ascii") if isinstance(part, bytes) else part
        for kind, part in data.items()
    }


def make_shell(directory: str) -> Shell:
    """Make the shell, with a directory for the little that IPython keeps on disk."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryAccessor.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.show_rewritten_input = False
    config.InteractiveShell.cache_size = 100
    Path(directory).mkdir(parents=True, exist_ok=True)
    shell = Shell.instance(config=config, ipython_dir=directory)
    assert isinstance(shell, Shell)  # noqa: S101 - for the type checker
    return shell


def module_of(namespace: dict[str, Any]) -> types.ModuleType:
    """Make a module whose names are exactly a namespace, that of a subclass of dict too."""

    class Main(types.ModuleType):
        """`__main__`, seen through the namespace in which cells run."""

        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            return namespace

        def __getattr__(self, name: str) -> Any:
            try:
                return namespace[name]
            except KeyError:
                raise AttributeError(f"module '__main__' has no attribute '{name}'") from None

        def __setattr__(self, name: str, value: Any) -> None:
            namespace[name] = value

        def __delattr__(self, name: str) -> None:
            try:
                del namespace[name]
            except KeyError:
                raise AttributeError(name) from None

    return Main("__main__")
