"""E and F: attacks through files and the notebook's structure."""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

from tests.attacks.case import RIGHT_DOUBLE, RIGHT_NAMES, Handed, Oracle, add, answer
from tests.doubles.notebooks import cell, check, solution

if TYPE_CHECKING:
    from pathlib import Path

REJECT, ZERO, EQUAL = Oracle.REJECT, Oracle.ZERO, Oracle.EQUAL
DOUBLE, DOUBLE_CHECK, NAMES_CHECK = 2, 3, 5


def _link_to_secret(folder: Path) -> None:
    (folder / "data.txt").symlink_to(folder.parent / "secret.txt")


def _linked_notebook(folder: Path) -> None:
    (folder / "exercise.ipynb").unlink()
    (folder / "exercise.ipynb").symlink_to(folder.parent / "secret.txt")


def _linked_folder(folder: Path) -> None:
    (folder / "data").symlink_to("/etc")


def _hard_link(folder: Path) -> None:
    (folder / "data.txt").hardlink_to(folder.parent / "secret.txt")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "data.txt")


def _odd_name(folder: Path) -> None:
    (folder / "-rf").write_text("x")


def _direction(folder: Path) -> None:
    (folder / "data\u202egnp.py").write_text("x")


def _many(folder: Path) -> None:
    for number in range(500):
        (folder / f"f{number}").write_text("")


def _deep(folder: Path) -> None:
    (folder / "/".join("d" * 50)).mkdir(parents=True)


def _large(folder: Path) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(30 * 1024 * 1024)


for case_id, does, touch in (
    ("E01", "a link to a secret", _link_to_secret),
    ("E01b", "the notebook is a link", _linked_notebook),
    ("E02", "a linked folder", _linked_folder),
    ("E02b", "a hard link to a secret", _hard_link),
    ("E06", "a sparse file of 30 MB", _large),
    ("E07", "a file called -rf", _odd_name),
    ("E07b", "a name that turns direction", _direction),
    ("E09", "a pipe that never ends", _fifo),
    ("E11", "500 files", _many),
    ("E11b", "fifty folders deep", _deep),
):
    add(case_id, does, REJECT, Handed(answer(), touch=touch))
add(
    "E12",
    "files that tools would run",
    ZERO,
    Handed(
        answer(),
        {
            "Makefile": b"all:\n\ttouch x",
            "package.json": b'{"scripts":{"preinstall":"x"}}',
            "jupyter_config.py": b"raise SystemExit",
            ".env": b"A=1",
        },
    ),
)
add("E13", "HTML called .ipynb", REJECT, Handed(b"<!doctype html><script>alert(1)</script>"))
add("E13b", "UTF-16", REJECT, Handed(json.dumps(answer()).encode("utf-16")))


