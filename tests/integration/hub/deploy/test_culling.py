"""Idle workspaces are stopped. On a hub of its own: an impatient culler stops everybody's."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from hub.deploy.culling import culler_service
from tests.integration.hub.deploy.conftest import started_hub, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.hub.deploy.conftest import RunningHub

pytestmark = pytest.mark.integration


@pytest.fixture
def lonely_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with started_hub(tmp_path_factory.mktemp("lonely")) as hub:
        yield hub


def test_the_culler_stops_what_is_idle_and_may_do_no_more(lonely_hub: RunningHub) -> None:
    settings = lonely_hub.settings
    lonely_hub.spawned("learner1")
    token = settings.secret("culler-token")
    for method, path in (
        ("POST", "users/learner1/server"),
        ("POST", "users/newcomer"),
        ("POST", "users/learner1/tokens"),
    ):
        assert lonely_hub.api(token, method, path, {}).status in (403, 404), path
    # the hub's own culler waits an hour: this is the same command, less patient
    command = culler_service(settings.model_copy(update={"idle_cull": 1}))["command"]
    culler = subprocess.Popen(
        command,
        env={
            "JUPYTERHUB_API_TOKEN": token,
            "JUPYTERHUB_API_URL": settings.internal_hub_api_url,
            "JUPYTERHUB_BASE_URL": "/",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: not lonely_hub.containers("learner1"), "the idle workspace is stopped")
    finally:
        culler.terminate()
        culler.wait(30)
