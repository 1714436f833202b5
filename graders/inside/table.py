"""The checker's table of stand-ins: which of the learner's objects it has met, and how far each is trusted.

Part of remote.py. Everything read here was written by the learner's process; what is malformed raises, what is merely
not what the record has becomes an `Opaque`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graders.inside import exceptions
from graders.inside.classes import make_class
from graders.inside.crossing import CrossingError
from graders.inside.standins import (
    Function,
    Link,
    Opaque,
    OpaqueIterable,
    RemoteIterator,
    StandIn,
    link_of,
)

if TYPE_CHECKING:
    from graders.inside.remote import Remote

_KINDS = frozenset({"class", "module", "function", "coroutine", "iterator", "instance"})
_MAX_OBJECTS = 200_000
_MAX_NAME = 200
_EXPECTED = {
    "function": ("function", "class", "instance"),
    "class": ("class", "function"),
    "instance": ("instance", "function"),
    "iterator": ("iterator",),
    "coroutine": ("coroutine",),
    "module": ("module",),
}


class Table:
    """The stand-ins of one conversation; each remote object has one, so that `is` works."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stand_ins: dict[tuple[int, bool], Any] = {}
        self._classes: dict[int, Any] = {}
        self._class_places: dict[int, str] = {}
        self._links: set[int] = set()

    def copy(self) -> Table:
        """Return a table for a twin: it knows all that this one knows, and this one learns nothing of the twin."""
        twin = Table(self._remote)
        twin._stand_ins = dict(self._stand_ins)
        twin._classes = dict(self._classes)
        twin._class_places = dict(self._class_places)
        twin._links = set(self._links)
        return twin

    def holds(self, link: Link) -> bool:
        """Whether a stand-in belongs to this conversation, and not to a twin that has ended."""
        return id(link) in self._links

    def library_of(self, data: Any) -> list[str] | None:
        """Return the library's path of a reference to an imported module, function or class."""
        if type(data) is not list or len(data) != 5 or data[0] != "ref":  # noqa: PLR2004
            return None
        if data[2] == "module" and type(data[3]) is str:
            return [data[3], ""]
        return list(data[4]) if data[4] is not None and data[2] in {"function", "class"} else None

    def stand_in(self, data: list[Any], place: str) -> Any:
        """Return the stand-in for a reference, trusted as far as the record has its kind at this place.

        Raises:
            CrossingError: the reference is malformed.
        """
        if data[0] != "ref" or len(data) != 5:  # noqa: PLR2004
            raise CrossingError("an unknown kind of data")
        number, kind, description = data[1], data[2], data[3]
        if type(number) is not int or not 0 <= number < _MAX_OBJECTS or kind not in _KINDS:
            raise CrossingError("a malformed reference")
        class_name = self._place_class(description, place) if kind in {"instance", "class"} else ""
        self._remote.record.saw(place, f"{kind}:{class_name}" if class_name else kind)
        trusted = self._remote.record.recording or self._is_expected(kind, place)
        found = self._stand_ins.get((number, trusted))
        if found is None:
            found = self._make(number, kind, description, place, trusted=trusted)
            self._stand_ins[number, trusted] = found
        return found

    def _is_expected(self, kind: str, place: str) -> bool:
        recorded = {label.partition(":")[0] for label in self._remote.record.kinds_at(place)}
        return not recorded.isdisjoint(_EXPECTED[kind])

    def _make(self, number: int, kind: str, description: Any, place: str, *, trusted: bool) -> Any:
        name = description if type(description) is str else ""
        if kind == "class" and trusted:
            return self._class(description)
        if kind == "instance":
            made_class = self._class(description)
            if trusted:
                own_place = self._instance_place(description, place)
                return self.instance_of(made_class, self._link(number, own_place, kind, name))
        link = self._link(number, place, kind, name[:_MAX_NAME])
        if not trusted:
            iterable = kind == "iterator" or (kind == "instance" and hasattr(made_class, "__iter__"))
            return self._with_link(OpaqueIterable if iterable else Opaque, link)
        if kind == "coroutine":
            return _coroutine(link)
        return self._with_link({"function": Function, "iterator": RemoteIterator}.get(kind, StandIn), link)

    def exception(self, data: Any, reference: Any, place: str) -> tuple[Any, Link | None] | None:
        """Return the class that a learner's exception gets here, and the link to the exception; None if it gets none.

        Raises:
            CrossingError: the reference is malformed.
        """
        if type(data) is not list or len(data) != 5 or data[0] != "ref" or data[2] != "class":  # noqa: PLR2004
            raise CrossingError("a malformed exception")
        made = self._class(data[3])
        if not (isinstance(made, type) and issubclass(made, BaseException)):
            return None
        if link_of(made) is None:
            return made, None
        number = reference[1] if type(reference) is list and len(reference) == 5 else None  # noqa: PLR2004
        if type(number) is not int or not 0 <= number < _MAX_OBJECTS:
            raise CrossingError("a malformed exception")
        name = self._place_class(data[3], place)
        self._remote.record.saw(f"{place}!", f"instance:{name}")
        return made, self._link(number, f"<{name}>", "instance", name)

    def instance_of(self, made_class: Any, link: Link) -> Any:
        """Make a stand-in of a class, without running any code of it."""
        if issubclass(made_class, BaseException):
            error = BaseException.__new__(made_class)
            error.__dict__["_atelier"] = link
            return error
        return self._with_link(made_class, link)

    def _with_link(self, kind: Any, link: Link) -> Any:
        made = object.__new__(kind)
        object.__setattr__(made, "_atelier", link)
        return made

    def _link(self, number: int, place: str, kind: str, name: str) -> Link:
        link = Link(self._remote, number, place, kind, name)
        self._links.add(id(link))
        _keep.append(link)
        return link

    # --- classes ---------------------------------------------------------------------------------------------

    def _instance_place(self, description: Any, place: str) -> str:
        name = self._place_class(description, place)
        labels = self._remote.record.kinds_at(place)
        if self._remote.record.recording or any(label.startswith("instance") for label in labels):
            return f"<{name}>"
        return place  # a callable object where the record has a function

    def _place_class(self, description: Any, place: str) -> str:
        """Return the name under which the record knows a class: its own, or that of the class recorded here."""
        number, name = self._class_head(description)
        if number in self._class_places:
            return self._class_places[number]
        if name is None:
            raise CrossingError("a class that was not described")
        record = self._remote.record
        if not record.recording and name not in record.class_names():
            here = [label.partition(":")[2] for label in record.kinds_at(place) if ":" in label]
            if not here:
                return name  # perhaps it is met again where the record has a class
            name = here[0]
        self._class_places[number] = name
        return name

    def _class_head(self, description: Any) -> tuple[int, str | None]:
        if type(description) is not list or not description or type(description[0]) is not int:
            raise CrossingError("a malformed class")
        if len(description) == 1:
            return description[0], None
        if len(description) != 6 or type(description[1]) is not str:  # noqa: PLR2004
            raise CrossingError("a malformed class")
        return description[0], description[1][:_MAX_NAME]

    def _class(self, description: Any, depth: int = 0) -> Any:
        number, name = self._class_head(description)
        if number in self._classes:
            return self._classes[number]
        if name is None or depth > 20:  # noqa: PLR2004
            raise CrossingError("a class that was not described")
        _number, _name, library, bases, dunders, hashable = description
        if type(bases) is not list or type(dunders) is not list or len(bases) > 20:  # noqa: PLR2004
            raise CrossingError("a malformed class")
        found = exceptions.find_library_class(library)
        if found is not None:
            self._classes[number] = found
            return found
        parents = [self._class(base, depth + 1) for base in bases]
        own = self._remote.given_class(name)
        parents = [parent for parent in parents if not _is_nothing(parent)]
        if own is not None:
            parents = [own, *(parent for parent in parents if not issubclass(own, parent))]
        place = self._class_places.get(number, name)
        link = self._link(number, place, "class", name)
        made = self._assemble(
            link, name, parents, [str(dunder) for dunder in dunders], hashable=bool(hashable)
        )
        self._classes[number] = made
        return made

    def _assemble(
        self, link: Link, name: str, parents: list[Any], dunders: list[str], *, hashable: bool
    ) -> Any:
        for bases in (tuple(parents), tuple(parent for parent in parents if link_of(parent)), ()):
            try:
                return make_class(link, name, bases, dunders, hashable=hashable)
            except (TypeError, ValueError):
                continue  # bases that do not go together here: fewer of them
        raise CrossingError("a class that cannot be made")


_keep: list[Link] = []  # a link's id is its mark in a table, so links live as long as the process


def _is_nothing(parent: Any) -> bool:
    return parent is object or (link_of(parent) is None and not issubclass(parent, BaseException))


async def _coroutine(link: Link) -> Any:
    return link.remote.operate(link, "await", [], {}, f"{link.place}.await")