def _changed(index: int, base: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    made = copy.deepcopy(base or answer())
    made["cells"][index] |= changes
    return made


def _own(index: int, base: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    made = copy.deepcopy(base or answer())
    made["cells"][index]["metadata"]["nbgrader"] |= changes
    return made


def _without(*indices: int) -> dict[str, Any]:
    made = answer()
    made["cells"] = [item for index, item in enumerate(made["cells"]) if index not in indices]
    return made


def _with(*cells: dict[str, Any]) -> dict[str, Any]:
    made = answer()
    made["cells"] += cells
    return made


BAKED = [
    {"output_type": "execute_result", "data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
]
right = answer(RIGHT_DOUBLE, RIGHT_NAMES)
add("F01", "the check becomes `pass`", ZERO, Handed(_changed(DOUBLE_CHECK, source="pass")))
add(
    "F01b",
    "the check becomes `pass`, with a checksum",
    ZERO,
    Handed(_own(DOUBLE_CHECK, _changed(DOUBLE_CHECK, source="pass"), checksum="0" * 32)),
)
add("F02", "the checks are deleted", ZERO, Handed(_without(DOUBLE_CHECK, NAMES_CHECK)))
add(
    "F02b",
    "honest work whose checks are deleted",
    EQUAL,
    Handed(
        {
            **right,
            "cells": [
                item for index, item in enumerate(right["cells"]) if index not in (DOUBLE_CHECK, NAMES_CHECK)
            ],
        }
    ),
)
add("F03", "100 points", ZERO, Handed(_own(DOUBLE_CHECK, points=100)))
add("F03b", "100 points for right work", EQUAL, Handed(_own(DOUBLE_CHECK, right, points=100)))
add("F03c", "endless, negative and worded points", ZERO, Handed(_own(DOUBLE_CHECK, points=float("inf"))))
add("F04", "the answer's id twice", ZERO, Handed(_with(solution("double = lambda x: 0"))))
add("F04b", "the check's id twice", ZERO, Handed(_with(check("pass", "double-check", 2))))
add("F05", "flags turned round", ZERO, Handed(_own(DOUBLE_CHECK, grade=False, locked=False, solution=True)))
add(
    "F05b",
    "an answer that is a grade cell too",
    ZERO,
    Handed(_own(DOUBLE, grade=True, solution=True, points=50)),
)
add("F06", "renamed check", ZERO, Handed(_own(DOUBLE_CHECK, grade_id="else")))
add("F06b", "renamed answers, right work", EQUAL, Handed(_own(DOUBLE, right, grade_id="elsewhere")))
add("F07", "the check becomes markdown", ZERO, Handed(_changed(DOUBLE_CHECK, cell_type="markdown")))
add("F07b", "the check becomes raw", ZERO, Handed(_changed(DOUBLE_CHECK, cell_type="raw")))
add(
    "F08",
    "another kernel",
    ZERO,
    Handed(answer() | {"metadata": {"kernelspec": {"name": "bash", "language": "bash"}}}),
)
add("F09", "invalid UTF-8", REJECT, Handed(json.dumps(answer()).encode().replace(b"return", b"\xff\xfe")))
add("F09b", "half a character", REJECT, Handed(_changed(DOUBLE, source="x = '\ud800'")))
add("F10", "200,000 brackets deep", REJECT, Handed(b"[" * 200_000 + b"]" * 200_000))
add("F11", "truncated", REJECT, Handed(json.dumps(answer()).encode()[:-30]))
for letter, does, book in (
    ("b", "empty", b""),
    ("c", "a list", []),
    ("d", "cells as text", answer() | {"cells": "none"}),
    ("e", "format 3", answer() | {"nbformat": 3}),
    ("f", "format 99", answer() | {"nbformat": 99}),
    ("g", "a cell without type", answer() | {"cells": [{"source": "x"}]}),
    ("h", "source as a number", _changed(DOUBLE, source=5)),
    ("i", "null", b"null"),
):
    add(
        f"F11{letter}",
        does,
        REJECT,
        Handed(json.dumps(book).encode() if not isinstance(book, bytes) else book),
    )
add(
    "F11j",
    "metadata of every odd type",
    ZERO,
    Handed(
        _with(
            *(
                {"cell_type": "code", "source": "1", "metadata": odd}
                for odd in (5, "x", [], None, {"nbgrader": 5})
            )
        )
    ),
)
add(
    "F12",
    "NaN, doubled keys and 100,000 keys in right work",
    EQUAL,
    Handed(
        json.dumps(right | {"metadata": {f"k{n}": float("nan") for n in range(100_000)}})
        .replace('"nbformat": 4,', '"nbformat": 4, "nbformat": 4,')
        .encode()
    ),
)
add("F13", "an 11 MB notebook", REJECT, Handed(answer() | {"metadata": {"x": "y" * 11_000_000}}))
add(
    "F14",
    "saved outputs of 2.0",
    ZERO,
    Handed(_changed(NAMES_CHECK, _changed(DOUBLE_CHECK, outputs=BAKED), outputs=BAKED)),
)
add(
    "F15",
    "a magic that swallows cells",
    ZERO,
    Handed(_changed(DOUBLE, source="%alias_magic -c capture time\n%%capture\ndef double(x): return 0")),
)
add("F16", "a time stamp of 2001", ZERO, Handed(answer(), {"timestamp.txt": b"2001-01-01 00:00:00 UTC"}))
add(
    "F17",
    "a malformed time stamp",
    ZERO,
    Handed(answer(), {"timestamp.txt": b"But I want to be a timestamp"}),
)
add(
    "F18",
    "tags and settings that skip",
    ZERO,
    Handed(
        _changed(
            DOUBLE_CHECK,
            metadata=answer()["cells"][DOUBLE_CHECK]["metadata"]
            | {"tags": ["skip-execution", "raises-exception", "remove-cell"]},
        )
        | {"metadata": {"execution": {"timeout": -1, "allow_errors": True}}}
    ),
)
add(
    "F19",
    "markdown that hangs renderers",
    ZERO,
    Handed(_with(cell("[" * 20_000 + "*a_ " * 5_000 + "`" * 9_999, kind="markdown"))),
)
add(
    "F20",
    "doubled cell ids, attachments and widgets",
    ZERO,
    Handed(
        answer()
        | {
            "cells": [
                item | {"id": "same", "attachments": {"a": {"image/png": "x"}}} for item in answer()["cells"]
            ]
        }
    ),
)
add(
    "F21",
    "checks moved before the answers",
    ZERO,
    Handed(answer() | {"cells": [answer()["cells"][index] for index in (3, 5, 0, 1, 2, 4)]}),
)
SCRIPT = "<script>document.title='CANARY-ran'</script><img src=x onerror=\"document.title='CANARY-ran'\">"
add(
    "G01",
    "a script in an output",
    ZERO,
    Handed(
        answer(
            before=f"from IPython.display import HTML, Javascript, SVG, display\ndisplay(HTML({SCRIPT!r}), Javascript('1'), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"x\"/>'))"
        )
    ),
)
add(
    "G03",
    "a script in a markdown cell",
    ZERO,
    Handed(_with(cell(SCRIPT + "\n[x](javascript:alert(1))", kind="markdown"))),
)
add(
    "G07",
    "fake marks, colours and direction marks",
    ZERO,
    Handed(answer(before="print('\\x1b[32m10/10\\x1b[0m \\u202e passed \\r All tests passed')")),
)
