"""Keeps text that came from the learner's process from being run as code in the checker.

Used by checker.py and remote.py. A test may parse such text, compare it, look for words in it; `eval`, `exec` and
unpickling of it are refused here, and the record then sends that cell to a guarded fork of the learner's process.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from graders.inside import cellcode

_MAX_TEXTS = 2_000
_texts: dict[str, None] = {}
_tainted_files: set[str] = set()
_state = {"active": False, "bytes": False}


class TaintedError(Exception):
    """Code that came from the learner's process does not run in the checker."""


def heard(text: str | bytes) -> None:
    """Remember what came from the learner's process and could do something if it were run."""
    if isinstance(text, bytes):
        _state["bytes"] = True
    elif len(_texts) < _MAX_TEXTS:
        _texts[text.strip()] = None
    else:
        _texts[""] = None  # too many to remember: everything is tainted from now on


def may_act(text: str) -> bool:
    """Whether a text could do anything as code: without one of these it can only be a value."""
    return "(" in text or "import" in text or "@" in text


def set_active(*, active: bool) -> None:
    """Watch while a test runs."""
    _state["active"] = active


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _state["active"]:
        return
    if event == "compile":
        _compiled(*arguments[:2])
    elif event == "exec":
        code = arguments[0]
        if isinstance(code, CodeType) and code.co_filename in _tainted_files:
            raise TaintedError("a test may not run text of the learner's as code here")
    elif event == "pickle.find_class" and _state["bytes"]:
        raise TaintedError("a test may not unpickle data of the learner's here")


def _compiled(source: Any, filename: Any) -> None:
    name = filename.decode("utf-8", "replace") if isinstance(filename, bytes) else str(filename)
    if source is None or cellcode.is_cell_file(name):
        return
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
    if any(piece in text for piece in _texts):
        _tainted_files.add(name)
    else:
        _tainted_files.discard(name)


def watch_code() -> None:
    """Have Python tell of all code that is compiled and run; for the checker's process alone, once."""
    sys.addaudithook(_audit)
