"""The container images: built when their inputs have changed, and smoke-tested before anything uses them.

Called by recipes.py. An image's tag is the hash of what it is made from, so a second build is a look and no
more; `:latest` follows, for commands typed by hand.
"""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.deploy.setup import base_image, certificates
from hub.deploy.setup.places import digest_of_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hub.deploy.setup.commands import Runner

CA_BUNDLE = "ca-bundle.crt"
"""In every build context, empty where the machine has none; not part of the hash, as it stays out of the
image."""

PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Variables of the operator that a build needs too."""

ADVICE = "Check the network, and the space on disk (docker image prune makes some); then start again."


@dataclass(frozen=True)
class Image:
    """One image: its folder in images/, and what is copied into it.

    Attributes:
        name: the folder's name.
        inputs: files and folders of the checkout that go into the build, by their path in the context.
        based_on: the name of the image it is built on; None for the first.
    """

    name: str
    inputs: Mapping[str, str]
    based_on: str | None

    @property
    def repository(self) -> str:
        return f"atelier-{self.name}"


BASE = Image("base", {}, based_on=None)
LEARNER = Image(
    "learner",
    {
        "requirements.txt": "images/learner/requirements.txt",
        "constraints.txt": "constraints.txt",
        "nbgrader_config.py": "images/learner/nbgrader_config.py",
        "jupyter_server_config.py": "images/learner/jupyter_server_config.py",
        "overrides.json": "images/learner/overrides.json",
        "atelier/hub/__init__.py": "hub/__init__.py",
        "atelier/hub/exchange": "hub/exchange",
    },
    based_on="base",
)
GRADER = Image(
    "grader",
    {
        "requirements.txt": "images/grader/requirements.txt",
        "constraints.txt": "constraints.txt",
        "atelier/graders/__init__.py": "graders/__init__.py",
        "atelier/graders/inside": "graders/inside",
    },
    based_on="base",
)
ALL = (BASE, LEARNER, GRADER)


def context_files(root: Path, image: Image) -> dict[str, Path]:
    """Return every file of the build context, by its path in it."""
    files = {"Dockerfile": root / "images" / image.name / "Dockerfile"}
    for name, source in image.inputs.items():
        path = root / source
        if not path.is_dir():
            files[name] = path
            continue
        for child in sorted(path.rglob("*")):
            if child.is_file() and "__pycache__" not in child.parts:
                files[f"{name}/{child.relative_to(path).as_posix()}"] = child
    return files


def tag_of(root: Path, image: Image) -> str:
    """Return the image's name and tag: twelve digits of the hash of all it is made from, its base
    included.
    """
    if image.based_on is None:
        salt = base_image.wanted_image()
    else:
        salt = tag_of(root, next(other for other in ALL if other.name == image.based_on))
    return f"{image.repository}:{digest_of_files(context_files(root, image), salt)[:12]}"


def pack_context(files: Mapping[str, Path], ca_bundle: bytes) -> bytes:
    """Return the build context as a tar archive in which nothing but names, contents and the x bit counts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in sorted(files):
            executable = os.access(files[name], os.X_OK)
            _add(archive, name, files[name].read_bytes(), 0o755 if executable else 0o644)
        _add(archive, CA_BUNDLE, ca_bundle, 0o644)
    return buffer.getvalue()


def build_command(tag: str, based_on: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the build command; the context comes on its standard input.

    The host's network, because a company's resolver or proxy often is reachable from there alone.
    """
    passed_on = [
        option
        for name in PASSED_ON
        if environ.get(name) or environ.get(name.lower())
        for option in ("--build-arg", f"{name}={environ.get(name) or environ[name.lower()]}")
    ]
    return [
        "docker",
        "build",
        "--network=host",
        "--build-arg",
        f"BASE_IMAGE={based_on}",
        *passed_on,
        "--tag",
        tag,
        "-",
    ]


def ensure_image(runner: Runner, root: Path, image: Image, note: Callable[[str], None]) -> str:
    """Build, test and tag an image unless it is there. Returns the step's result in words.

    Raises:
        SetupError: it could not be built, or its smoke test failed; then it isn't tagged and will be built
        again.
    """
    tag = tag_of(root, image)
    latest = f"{image.repository}:latest"
    if runner.ask(["docker", "image", "inspect", "--format", "{{.Id}}", tag]).ok:
        runner.run(["docker", "tag", tag, latest], advice=ADVICE)
        return f"{tag} is there"
    based_on = _ensure_base(runner, root, image, note)
    note(f"building {tag}")
    untested = f"{image.repository}:untested-{tag.rpartition(':')[2]}"
    bundle = certificates.find_bundle()
    runner.run(
        build_command(untested, based_on),
        stdin=pack_context(context_files(root, image), bundle.read_bytes() if bundle else b""),
        env={"DOCKER_BUILDKIT": "0"},
        advice=ADVICE,
    )
    runner.run(
        ["sh", str(root / "images" / image.name / "smoke.sh"), untested],
        advice=f"The new image {untested} does not work as it should: the log tells why.",
    )
    for name in (tag, latest):
        runner.run(["docker", "tag", untested, name], advice=ADVICE)
    runner.run(["docker", "rmi", untested], advice=ADVICE)
    return f"{tag} built and tested"


def image_settings(root: Path) -> dict[str, str]:
    """Return the variables that tell the platform which images belong to this checkout."""
    return {"ATELIER_LEARNER_IMAGE": tag_of(root, LEARNER), "ATELIER_GRADER_IMAGE": tag_of(root, GRADER)}


def _ensure_base(runner: Runner, root: Path, image: Image, note: Callable[[str], None]) -> str:
    if image.based_on is None:
        return base_image.ensure_debian(runner, note)
    return tag_of(root, next(other for other in ALL if other.name == image.based_on))


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = mode
    archive.addfile(member, io.BytesIO(content))
