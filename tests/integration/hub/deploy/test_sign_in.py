"""Signing in at a real hub, over the real proxy; no containers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub.people.models import Role
from hub.settings import ROOT
from tests.integration.hub.deploy.conftest import RunningHub, wait_for

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "path", ["/", "/services/atelier/", "/services/atelier", "/services/atelier/path?x=1&y=a%2Fb"]
)
def test_the_bare_paths_lead_to_the_services_own_host(running_hub: RunningHub, path: str) -> None:
    client = running_hub.client()
    answer = client.get(path)
    while answer.location.startswith(running_hub.settings.url) and answer.status in (301, 302):
        answer = client.get(answer.location)
    rest = path.removeprefix("/services/atelier").lstrip("/")
    assert answer.status == 302
    assert answer.location == running_hub.settings.service_url + rest


def test_a_redirect_stays_on_the_services_host(running_hub: RunningHub) -> None:
    for path in ("//evil.example.org/", "%2F%2Fevil.example.org/", "..%2F..%2Fhub/"):
        answer = running_hub.client().get(f"/hub/services/atelier/{path}")
        assert not answer.headers["Location"] or answer.location.startswith(
            running_hub.settings.service_origin + "/"
        )


def test_right_password_leads_to_the_pages(running_hub: RunningHub) -> None:
    answer = running_hub.client().sign_in("learner1", running_hub.passwords["learner1"])
    assert (answer.status, answer.location) == (302, running_hub.settings.service_url)


@pytest.mark.parametrize(
    ("name", "password"), [("learner1", "wrong"), ("nobody", "wrong"), ("", ""), ("learner1", "")]
)
def test_wrong_ones_do_not(running_hub: RunningHub, name: str, password: str) -> None:
    client = running_hub.client()
    answer = client.sign_in(name, password)
    assert answer.status == 403
    assert "This name and this password do not belong together" in answer.text
    assert client.get("/hub/home").status == 302


def test_too_many_are_told_to_wait(running_hub: RunningHub) -> None:
    client = running_hub.client()
    for _ in range(running_hub.settings.sign_in_max_failures):
        assert client.sign_in("throttled", "wrong").status == 403
    answer = client.sign_in("throttled", "wrong")
    assert answer.status == 429
    assert "Too many failed sign-ins. Please wait 5 minutes" in answer.text
    client.cookies[running_hub.settings.host]["atelier-language"] = ("fr", "/")
    assert "Attendez 5 minutes et réessayez" in client.sign_in("throttled", "wrong").text
    assert 'name="password"' in answer.text


def test_somebody_whom_the_hub_knows_but_the_table_does_not_stays_out(running_hub: RunningHub) -> None:
    gone = running_hub.add_person("gone", Role.LEARNER)
    client = running_hub.signed_in("gone")
    assert client.get("/hub/home").status == 200
    running_hub.people.set_active(gone.id, active=False)
    wait_for(lambda: client.get("/hub/home").status == 302, "the session has ended", 40)
    assert running_hub.client().sign_in("gone", running_hub.passwords["gone"]).status == 403


def test_a_change_of_role_changes_the_groups(running_hub: RunningHub) -> None:
    people = running_hub.people
    running_hub.add_person("climber", Role.LEARNER)
    client = running_hub.signed_in("climber")
    assert client.call("GET", "user").json()["groups"] == ["learner"]
    with people._database.transaction() as session:
        person = people.by_name("climber")
        person.role = Role.MENTOR
        session.merge(person)
    wait_for(lambda: client.call("GET", "user").json()["groups"] == ["mentor"], "the group has changed", 40)


def test_cookies_can_not_be_set_from_a_learners_host(running_hub: RunningHub) -> None:
    client = running_hub.signed_in("learner1")
    names = set(client.cookies[running_hub.settings.host])
    assert "__Host-jupyterhub-hub-login" in names
    tossed = running_hub.client()
    tossed.cookies[f".{running_hub.settings.host}"] = {
        "jupyterhub-hub-login": client.cookies[running_hub.settings.host]["__Host-jupyterhub-hub-login"]
    }
    assert tossed.get("/hub/home").status == 302


def test_pages_can_not_be_framed(running_hub: RunningHub) -> None:
    headers = running_hub.client().get("/hub/login").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_admin_has_no_workspace_and_does_not_become_one(running_hub: RunningHub) -> None:
    client = running_hub.signed_in("admin1")
    assert client.get("/hub/admin").status == 200
    assert client.get("/hub/spawn/admin1").status in (403, 404)
    assert client.get("/hub/spawn/learner1").status in (403, 404)
    assert client.call("GET", "user").json()["admin"] is False


@pytest.mark.parametrize("name", ["learner1", "trainer1", "mentor1"])
def test_nobody_else_sees_the_admins_page_or_another_person(running_hub: RunningHub, name: str) -> None:
    client = running_hub.signed_in(name)
    assert client.get("/hub/admin").status in (403, 404)
    assert client.get("/hub/spawn/learner2").status == 404
    for path in ("users", "users/learner2", "groups", "services", "info", "proxy"):
        assert client.call("GET", path).status in (403, 404), path


def test_it_refuses_to_start_where_passwords_would_go_in_the_clear(running_hub: RunningHub) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyterhub", f"--config={ROOT / 'config' / 'jupyterhub_config.py'}"],
        env={
            "PATH": "/usr/bin:/bin",
            "ATELIER_STATE_DIR": str(running_hub.settings.state_dir),
            "ATELIER_BIND_IP": "0.0.0.0",  # noqa: S104 - that is what it must refuse
        },
        cwd=running_hub.settings.state_dir,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Refusing to listen on 0.0.0.0 without TLS" in done.stdout + done.stderr
