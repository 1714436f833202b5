"""The front door: guessing, listening for names, staying after being shut out, being led elsewhere, asking for odd paths."""

from __future__ import annotations

import http.client
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from tests.attacks.platform import cast
from tests.attacks.platform.cast import Program, wait_for
from tests.doubles.hub_client import Answer, HubClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.service import Services
    from hub.settings import Settings
    from tests.attacks.platform.conftest import AddPerson, SignedIn
    from tests.running_platform import Platform

pytestmark = pytest.mark.attacks

PROMISED_S = 45
"""Fifteen seconds at the hub, and the service's own cache of thirty."""

INSIDES = (
    "Traceback (most recent",
    'File "/',
    "site-packages",
    "/work/",
    ".py&#34;",
    "sqlalchemy",
    "sqlite://",
)


def try_to_sign_in(platform: Platform, name: str, password: str) -> Answer:
    return HubClient(platform.url).sign_in(name, password)


def is_in(answer: Answer) -> bool:
    return answer.status == 302 and "/hub/login" not in answer.location


def csrf_of(platform: Platform, client: HubClient) -> str:
    return client.get(platform.page_url("path")).text.split('name="csrf" value="')[1].split('"')[0]


def from_our_page(platform: Platform) -> dict[str, str]:
    return {"Origin": platform.service_url.split("/services")[0], "Sec-Fetch-Site": "same-origin"}


def visible_text(answer: Answer, name: str) -> str:
    """Return a page without what differs from one visit to the next."""
    text = re.sub(r'name="_xsrf" value="[^"]*"|_xsrf=[\w%|:"-]+|xsrf_token: "[^"]*"', "", answer.text)
    return re.sub(r"\s+", " ", text.replace(name, "NAME"))


@pytest.mark.parametrize("name", ["guessed", f"nobody-{secrets.token_hex(3)}"], ids=["known", "unknown"])
def test_guessing_is_throttled_for_names_that_exist_and_that_do_not(
    platform: Platform, settings_of_platform: Settings, add_person: AddPerson, name: str
) -> None:
    password = add_person("guessed")
    wrong = [
        try_to_sign_in(platform, name, f"wrong-{attempt}")
        for attempt in range(settings_of_platform.sign_in_max_failures)
    ]
    assert {answer.status for answer in wrong} == {403}
    throttled = try_to_sign_in(platform, name, password)
    assert throttled.status == 429, "the right password is of no use now"
    assert "session" not in str(throttled.headers.get_all("Set-Cookie")) or not is_in(throttled)
    assert "Too many" in throttled.text
    assert password not in throttled.text


def test_another_name_is_not_throttled_with_it(platform: Platform, add_person: AddPerson) -> None:
    assert is_in(try_to_sign_in(platform, "bystander", add_person("bystander")))


def test_names_can_not_be_told_apart(platform: Platform, state: Services, add_person: AddPerson) -> None:
    add_person("known")
    add_person("gone")
    state.people.set_active(state.people.by_name("gone").id, active=False)
    pages = []
    for name in ("known", "unknown", "gone"):
        answer = try_to_sign_in(platform, name, "wrong-password")
        pages.append((answer.status, visible_text(answer, name)))
    assert pages[0] == pages[1] == pages[2]
    assert not is_in(try_to_sign_in(platform, "gone", platform.passwords["gone"]))


@pytest.mark.parametrize(
    "name",
    ["victor'--", "victor\x00", "../victor", "v\u0131ctor", "VICTOR ", "x" * 5000, "", "victor%", "{{7*7}}"],
)
def test_odd_names_are_nobody(platform: Platform, people: dict[str, int], name: str) -> None:
    answer = try_to_sign_in(platform, name, "wrong-password-1")
    assert answer.status in (400, 403, 429)
    assert not any(inside in answer.text for inside in INSIDES)


