"""A person's container behind a real hub: how it starts, what it holds, what its token may do, what survives."""

from __future__ import annotations

from typing import Any

import docker
import pytest

from hub.deploy import firewall, network
from hub.deploy.naming import container_name, volume_name
from hub.people.models import Role
from tests.doubles.hub_client import HubClient
from tests.integration.hub.deploy.conftest import RunningHub, wait_for

pytestmark = pytest.mark.integration

Workspace = tuple[HubClient, docker.models.containers.Container]

JUPYTERHUBS_OWN = (
    "JUPYTERHUB_", "JPY_API_TOKEN", "MEM_LIMIT", "CPU_LIMIT", "JUPYTER_IMAGE_SPEC",
)  # fmt: skip


@pytest.fixture(scope="module")
def workspace(running_hub: RunningHub) -> Workspace:
    return running_hub.spawned("learner1")


def environment(container: docker.models.containers.Container) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])


def own_token(hub: RunningHub, container: docker.models.containers.Container) -> str:
    return environment(container)["JUPYTERHUB_API_TOKEN"]


def test_the_link_starts_the_server_and_lands_where_it_says(
    running_hub: RunningHub, workspace: Workspace
) -> None:
    client, _ = workspace
    answer = client.get("/hub/spawn/learner1?next=/user/learner1/lab/tree/somewhere", follow=10)
    assert answer.status == 200
    assert answer.url.startswith(f"http://learner1.{running_hub.settings.host}:")
    assert "/user/learner1/lab/tree/somewhere" in answer.url


@pytest.mark.parametrize(
    "target", ["https://evil.example.org/", "//evil.example.org/", "/\\evil.example.org"]
)
def test_the_link_leads_nowhere_else(running_hub: RunningHub, workspace: Workspace, target: str) -> None:
    client, _ = workspace
    answer = client.get(f"/hub/spawn/learner1?next={target}")
    assert answer.location.split("/")[2].endswith(f"{running_hub.settings.host}:{running_hub.settings.port}")


def test_the_names_say_nothing_and_the_labels_say_whose_it_is(
    running_hub: RunningHub, workspace: Workspace
) -> None:
    _, container = workspace
    assert container.name == container_name(running_hub.settings, "learner1")
    assert container.labels["atelier.person"] == "learner1"
    assert container.labels["atelier.role"] == "learner"
    (home,) = [mount for mount in container.attrs["Mounts"] if mount["Destination"] == "/home/learner"]
    assert home["Name"] == volume_name(running_hub.settings, "learner1")


def test_the_real_container_has_every_flag(running_hub: RunningHub, workspace: Workspace) -> None:
    host_config = workspace[1].attrs["HostConfig"]
    assert host_config["CapDrop"] == ["ALL"]
    assert not host_config["CapAdd"]
    assert host_config["SecurityOpt"] == ["no-new-privileges"]
    assert host_config["ReadonlyRootfs"]
    assert not host_config["Privileged"]
    assert host_config["PidsLimit"] == running_hub.settings.learner_pids
    assert host_config["Memory"] == host_config["MemorySwap"] == running_hub.settings.learner_memory
    assert host_config["CpuQuota"] == 100_000
    assert host_config["NetworkMode"] == f"{running_hub.settings.instance}-learners"
    assert host_config["AutoRemove"]
    assert host_config["Init"]
    assert workspace[1].attrs["Config"]["User"] == "1000:1000"
    assert not any("docker.sock" in bind for bind in host_config["Binds"])
    assert len(host_config["Binds"]) == 2


def test_its_environment_is_the_images_the_hubs_and_ours(
    running_hub: RunningHub, workspace: Workspace
) -> None:
    _, container = workspace
    images = dict(entry.split("=", 1) for entry in container.image.attrs["Config"]["Env"])
    found = {
        name: value
        for name, value in environment(container).items()
        if name not in images and not name.startswith(JUPYTERHUBS_OWN)
    }
    assert found == {
        "ATELIER_API_URL": running_hub.settings.internal_service_url + "api/",
        "ATELIER_LANGUAGE": "fr",
        "ATELIER_PAGES_URL": running_hub.settings.service_url,
        "ATELIER_ROLE": "learner",
        "ATELIER_SUBMISSION_MAX_BYTES": str(running_hub.settings.submission_max_bytes),
    }


