"""The grader image with this checkout's code in it, for tests that run sandboxes.

Set-up builds images by content. While code is being written, the last one built gets this checkout's package laid
over it, which takes two seconds; an image that is current already is used as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile
from pathlib import Path

import docker

ROOT = Path(__file__).resolve().parents[1]
BASE = "atelier-grader:latest"
PARTS = ("graders/__init__.py", "graders/inside", "graders/checks")


def grader_image() -> str:
    """Return the image's name.

    Raises:
        docker.errors.ImageNotFound: set-up has not built the grader image yet.
    """
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for part in PARTS
        for path in ([ROOT / part] if (ROOT / part).is_file() else sorted((ROOT / part).rglob("*.py")))
    }
    client = docker.from_env()
    try:
        base = client.images.get(BASE)
        digest = hashlib.sha256(f"{base.id}{sorted(files.items())}".encode()).hexdigest()[:12]
        name = f"ateliertest-grader:{digest}"
        if not client.images.list(name=name):
            client.images.build(fileobj=_context(files), custom_context=True, tag=name, rm=True)
            _remove_older(client, name)
        return name
    finally:
        client.close()


def _remove_older(client: docker.DockerClient, current: str) -> None:
    """Keep one such image, not one for each change of the code; what another run still uses stays."""
    for image in client.images.list(name="ateliertest-grader"):
        for tag in image.tags:
            if tag != current:
                with contextlib.suppress(docker.errors.APIError):
                    client.images.remove(tag)


def _context(files: dict[str, bytes]) -> io.BytesIO:
    copied = {f"atelier/{path}": data for path, data in files.items()}
    dockerfile = (
        f"FROM {BASE}\nCOPY atelier /opt/atelier\nRUN python3 -m compileall -q /opt/atelier/graders\n"
    )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data in (*copied.items(), ("Dockerfile", dockerfile.encode())):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    packed.seek(0)
    return packed
