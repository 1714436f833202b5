#!/bin/sh
# Proves a freshly built grader image under the limits that a sandbox has. Called by set-up: smoke.sh IMAGE
set -eu
image="$1"

docker run --rm --network none --read-only --cap-drop ALL --cap-add SETUID --cap-add SETGID --security-opt no-new-privileges \
    --pids-limit 128 --memory 1g --tmpfs /tmp --tmpfs /work --entrypoint /opt/venv/bin/python3 "$image" -I -c '
import os, pwd, sys
import IPython, bs4, cssselect2, html5lib, matplotlib, numpy, pandas, pyarrow, tinycss2
import graders.inside
assert graders.inside.__file__.startswith("/opt/atelier/"), graders.inside.__file__
assert (pwd.getpwnam("learner").pw_uid, pwd.getpwnam("checker").pw_uid) == (10001, 10002)
assert not os.path.exists("/build"), "the build stage leaked into the image"
assert os.listdir("/opt/atelier/matplotlib"), "no font list"
os.setgid(10001), os.setuid(10001)
for path in ("/opt/venv", "/opt/atelier", "/etc"):
    assert not os.access(path, os.W_OK), path
'
