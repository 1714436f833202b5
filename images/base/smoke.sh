#!/bin/sh
# Proves that a freshly built base image has what the others build on. Called by set-up: smoke.sh IMAGE
set -eu
image="$1"

docker run --rm --network none "$image" python3 -c '
import ssl, sys, venv
assert sys.version_info[:2] >= (3, 11), sys.version
assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 0, "no certificate authorities"
'
