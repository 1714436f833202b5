"""What a hostile page on a learner's subdomain can do to somebody who is signed in and opens it. In a real browser.

Such a page is same-site with ours: cookies travel with what it sends, so nothing here is the browser's merit alone.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Error, Page

from tests.attacks.platform import cast
from tests.attacks.platform.cast import Workspace, wait_for
from tests.doubles.hub_client import HubClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from hub.service import Services
    from tests.attacks.platform.conftest import SignedIn, Submitted
    from tests.attacks.platform.hostile import HostileSite
    from tests.running_platform import Platform, SignIn

pytestmark = pytest.mark.attacks

SESSION = "__Host-atelier-session"
FORMS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (cast.TRAINER, "trainer/regrade", {"submission": "{id}"}),
    (cast.TRAINER, "language", {"language": "nl"}),
    (cast.TRAINER, "sign-out", {}),
    (cast.ADMIN, f"admin/people/{cast.VICTIM}/active", {"active": "false"}),
    (cast.ADMIN, f"admin/people/{cast.VICTIM}/password", {}),
    (cast.ADMIN, f"admin/people/{cast.ATTACKER}", {"display_name": "M", "role": "admin", "language": "en"}),
    (cast.ADMIN, "admin/people/new", {"name": "intruder", "display_name": "I", "role": "admin", "language": "en"}),
)  # fmt: skip
FETCH = """async ([url, body, type]) => {
  try { const answer = await fetch(url, {method: "POST", body, credentials: "include", mode: "no-cors",
                                         headers: {"Content-Type": type}});
        return answer.type }
  catch (error) { return String(error) } }"""
SEND_OWN = """async ([path, fields]) => {
  const body = new URLSearchParams(fields);
  body.set("csrf", document.querySelector("[name=csrf]").value);
  return (await fetch(path, {method: "POST", body, redirect: "manual"})).type }"""
READ = """async urls => Promise.all(urls.map(async url => {
  const found = [];
  for (const options of [{credentials: "include"}, {credentials: "include", mode: "no-cors"}])
    try { found.push((await (await fetch(url, options)).text()).slice(0, 300)) } catch (error) { found.push("") }
  return found.join("") }))"""


@pytest.fixture(scope="module")
def submission(submitted: Submitted) -> str:
    return submitted(cast.VICTIM, cast.work())


def is_signed_in(page: Page, platform: Platform, name: str) -> bool:
    page.goto(platform.service_url)
    return (
        page.url.startswith(platform.service_url)
        and cast.PEOPLE[name][0] in page.locator("header").inner_text()
    )


def session_of(page: Page) -> str:
    (value,) = [str(cookie["value"]) for cookie in page.context.cookies() if cookie["name"] == SESSION]
    return value


@pytest.mark.parametrize("name", [cast.TRAINER, cast.ADMIN])
def test_forms_and_fetches_change_nothing(
    platform: Platform,
    sign_in: SignIn,
    neighbour: HostileSite,
    submission: str,
    everything: Callable[[], dict[str, list[Any]]],
    name: str,
) -> None:
    victim = sign_in(name)
    session, before = session_of(victim), everything()
    page = victim.context.new_page()
    for whose, path, fields in FORMS:
        if whose != name:
            continue
        target = platform.page_url(path)
        sent = {key: value.format(id=submission) for key, value in fields.items()} | {"csrf": "guessed"}
        inputs = "".join(f'<input name="{key}" value="{value}">' for key, value in sent.items())
        for encoding in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
            form = f'<form method=post action="{target}" enctype="{encoding}">{inputs}</form>'
            page.goto(neighbour.page("form", form))
            with page.expect_response(target) as answered:
                page.evaluate("document.forms[0].submit()")
            page.wait_for_url(target)
            assert answered.value.status == 403, (path, encoding)
        page.goto(neighbour.page("fetch", ""))
        for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
            assert "Error" in page.evaluate(FETCH, [target, urlencode(sent), kind]), "the answer can be read"
    assert everything() == before
    assert session_of(victim) == session
    assert is_signed_in(victim, platform, name)


@pytest.mark.parametrize(("name", "path", "fields"), [FORMS[0], FORMS[1], FORMS[4]])
def test_the_same_requests_work_from_our_own_pages(
    platform: Platform,
    sign_in: SignIn,
    submission: str,
    everything: Callable[[], dict[str, list[Any]]],
    graded: Callable[[str], str],
    state: Services,
    name: str,
    path: str,
    fields: dict[str, str],
) -> None:
    """Without this the requests above could be refused for being wrong."""
    page, before = sign_in(name), everything()
    sent = {key: value.format(id=submission) for key, value in fields.items()}
    page.evaluate(SEND_OWN, [urlsplit(platform.page_url(path)).path, sent])
    assert everything() != before
    state.people.set_language(state.people.by_name(name).id, "en")
    graded(submission)


def test_a_page_of_the_learners_real_server_does_no_better(
    platform: Platform, sign_in: SignIn, workspace: Callable[[str], Workspace], state: Services
) -> None:
    inside = workspace(cast.ATTACKER)
    target = platform.page_url("language")
    inside.write(
        "trap.html",
        f'<script>fetch("{target}", {{method: "POST", credentials: "include", mode: "no-cors", '
        "body: new URLSearchParams({language: 'fr', csrf: 'x'})}).finally(() => { document.title = 'tried' })</script>",
    )
    page = sign_in(cast.ATTACKER)
    with page.expect_request(target):
        page.goto(platform.server_url(cast.ATTACKER, "files/trap.html"), wait_until="commit")
    wait_for(lambda: page.title() == "tried", "the trap has sprung", 20)
    assert state.people.by_name(cast.ATTACKER).language == "en"


def test_the_hub_takes_nothing_from_a_neighbour_either(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, signed_in: SignedIn
) -> None:
    victim = sign_in(cast.TRAINER)
    tokens = signed_in(cast.TRAINER).call("GET", f"users/{cast.TRAINER}/tokens").json()["api_tokens"]
    page = victim.context.new_page()
    page.goto(neighbour.page("hub", ""))
    for path, kind in (
        (f"users/{cast.TRAINER}/tokens", "text/plain"),
        (f"users/{cast.TRAINER}/tokens", "application/json"),
        (f"users/{cast.TRAINER}/server", "text/plain"),
    ):
        target = f"{platform.url}/hub/api/{path}"
        page.evaluate(FETCH, [target, "{}", kind])
        assert page.evaluate(READ, [target]) == [""]
    after = signed_in(cast.TRAINER).call("GET", f"users/{cast.TRAINER}/tokens").json()["api_tokens"]
    assert not {token["id"] for token in after if token["note"] != "attacks"} - {
        token["id"] for token in tokens
    }


def test_nothing_of_ours_can_be_read(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, submission: str
) -> None:
    page = sign_in(cast.TRAINER).context.new_page()
    page.goto(neighbour.page("read", ""))
    targets = [platform.page_url(path) for path in ("api/me", "trainer/overview", f"submissions/{submission}", "language",
                                                    "events", f"submissions/{submission}/feedback/greeting.html")]  # fmt: skip
    targets.append(f"{platform.url}/hub/home")
    assert page.evaluate(READ, targets) == [""] * len(targets)
    loaded = page.evaluate(
        """urls => Promise.all(urls.flatMap(url => ["script", "img", "link"].map(kind => new Promise(done => {
          const part = document.createElement(kind);
          part.onload = () => done(kind + " " + url); part.onerror = () => done("");
          if (kind === "link") { part.rel = "stylesheet"; part.href = url } else part.src = url;
          document.body.append(part) }))))""",
        [platform.page_url("static/css/atelier.css"), platform.page_url("static/img/logo.svg"), *targets[:3]],
    )
    assert not any(loaded), "a neighbour can load parts of ours, and so tell who is signed in"


def test_our_pages_can_not_be_framed(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, submission: str
) -> None:
    victim = sign_in(cast.TRAINER)
    ours = (platform.page_url("trainer/submissions"), platform.page_url(f"submissions/{submission}/feedback/greeting.html"),
            platform.page_url("static/img/logo.svg"), f"{platform.url}/hub/login", f"{platform.url}/hub/token")  # fmt: skip
    frames = "".join(f'<iframe src="{url}"></iframe>' for url in ours)
    page = victim.context.new_page()
    page.goto(neighbour.page("frames", frames), wait_until="load")
    assert len(page.frames) == len(ours) + 1
    for frame in page.frames[1:]:
        assert frame.url.startswith("chrome-error://"), f"{frame.url} is shown in a foreign frame"


def test_a_window_that_opened_ours_holds_nothing(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite
) -> None:
    page = sign_in(cast.TRAINER).context.new_page()
    page.goto(neighbour.page("opener", "<button>Free pizza</button>"))
    page.evaluate(
        "url => document.querySelector('button').onclick = () => { window.ours = window.open(url) }",
        platform.page_url("trainer/overview"),
    )
    with page.expect_popup() as popup:
        page.click("button")
    popup.value.wait_for_load_state()
    wait_for(lambda: page.evaluate("window.ours.closed"), "the handle is cut", 10)
    assert popup.value.evaluate("window.opener") is None
    page.evaluate("() => { try { window.ours.location = 'about:blank' } catch (error) {} }")
    assert popup.value.url == platform.page_url("trainer/overview")


def test_cookies_of_a_neighbour_replace_nothing(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, settings_of_platform: Any
) -> None:
    victim = sign_in(cast.TRAINER)
    session = session_of(victim)
    domain = f"Domain={settings_of_platform.host}"
    names = (SESSION, "__Host-atelier-state", "atelier-session", "_xsrf", "__Host-_xsrf", "jupyterhub-hub-login",
             "__Host-jupyterhub-hub-login", "jupyterhub-session-id", "__Host-jupyterhub-session-id", "atelier-language")  # fmt: skip
    page = victim.context.new_page()
    neighbour.headers = [
        ("Set-Cookie", f"{name}=evil; {domain}; Path=/{extra}")
        for name in names
        for extra in ("", "; Secure")
    ]
    try:
        page.goto(neighbour.page("cookies", ""))
        page.evaluate(
            "([names, domain]) => { for (const name of names) for (const path of ['/', '/services/', '/hub/'])"
            " document.cookie = `${name}=evil; ${domain}; Path=${path}; Secure` }",
            [names, domain],
        )
    finally:
        neighbour.headers = []
    planted = [cookie for cookie in victim.context.cookies() if cookie["value"] == "evil"]
    assert {cookie["name"] for cookie in planted} >= {"atelier-session", "_xsrf"}, (
        "the attack did not take place"
    )
    assert not [cookie["name"] for cookie in planted if str(cookie["name"]).startswith("__Host-")]
    assert session_of(victim) == session
    assert is_signed_in(victim, platform, cast.TRAINER)
    victim.evaluate(SEND_OWN, ["/services/atelier/language", {"language": "en"}])
    victim.goto(f"{platform.url}/hub/home")
    assert victim.url.startswith(f"{platform.url}/hub/home")


def test_signing_in_still_works_among_planted_cookies(
    platform: Platform, browser: Browser, people: dict[str, int], settings_of_platform: Any
) -> None:
    with browser.new_context() as context:
        context.add_cookies(
            [{"name": name, "value": "evil", "domain": f".{settings_of_platform.host}", "path": path}
             for name in ("_xsrf", "jupyterhub-session-id", "jupyterhub-hub-login", "service-atelier-oauth-state")
             for path in ("/", "/hub/", "/services/atelier/")]
        )  # fmt: skip
        page = context.new_page()
        page.goto(platform.url)
        page.locator("input[name=username]").fill(cast.TRAINER)
        page.locator("input[name=password]").fill(platform.passwords[cast.TRAINER])
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(re.compile(re.escape(platform.service_url)))


def test_nobody_is_signed_in_as_the_attacker(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, signed_in: SignedIn, browser: Browser
) -> None:
    """The attacker's own sign-in, handed to somebody else, would show the victim's next steps to the attacker."""
    with browser.new_context() as context:
        page = context.new_page()
        form = (
            f'<form method=post action="{platform.url}/hub/login"><input name=username value={cast.ATTACKER}>'
            f'<input name=password value="{platform.passwords[cast.ATTACKER]}"><input name=_xsrf value=evil></form>'
        )
        page.goto(neighbour.page("sign-in", form))
        with page.expect_response(re.compile("/hub/login")) as answered:
            page.evaluate("document.forms[0].submit()")
        assert answered.value.status == 403
        page.wait_for_url(re.compile("/hub/login"))
        page.goto(platform.service_url)
        assert "/hub/login" in page.url
    stolen = HubClient(platform.url, cookies=json.loads(json.dumps(signed_in(cast.ATTACKER).cookies)))
    stolen.cookies = {
        host: {name: (value, path) for name, (value, path) in jar.items() if name != SESSION}
        for host, jar in stolen.cookies.items()
    }
    authorize = stolen.get(platform.service_url).location
    callback = stolen.get(authorize).location
    assert parse_qs(urlsplit(callback).query).keys() >= {"code", "state"}
    victim = sign_in(cast.TRAINER)
    session = session_of(victim)
    victim.goto(callback)
    assert session_of(victim) == session
    assert is_signed_in(victim, platform, cast.TRAINER)
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(callback)
        assert "/hub/login" in page.url, "somebody signed out became the attacker"


def test_the_pages_of_the_platform_say_so_themselves(platform: Platform, signed_in: SignedIn) -> None:
    headers = signed_in(cast.TRAINER).get(platform.page_url("trainer/overview")).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_a_cross_site_page_of_the_internet_does_no_better(
    platform: Platform,
    sign_in: SignIn,
    neighbour: HostileSite,
    everything: Callable[[], dict[str, list[Any]]],
) -> None:
    before = everything()
    page = sign_in(cast.TRAINER).context.new_page()
    neighbour.page("elsewhere", "")
    page.goto(f"http://evil.localhost:{urlsplit(neighbour.origin).port}/elsewhere")
    for path in ("language", "trainer/regrade", "sign-out"):
        try:
            page.evaluate(FETCH, [platform.page_url(path), "language=nl&csrf=x", "text/plain"])
        except Error:
            continue
    assert everything() == before
