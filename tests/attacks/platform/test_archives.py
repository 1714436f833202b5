"""Archives that nobody would make on purpose, sent to the service's real door: one clear sentence each, nothing kept."""

from __future__ import annotations

import gzip
import io
import json
import socket
import tarfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from hub.submissions.archive import canonical_tar
from tests.attacks.platform import cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.service import Services
    from tests.attacks.platform.cast import Program
    from tests.running_platform import Platform

pytestmark = pytest.mark.attacks

SUBMISSIONS = f"exchange/courses/{cast.TRACK}/assignments/{cast.EXERCISE}/submissions"
PUBLISH = f"exchange/courses/{cast.TRACK}/assignments/{cast.EXERCISE}"
NOTEBOOK = f"{cast.EXERCISE}.ipynb"
BOOK = cast.work()[NOTEBOOK]
Entry = tuple[str, bytes, dict[str, Any]]


def tar(*entries: Entry, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar of these entries behind the right notebook."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data, more in ((NOTEBOOK, BOOK, {}), *entries):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def special(kind: bytes, target: str = "", name: str = "special") -> bytes:
    return tar((name, b"", {"type": kind, "linkname": target, "devmajor": 1, "devminor": 3}))


def named(name: str) -> bytes:
    return tar((name, b"x", {}))


def notebook(text: str | bytes) -> bytes:
    return canonical_tar({NOTEBOOK: text if isinstance(text, bytes) else text.encode()})


def lying_size() -> bytes:
    """Return an archive whose header promises more bytes than there are."""
    data = bytearray(tar(("more.txt", b"x" * 600, {}), form=tarfile.USTAR_FORMAT))
    start = data.index(b"more.txt")
    data[start + 124 : start + 136] = b"77777777777\0"
    data[start + 148 : start + 156] = b" " * 8
    data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    return bytes(data)


ARCHIVES: dict[str, bytes] = {
    "symlink": special(tarfile.SYMTYPE, "/etc/passwd"),
    "symlink in the notebook's place": special(tarfile.SYMTYPE, "/etc/passwd", NOTEBOOK),
    "symlink to a folder, then a file through it": tar(("d", b"", {"type": tarfile.SYMTYPE, "linkname": "/tmp"}), ("d/f", b"x", {})),
    "hard link": special(tarfile.LNKTYPE, NOTEBOOK),
    "character device": special(tarfile.CHRTYPE),
    "block device": special(tarfile.BLKTYPE),
    "pipe": special(tarfile.FIFOTYPE),
    "sparse file": special(b"S"),
    "climbing": named("../../../../tmp/climbed"),
    "climbing in the middle": named("a/../../climbed"),
    "absolute": named("/tmp/climbed"),
    "backslashes": named("..\\..\\climbed"),
    "drive": named("C:/climbed"),
    "control characters": named("a\x1b[31mb"),
    "turned around": named("gpj\u202eexe.py"),
    "zero width": named("a\u200bb.py"),
    "not Unicode": tar(("x", b"x", {}), form=tarfile.USTAR_FORMAT).replace(b"x\0", b"\xff\0", 1),
    "markup": named("<img src=x onerror=alert(1)>.py"),
    "too long": named("n" * 300),
    "too deep": named("/".join("d" * 30) + "/f.txt"),
    "twice": tar((NOTEBOOK, b"{}", {})),
    "twice in other letters": tar(("A.txt", b"1", {}), ("a.txt", b"2", {})),
    "a file that is a folder": tar(("a", b"1", {}), ("a/b", b"2", {})),
    "too many": tar(*((f"f{number}", b"", {}) for number in range(500))),
    "huge": tar(("big.bin", b"\0" * (21 * 1024 * 1024), {})),
    "lying about its size": lying_size(),
    "cut off": tar()[:700],
    "goes on after its end": tar() + b"\0" * 1024 + tar(),
    "redefines itself": tar(("a.txt", b"x", {"pax_headers": {"size": "99999999"}})),
    "renames through a header": tar(("a.txt", b"x", {"pax_headers": {"path": "../../climbed"}})),
    "links through a header": tar(("a.txt", b"x", {"pax_headers": {"linkpath": "/etc/passwd"}})),
    "compressed": gzip.compress(tar()),
    "a bomb": gzip.compress(b"\0" * 50_000_000),
    "not an archive": b"PK\x03\x04 and so on" * 100,
    "text": b"hello",
    "nothing": b"",
    "zeros": b"\0" * 10240,
    "no notebook": canonical_tar({"other.txt": b"x"}),
    "notebook is no JSON": notebook("{"),
    "notebook is a list": notebook("[]"),
    "notebook is very deep": notebook("[" * 200_000),
    "notebook of another format": notebook(json.dumps(json.loads(BOOK) | {"nbformat": 3})),
    "notebook with huge numbers": notebook(json.dumps(json.loads(BOOK) | {"nbformat": 10**400})),
    "notebook with half a character": notebook(BOOK.replace(b"greet", b"\\ud800", 1)),
    "notebook with strange cells": notebook(json.dumps(json.loads(BOOK) | {"cells": [1, None, "x"]})),
    "notebook in UTF-16": notebook(BOOK.decode().encode("utf-16")),
}  # fmt: skip


def store_of(platform: Platform) -> set[str]:
    return {str(path) for path in (platform.state / "store").rglob("*") if path.is_file()}


def refused(answer: Any, name: str) -> None:
    """Assert that an answer is our one error, for a person, without anything of the machine's in it."""
    assert answer.status in (400, 409, 411, 413, 422), (name, answer.status, answer.text)
    assert set(answer.json()) == {"error"}, name
    error = answer.json()["error"]
    assert set(error) == {"reason", "message", "request_id"}, name
    assert len(error["message"]) > 10, name
    assert not any(
        word in answer.text for word in ("Traceback", '.py"', "/work", "site-packages", "Error(")
    ), (name, answer.text)


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_is_refused_and_not_kept(
    platform: Platform,
    program: Callable[[str], Program],
    everything: Callable[[], dict[str, list[Any]]],
    name: str,
) -> None:
    store, before = store_of(platform), everything()
    refused(program(cast.ATTACKER).call("POST", SUBMISSIONS, ARCHIVES[name]), name)
    assert store_of(platform) == store
    assert everything() == before


def test_a_trainers_door_is_no_weaker(
    platform: Platform, program: Callable[[str], Program], everything: Callable[[], dict[str, list[Any]]]
) -> None:
    store, before = store_of(platform), everything()
    for name in ("symlink", "character device", "climbing", "absolute", "twice", "lying about its size", "redefines itself",
                 "not an archive", "nothing", "notebook is very deep", "no notebook"):  # fmt: skip
        refused(program(cast.TRAINER).call("PUT", PUBLISH, ARCHIVES[name]), name)
    for slug in ("..", "%2e%2e", "a%2fb", ".hidden", "<script>", "x" * 300, "a%00b"):
        answer = program(cast.TRAINER).call(
            "PUT", f"exchange/courses/{cast.TRACK}/assignments/{slug}", canonical_tar(cast.source())
        )
        assert answer.status in (400, 404, 405, 422), (slug, answer.text)
    code = "!!python/object/apply:os.system ['touch /tmp/yaml-ran']"
    bad = canonical_tar(cast.source() | {"exercise.yml": code.encode()})
    refused(program(cast.TRAINER).call("PUT", PUBLISH, bad), "YAML with a program")
    assert store_of(platform) == store
    assert everything() == before


def speak(platform: Platform, token: str, head: str, body: bytes) -> bytes:
    """Send a request byte by byte as nobody's library would; return what comes back before it closes or falls silent."""
    parts = urlsplit(platform.service_url)
    lines = (f"POST {parts.path}api/{SUBMISSIONS} HTTP/1.1", f"Host: {parts.netloc}", f"Authorization: token {token}",
             "Content-Type: application/x-tar", "Connection: close", *head.split("\n"))  # fmt: skip
    with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=5) as caller:
        caller.sendall("\r\n".join((*lines, "", "")).encode())
        answer = b""
        try:
            caller.sendall(body)
            caller.shutdown(socket.SHUT_WR)
            while part := caller.recv(65536):
                answer += part
        except OSError:
            pass
        return answer


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 100000", tar()[:512]),
        ("Content-Length: 600", tar()),
        ("Content-Length: 999999999999", b"x"),
        ("Content-Length: -1", tar()),
        ("Content-Length: 0x10", tar()),
        ("Content-Length: 1\nContent-Length: 20480", tar()),
        ("Content-Length: 5\nTransfer-Encoding: chunked", b"0\r\n\r\nGET /services/atelier/api/health HTTP/1.1\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"ffffffffff\r\nx"),
        (f"Content-Encoding: gzip\nContent-Length: {len(gzip.compress(tar()))}", gzip.compress(tar())),
    ],
)  # fmt: skip
def test_a_lie_about_the_length_keeps_nothing(
    platform: Platform,
    state: Services,
    program: Callable[[str], Program],
    everything: Callable[[], dict[str, list[Any]]],
    head: str,
    body: bytes,
) -> None:
    store, before = store_of(platform), everything()
    answer = speak(platform, program(cast.ATTACKER).token, head, body)
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert b" 201 " not in answer.partition(b"\r\n")[0]
    assert b"Traceback" not in answer
    assert store_of(platform) == store
    assert everything() == before
    assert program(cast.ATTACKER).call("GET", "health").status == 200
