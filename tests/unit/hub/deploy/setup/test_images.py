from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import base_image, images
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from hub.deploy.setup.places import Places
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner


def ignore(_text: str) -> None:
    pass


def test_the_context_holds_our_packages_without_byte_code(places: Places) -> None:
    names = set(images.context_files(places.root, images.LEARNER))
    assert "atelier/hub/exchange/client.py" in names
    assert "atelier/hub/__init__.py" in names
    assert "Dockerfile" in names
    assert not any("__pycache__" in name or "graders" in name for name in names)


@pytest.mark.parametrize(
    ("changed", "rebuilt"),
    [
        ("images/base/Dockerfile", {"base", "learner", "grader"}),
        ("constraints.txt", {"learner", "grader"}),
        ("hub/exchange/client.py", {"learner"}),
        ("graders/inside/__main__.py", {"grader"}),
        ("images/learner/smoke.sh", set()),
        ("hub/exchange/__pycache__/client.pyc", set()),
    ],
)
def test_a_change_rebuilds_what_it_is_in(changed: str, rebuilt: set[str], places: Places) -> None:
    before = {image.name: images.tag_of(places.root, image) for image in images.ALL}
    (places.root / changed).write_text("changed", encoding="ascii")
    after = {image.name: images.tag_of(places.root, image) for image in images.ALL}
    assert {name for name in before if before[name] != after[name]} == rebuilt


def test_another_base_is_another_image(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    before = images.tag_of(places.root, images.GRADER)
    monkeypatch.setenv("ATELIER_BASE_IMAGE", "registry.example/debian:12")
    assert images.tag_of(places.root, images.GRADER) != before


def test_the_certificates_are_a_build_input_but_not_part_of_the_hash(places: Places) -> None:
    files = images.context_files(places.root, images.LEARNER)
    with tarfile.open(fileobj=io.BytesIO(images.pack_context(files, b"authorities"))) as archive:
        bundle = archive.extractfile(images.CA_BUNDLE)
        assert bundle is not None
        assert bundle.read() == b"authorities"
        assert images.CA_BUNDLE not in files


def test_packing_is_the_same_every_time(places: Places) -> None:
    files = images.context_files(places.root, images.GRADER)
    first = images.pack_context(files, b"")
    (places.root / "graders" / "inside" / "__main__.py").touch()
    assert images.pack_context(files, b"") == first


def test_a_build_gets_the_operators_proxy_and_index_and_nothing_else() -> None:
    command = images.build_command(
        "t:1", "b:1", {"https_proxy": "http://p:1", "PIP_INDEX_URL": "u", "SECRET": "s"}
    )
    assert "HTTPS_PROXY=http://p:1" in command
    assert "PIP_INDEX_URL=u" in command
    assert "BASE_IMAGE=b:1" in command
    assert not any("SECRET" in part for part in command)


def test_an_image_that_is_there_is_not_built(runner: RecordingRunner, places: Places) -> None:
    tag = images.tag_of(places.root, images.LEARNER)
    runner.answer(f"docker image inspect --format {{{{.Id}}}} {tag}", "sha256:1")
    assert images.ensure_image(runner, places.root, images.LEARNER, ignore) == f"{tag} is there"
    assert runner.lines == [f"docker tag {tag} atelier-learner:latest"]


def test_an_image_is_tagged_after_its_smoke_test(runner: RecordingRunner, places: Places) -> None:
    tag = images.tag_of(places.root, images.GRADER)
    images.ensure_image(runner, places.root, images.GRADER, ignore)
    kinds = [" ".join(command[:2]) for command in runner.commands]
    assert kinds[0] == "docker build"
    assert runner.commands[1][1].endswith("images/grader/smoke.sh")
    assert runner.lines[2].endswith(f" {tag}")
    assert runner.lines[3].endswith(" atelier-grader:latest")
    assert runner.environments[0] == {"DOCKER_BUILDKIT": "0"}


def test_an_image_that_fails_its_smoke_test_gets_no_tag(runner: RecordingRunner, places: Places) -> None:
    runner.fail("sh ")
    with pytest.raises(SetupError):
        images.ensure_image(runner, places.root, images.GRADER, ignore)
    assert not any(line.startswith("docker tag") for line in runner.lines)


def test_debian_is_taken_where_it_is(runner: RecordingRunner) -> None:
    runner.answer("docker image inspect --format {{.Id}} atelier-debian", "sha256:1")
    assert base_image.ensure_debian(runner, ignore) == base_image.LOCAL_IMAGE


def test_debian_is_pulled_where_a_registry_answers(runner: RecordingRunner) -> None:
    runner.answer("docker pull")
    assert base_image.ensure_debian(runner, ignore) == base_image.REGISTRY_IMAGE


def test_debian_is_made_where_none_answers(runner: RecordingRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(base_image, "_make", made.append)
    monkeypatch.setattr(base_image, "find_program", lambda name: f"/usr/bin/{name}")
    assert base_image.ensure_debian(runner, ignore) == base_image.LOCAL_IMAGE
    assert made == [runner.log]


def test_an_own_base_that_cannot_be_pulled_is_named(
    runner: RecordingRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_BASE_IMAGE", "registry.example/debian:12")
    with pytest.raises(SetupError, match=r"registry\.example/debian:12"):
        base_image.ensure_debian(runner, ignore)