def test_who_is_shut_out_or_signs_out_is_out_everywhere(
    platform: Platform,
    state: Services,
    people: dict[str, int],
    add_person: AddPerson,
    secrets_used: dict[str, str],
) -> None:
    clients = {}
    for name in ("leaver", "parting"):
        clients[name] = HubClient(platform.url)
        assert is_in(clients[name].sign_in(name, add_person(name)))
        assert clients[name].get(platform.page_url("path"), follow=10).status == 200
    leaver, thief = (
        clients["leaver"],
        HubClient(platform.url, {host: dict(jar) for host, jar in clients["parting"].cookies.items()}),
    )
    token = leaver.call("POST", "users/leaver/tokens", {"note": "kept"}).json()["token"]
    secrets_used["token of somebody deactivated"] = token
    program = Program(platform, token)
    assert program.call("GET", "me").status == 200
    assert thief.get(platform.page_url("path")).status == 200, "a copy of the session is one"

    state.people.set_active(state.people.by_name("leaver").id, active=False)
    form = {"csrf": csrf_of(platform, clients["parting"])}
    answer = clients["parting"].request("POST", platform.page_url("sign-out"), form, from_our_page(platform))
    clients["parting"].get(answer.location, follow=5)

    wait_for(lambda: program.call("GET", "me").status == 401, "the API refuses", PROMISED_S)
    wait_for(
        lambda: leaver.get(platform.page_url("path")).status in (302, 401, 403),
        "the pages refuse",
        PROMISED_S,
    )
    wait_for(
        lambda: program.ask_hub("GET", "users/leaver").status in (401, 403), "the hub refuses", PROMISED_S
    )
    assert "Leaver" not in leaver.get(platform.page_url("path"), follow=10).text
    assert leaver.call("POST", "users/leaver/server").status in (401, 403)
    assert not is_in(try_to_sign_in(platform, "leaver", platform.passwords["leaver"]))
    wait_for(
        lambda: thief.get(platform.page_url("path")).status == 302,
        "a copy of the session is worthless",
        PROMISED_S,
    )


ELSEWHERE = (
    "//evil.example", "///evil.example", "////evil.example/..", "https://evil.example", "http:evil.example", "/\\evil.example",
    "\\\\evil.example", "/%09/evil.example", "/\t/evil.example", "javascript:alert(1)", "data:text/html,x", "//evil.example%2f..",
    "/hub//evil.example", "//atelier.localhost@evil.example", "http://atelier.localhost.evil.example", "/services/atelier//evil.example",
    "/services/atelier/..//evil.example", "/user/mallory//evil.example", "/.evil.example",
)  # fmt: skip


def stays(platform: Platform, location: str) -> bool:
    """Say whether a browser that is sent there stays with the platform."""
    plain = re.sub(r"[\t\r\n]", "", location).replace("\\", "/")
    parts = urlsplit(plain)
    own = str(urlsplit(platform.url).hostname)
    return parts.scheme in ("http", "") and (
        parts.hostname is None or f".{parts.hostname}".endswith(f".{own}")
    )


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_elsewhere(platform: Platform, signed_in: SignedIn, target: str) -> None:
    encoded = quote(target, safe="")
    visitor, member = HubClient(platform.url), signed_in(cast.VICTIM)
    answers = [
        visitor.sign_in(cast.VICTIM, platform.passwords[cast.VICTIM], target),
        member.get(f"/hub/login?next={encoded}"),
        member.get(f"/hub/spawn/{cast.TRAINER}?next={encoded}"),
        member.get(f"/hub/user-redirect/lab?next={encoded}"),
        visitor.get(f"/hub/logout?next={encoded}"),
        member.get(f"{platform.service_url}?next={encoded}"),
        member.get(f"{platform.service_url}oauth_callback?state=x&code=y&next={encoded}"),
        member.get(f"{platform.url}/services/atelier/{target}")
        if target.isprintable() and " " not in target
        else None,
    ]
    form = {"csrf": csrf_of(platform, member), "language": "en", "next": target}
    answers.append(member.request("POST", platform.page_url("language"), form, from_our_page(platform)))
    for answer in answers:
        if answer is not None and answer.headers["Location"]:
            assert stays(platform, answer.headers["Location"]), (answer.url, answer.headers["Location"])
            assert stays(platform, answer.location), (answer.url, answer.location)