def test_its_token_says_whose_it_is_and_what_for(running_hub: RunningHub, workspace: Workspace) -> None:
    model = running_hub.api(own_token(running_hub, workspace[1]), "GET", "user").json()
    assert model["name"] == "learner1"
    assert set(model["scopes"]) == {
        "access:services!service=atelier",
        "read:users:name!user=learner1",
        "users:activity!user=learner1",
        "read:users:activity!user=learner1",
        "access:servers!server=learner1/",
        "custom:atelier:exchange",
        "read:users:groups!user=learner1",  # JupyterHub adds it: everybody may know their own groups
    }
    assert "servers" not in model


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users", None),
        ("GET", "users/learner2", None),
        ("GET", "users/trainer1", None),
        ("GET", "groups", None),
        ("GET", "groups/learner", None),
        ("GET", "services", None),
        ("GET", "services/atelier", None),
        ("GET", "proxy", None),
        ("GET", "info", None),
        ("GET", "shares/learner1", None),
        ("GET", "users/learner1/tokens", None),
        ("POST", "users/learner1/tokens", {"note": "mine"}),
        ("POST", "users/learner1/tokens", {"scopes": ["servers!user"]}),
        ("POST", "users/learner2/tokens", {"note": "theirs"}),
        ("POST", "users/learner1/server", {}),
        ("DELETE", "users/learner1/server", None),
        ("POST", "users/learner1/servers/second", {}),
        ("POST", "users/learner2/server", {}),
        ("DELETE", "users/learner2/server", None),
        ("POST", "users/newcomer", {}),
        ("POST", "users", {"usernames": ["newcomer"]}),
        ("PATCH", "users/learner1", {"admin": True}),
        ("PATCH", "users/learner1", {"name": "trainer1"}),
        ("DELETE", "users/learner2", None),
        ("POST", "users/learner2/activity", {"last_activity": "2030-01-01T00:00:00Z"}),
        ("POST", "groups/trainer/users", {"users": ["learner1"]}),
        ("PUT", "groups/learner/properties", {}),
        ("POST", "shares/learner1/", {"user": "learner2"}),
        ("POST", "proxy", None),
        ("PATCH", "proxy", {"api_url": "http://10.0.0.1"}),
        ("POST", "shutdown", {}),
    ],
)
def test_its_token_may_do_nothing_else(
    running_hub: RunningHub, workspace: Workspace, method: str, path: str, body: Any
) -> None:
    answer = running_hub.api(own_token(running_hub, workspace[1]), method, path, body)
    assert answer.status in (403, 404), answer.text


def test_a_learners_own_token_may_not_reach_others_either(running_hub: RunningHub) -> None:
    client = running_hub.signed_in("learner2")
    made = client.call("POST", "users/learner2/tokens", {})
    assert made.status == 201, made.text
    token = made.json()["token"]
    assert running_hub.api(token, "GET", "users/learner2").status == 200
    for method, path in (
        ("GET", "users"),
        ("GET", "users/learner1"),
        ("POST", "users/learner1/server"),
        ("GET", "groups"),
    ):
        assert running_hub.api(token, method, path).status in (403, 404), path


def test_another_learner_does_not_get_in(running_hub: RunningHub, workspace: Workspace) -> None:
    other = running_hub.signed_in("learner2")
    host = f"http://learner1.{running_hub.settings.host}:{running_hub.settings.port}"
    for path in ("/user/learner1/lab", "/user/learner1/api/contents", "/user/learner1/files/.bashrc"):
        answer = other.get(host + path, follow=8)
        assert answer.status in (403, 404), (path, answer.status)


