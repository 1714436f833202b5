#!/bin/sh
# Proves a freshly built learner image under the limits that a learner's container has. Called by set-up: smoke.sh IMAGE
set -eu
image="$1"

in_container() {
    docker run --rm --network none --cap-drop ALL --security-opt no-new-privileges --pids-limit 256 --memory 1g \
        --tmpfs /tmp "$image" "$@"
}

in_container python3 -c '
import os
import bs4, html5lib, matplotlib, nbgrader, numpy, pandas, tinycss2
import hub.exchange
assert os.getuid() == 1000, os.getuid()
assert not os.access("/opt/venv", os.W_OK) and not os.access("/opt/atelier", os.W_OK)
assert not os.path.exists("/build"), "the build stage leaked into the image"
'
in_container jupyterhub-singleuser --version
in_container jupyter labextension list 2>&1 | grep --quiet nbgrader
in_container sh -c 'echo kept > /home/learner/probe && test -s /home/learner/probe'