def raw(
    platform: Platform, base: str, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """Ask for exactly this path."""
    parts = urlsplit(base)
    caller = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
    try:
        caller.putrequest(method, path, skip_host=True)
        for name, value in {"Host": parts.netloc, **(headers or {})}.items():
            caller.putheader(name, value)
        caller.endheaders()
        answer = caller.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        caller.close()


CLIMBS = ("../auth.py", "../../hub/auth.py", "..%2f..%2fauth.py", "%2e%2e/%2e%2e/auth.py", "....//....//auth.py", "..%5c..%5cauth.py",
          "%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd", "//etc/passwd", "/etc/passwd", "css/../../render.py", "css/..%2f..%2f..%2frender.py",
          "%252e%252e/auth.py", "x%00.css", "css", "css/", "", "..;/auth.py", "css/atelier.css/../../../render.py")  # fmt: skip


@pytest.mark.parametrize("climb", CLIMBS)
def test_static_files_are_the_only_files(platform: Platform, climb: str) -> None:
    for base, prefix in (
        (platform.service_url, "/services/atelier/static/"),
        (platform.url, "/hub/static/"),
        (platform.url, "/hub/atelier-static/"),
    ):
        status, text = raw(platform, base, prefix + climb)
        assert status < 500 or (prefix != "/services/atelier/static/" and "%00" in climb), (prefix, status)
        assert "HubOAuth" not in text
        assert "import annotations" not in text
        assert "root:x:" not in text
        assert not any(inside in text for inside in INSIDES)


ODD_PATHS = (
    "%ff", "%00", "exercises/%ff/x", "exercises/attacks/greeting?attempt=99999999999999999999999", "exercises/attacks/greeting?attempt=-1",
    "exercises/attacks/greeting?attempt=x", "exercises/attacks/..%2f..", "exercises/<script>/x", "submissions/%00", "submissions/" + "x" * 3000,
    "submissions/1'%20OR%20'1'='1", "events?person=x", "events?assignment=x", "mentor/learners/%00",
    "path?language=../../x", "oauth_callback", "oauth_callback?code=%00&state=%00", "oauth_callback?code=a&state=%ff", "api", "api/", "api/nothing",
    "api/me", "api/submissions/%00", "api/openapi.json", "nothing/at/all", "admin/people?q=%00%ff", "trainer/submissions?page=9999999999999999999999",
)  # fmt: skip


@pytest.mark.parametrize("path", ODD_PATHS)
def test_errors_show_nothing_of_the_inside(platform: Platform, signed_in: SignedIn, path: str) -> None:
    for name in (cast.VICTIM, cast.TRAINER, cast.ADMIN):
        client = signed_in(name)
        for method in ("GET", "POST", "DELETE", "PUT"):
            cookie = client._cookie_header(str(urlsplit(platform.service_url).hostname), "/")
            status, text = raw(
                platform,
                platform.service_url,
                urlsplit(platform.service_url).path + path,
                method,
                {"Cookie": cookie},
            )
            assert status < 500 or "%ff" in path, (
                name,
                method,
                path,
                text[:300],
            )  # the proxy refuses these itself
            assert not any(inside in text for inside in INSIDES), (name, method, path)


@pytest.mark.parametrize(
    "value", ["", "x", "gAAAAA", "x" * 6000, '"; Path=/', "\u00ff\u00fe", "a=b; __Host-atelier-session=c"]
)
def test_a_forged_session_is_no_session(platform: Platform, people: dict[str, int], value: str) -> None:
    status, text = raw(
        platform,
        platform.service_url,
        "/services/atelier/path",
        headers={"Cookie": f"__Host-atelier-session={value}"},
    )
    assert status in (302, 400, 431)
    assert not any(inside in text for inside in INSIDES)


def test_the_hubs_errors_show_nothing_either(platform: Platform, signed_in: SignedIn) -> None:
    client = signed_in(cast.VICTIM)
    for path in ("/hub/nothing", "/hub/%ff", "/hub/%00", "/user/nobody/lab", f"/user/{cast.TRAINER}/lab", "/hub/api/nothing", "/hub/admin",
                 "/hub/spawn/nobody", "/hub/error/500", "/hub/oauth_login?x=%ff", "/hub/api/oauth2/authorize?client_id=x"):  # fmt: skip
        answer = client.get(path)
        assert answer.status < 500 or path.endswith(("/500", "/%ff")), (path, answer.status)
        assert not any(inside in answer.text for inside in INSIDES), path


def test_a_token_in_an_address_is_worth_nothing(
    platform: Platform, program: Callable[[str], Program]
) -> None:
    token = program(cast.VICTIM).token
    for base in (
        platform.service_url,
        platform.service_url + "api/me",
        platform.url + "/hub/home",
        platform.url + "/hub/api/user",
    ):
        answer = HubClient(platform.url).get(f"{base}?token={token}")
        assert "Victor" not in answer.text
        assert answer.status in (302, 401, 403), base