def test_a_service_token_reads_and_does_no_more(running_hub: RunningHub, workspace: Workspace) -> None:
    token = running_hub.settings.secret("service-token")
    listed = {user["name"]: user for user in running_hub.api(token, "GET", "users").json()}
    assert listed["learner1"]["servers"][""]["ready"]
    for method, path in (
        ("POST", "users/learner1/server"), ("DELETE", "users/learner1/server"), ("POST", "users/learner1/tokens"),
        ("POST", "users/newcomer"), ("POST", "groups/newgroup"), ("POST", "groups/admin/users"), ("POST", "shutdown"),
    ):  # fmt: skip
        assert running_hub.api(token, method, path, {}).status in (403, 404), path
    host = f"http://learner1.{running_hub.settings.host}:{running_hub.settings.port}"
    answer = running_hub.client().get(
        f"{host}/user/learner1/api/contents", {"Authorization": f"token {token}"}
    )
    assert answer.status in (302, 403)


def test_a_restart_of_the_hub_keeps_the_server_and_the_session(
    running_hub: RunningHub, workspace: Workspace
) -> None:
    client, container = workspace
    running_hub.stop()
    running_hub.start()
    answer = wait_for(
        lambda: (
            (found := client.get("/hub/spawn/learner1?next=/user/learner1/lab", follow=10)).status == 200
            and found
        ),
        "the server is there after the restart",
    )
    assert answer.url.split("?")[0].endswith("/user/learner1/lab")
    assert running_hub.container("learner1").id == container.id


def test_what_a_person_sends_along_changes_nothing(running_hub: RunningHub) -> None:
    client = running_hub.signed_in("learner3")
    wishes = {
        "image": "debian:bookworm",
        "mem_limit": "64G",
        "profile": "trainer",
        "user_options": {"image": "debian:bookworm"},
    }
    answer = client.call("POST", "users/learner3/server", wishes)
    assert answer.status in (201, 202), answer.text
    container = wait_for(lambda: running_hub.containers("learner3"), "it runs")[0]
    assert container.attrs["Config"]["Image"] == running_hub.settings.learner_image
    assert container.attrs["HostConfig"]["Memory"] == running_hub.settings.learner_memory


def test_a_home_survives_its_container(running_hub: RunningHub) -> None:
    client, container = running_hub.spawned("learner2")
    assert container.exec_run(["sh", "-c", "echo work > ~/kept; echo gone > /tmp/gone"]).exit_code == 0
    wait_for(lambda: client.call("DELETE", "users/learner2/server").status in (202, 204), "it stops")
    wait_for(lambda: not running_hub.containers("learner2"), "it is gone")
    client, again = running_hub.spawned("learner2")
    assert again.id != container.id
    assert again.exec_run(["cat", "/home/learner/kept"]).output == b"work\n"
    assert again.exec_run(["test", "-e", "/tmp/gone"]).exit_code == 1


def test_a_trainers_server_may_frame_its_own_pages(running_hub: RunningHub) -> None:
    client, container = running_hub.spawned("trainer1")
    host = f"http://trainer1.{running_hub.settings.host}:{running_hub.settings.port}"
    answer = client.get(f"{host}/user/trainer1/lab", follow=8)
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert environment(container)["ATELIER_ROLE"] == "trainer"
    assert container.attrs["HostConfig"]["Memory"] > running_hub.settings.learner_memory


def test_without_the_guard_nothing_starts_and_the_person_is_told(running_hub: RunningHub) -> None:
    running_hub.add_person("unlucky", Role.MENTOR)
    client = running_hub.signed_in("unlucky")
    firewall.remove_guard(running_hub.settings)
    try:
        answer = client.get("/hub/spawn/unlucky")
        assert "could not be started (guard_missing)" in answer.text
        assert "your work is safe" in answer.text
        assert not running_hub.containers("unlucky")
    finally:
        network.ensure_network(running_hub.settings)
    assert "Type: atelier network up" in running_hub.log.read_text(encoding="utf-8", errors="replace")


def test_somebody_deactivated_loses_the_token_of_a_running_server(running_hub: RunningHub) -> None:
    leaver = running_hub.add_person("leaver", Role.MENTOR)
    _, container = running_hub.spawned("leaver")
    token = own_token(running_hub, container)
    assert running_hub.api(token, "GET", "user").status == 200
    running_hub.people.set_active(leaver.id, active=False)
    wait_for(lambda: running_hub.api(token, "GET", "user").status in (401, 403), "the token is refused", 40)
