"""The namespace of the checker's cells, in which the learner's names are live.

Used by replay.py. A name that the source's solution cells make is fetched from the learner's process whenever it is read,
and binding or deleting it here does the same there. Every other name is the checker's own.
"""

from __future__ import annotations

import builtins
import json
from typing import TYPE_CHECKING, Any

from graders.inside.replacement import is_mutable, replace_content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graders.inside.remote import Remote

_MAX_WATCHED = 200_000


class _Fetched:
    """A value that was fetched, and what it was written as then."""

    __slots__ = ("runs", "value", "written")

    def __init__(self, value: Any, written: str, runs: int) -> None:
        self.value = value
        self.written = written
        self.runs = runs


class Names(dict[str, Any]):
    """A dict that serves as the globals of cells: CPython asks a subclass's own methods for names."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: Remote | None = None
        self.live: set[str] = set()
        self.replaying = False
        self._fetched: dict[str, _Fetched] = {}
        self._shadowed: set[str] = set()

    def connect(self, remote: Remote) -> None:
        """Lead the live names to a learner's process."""
        self.remote = remote
        remote.before_run = self.push_changes
        remote.name_of = self._name_of
        remote.fetch_name = self._fetch

    def add_live(self, names: Iterable[str]) -> None:
        """Let names stand for the learner's objects from now on."""
        for name in names:
            self.live.add(name)
            self._forget(name)

    def own_class(self, name: str) -> type | None:
        """Return the class of that name that a given or test cell made here, or None."""
        found = dict.get(self, name)
        is_own = name not in self.live and isinstance(found, type) and found.__module__ == "__main__"
        return found if is_own and "_atelier_class" not in vars(found) else None

    # --- the dict that cells see -----------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        if name in self.live:
            return self._fetch(name)
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.live:
            super().__setitem__(name, value)
        elif self.replaying:
            self.live.discard(name)
            self._forget(name)
            super().__setitem__(name, value)
        else:
            self._forget(name)
            self._require().bind(name, value)
            if name in self._shadowed:
                super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self.live:
            super().__delitem__(name)
            return
        self._fetch(name)
        self._forget(name)
        if not self.replaying:
            self._require().request("unbind", name=name)

    def __contains__(self, name: object) -> bool:
        if name in self.live:
            try:
                self._fetch(str(name))
            except KeyError:
                return False
            return True
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what a name stands for, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def pop(self, name: str, *default: Any) -> Any:
        """Remove a name and return what it stood for."""
        try:
            value = self[name]
        except KeyError:
            if default:
                return default[0]
            raise
        del self[name]
        return value

    def update(self, *others: Any, **more: Any) -> None:
        """Bind names."""
        for name, value in dict(*others, **more).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return what a name stands for, after binding it where it stood for nothing."""
        if name not in self:
            self[name] = default
        return self[name]

    # --- the learner's side ----------------------------------------------------------------------------------

    def prefetch(self, names: set[str]) -> None:
        """Store what live names stand for where class bodies look: past this class's methods."""
        self._shadowed = names & self.live
        for name in self._shadowed:
            try:
                dict.__setitem__(self, name, self._fetch(name))
            except KeyError:
                dict.pop(self, name, None)

    def push_changes(self) -> None:
        """Tell the learner's process how fetched lists and tables were changed here, before its code runs again."""
        for name, fetched in list(self._fetched.items()):
            if not self._can_change(fetched.value) or len(fetched.written) > _MAX_WATCHED:
                continue
            written = self._written(fetched.value)
            if written != fetched.written:
                fetched.written = written
                self._require().bind(name, fetched.value, op="update")

    def refresh(self) -> None:
        """Forget what was fetched."""
        self._fetched.clear()
        for name in self._shadowed & self.live:
            dict.pop(self, name, None)
        self._shadowed = set()

    def _fetch(self, name: str) -> Any:
        remote = self._require()
        known = self._fetched.get(name)
        if known is not None and known.runs == remote.runs:
            return known.value
        value, reply = remote.get(name)
        if self._can_change(value):
            written = (
                self._written(value) if len(json.dumps(reply)) <= _MAX_WATCHED else " " * (_MAX_WATCHED + 1)
            )
            if (
                known is not None
                and type(known.value) is type(value)
                and (known.written == written or self._take_over(known.value, value))
            ):
                value = known.value
        else:
            written = ""
        self._fetched[name] = _Fetched(value, written, remote.runs)
        return value

    def _can_change(self, value: Any) -> bool:
        return is_mutable(value) or self._is_given(value)

    def _is_given(self, value: Any) -> bool:
        kind = type(value)
        return kind.__module__ == "__main__" and self._require().given_class(kind.__name__) is kind

    def _take_over(self, old: Any, new: Any) -> bool:
        if self._is_given(old):
            vars(old).clear()
            vars(old).update(vars(new))
            return True
        return replace_content(old, new)

    def _name_of(self, value: Any) -> str | None:
        """Return the live name that a value was fetched under: the learner's code gets its own object, not a copy."""
        for name, fetched in self._fetched.items():
            if fetched.value is value and self._can_change(value):
                return name
        return None

    def _written(self, value: Any) -> str:
        packer = self._require().packer(by_name=False)
        return json.dumps([packer.pack(value), packer.states()])

    def _forget(self, name: str) -> None:
        self._fetched.pop(name, None)
        dict.pop(self, name, None)

    def _require(self) -> Remote:
        if self.remote is None:
            raise KeyError("no learner's process is connected")
        return self.remote


def clean_namespace(names: Names) -> None:
    """Put in what every module has."""
    dict.__setitem__(names, "__name__", "__main__")
    dict.__setitem__(names, "__doc__", None)
    dict.__setitem__(names, "__builtins__", builtins)
    dict.__setitem__(names, "__builtin__", builtins)
