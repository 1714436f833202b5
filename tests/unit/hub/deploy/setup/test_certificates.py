from __future__ import annotations

from typing import TYPE_CHECKING

from hub.deploy.setup import certificates

if TYPE_CHECKING:
    from pathlib import Path


def test_the_operators_bundle_comes_before_the_systems(tmp_path: Path) -> None:
    own, system = tmp_path / "own.pem", tmp_path / "system.pem"
    own.touch()
    system.touch()
    assert certificates.find_bundle({"SSL_CERT_FILE": str(own)}, [system]) == own
    assert certificates.find_bundle({"SSL_CERT_FILE": str(tmp_path / "absent")}, [system]) == system
    assert certificates.find_bundle({}, [system]) == system
    assert certificates.find_bundle({}, []) is None


def test_what_the_operator_set_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.touch()
    environment = certificates.download_environment({"SSL_CERT_FILE": str(own), "PIP_CERT": "/theirs.pem"})
    assert environment == {"NODE_EXTRA_CA_CERTS": str(own)}
