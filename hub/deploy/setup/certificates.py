"""The certificate authorities that this machine trusts, for downloads behind a company's proxy.

Called by venv.py, node.py (as environment) and images.py (as a build input that stays out of the image).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
"""Where people name their bundle, in the order of trust."""

SYSTEM_BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))


def find_bundle(
    environ: Mapping[str, str] = os.environ, system_bundles: Sequence[Path] = SYSTEM_BUNDLES
) -> Path | None:
    """Return the bundle that this machine's downloads use, or None where the tools' own must do."""
    named = [Path(environ[name]) for name in VARIABLES if environ.get(name)]
    return next((path for path in [*named, *system_bundles] if path.is_file()), None)


def download_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that make pip and npm trust the bundle, unless the operator set them already."""
    bundle = find_bundle(environ)
    if bundle is None:
        return {}
    wanted = {"PIP_CERT": str(bundle), "NODE_EXTRA_CA_CERTS": str(bundle)}
    return {name: value for name, value in wanted.items() if not environ.get(name)}
