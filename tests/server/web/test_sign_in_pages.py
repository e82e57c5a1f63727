"""Signing in and out on the pages, sessions and their ends, forgotten passwords."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from avatar_gitops.server.accounts import Purpose, issue_key, issue_mail_token, revoke_keys, set_disabled
from avatar_gitops.server.database import api_keys, reading, text_of, web_sessions, writing
from avatar_gitops.server.mail import Letter
from avatar_gitops.server.web.sessions import count_sessions
from tests.server.site import PASSWORD, Site, open_site
from tests.server.web.conftest import OWNER
from tests.server.web.story import Story
from tests.server.web.visitor import Visitor


def stored(site: Site, token: str | None) -> bool:
    """Whether the database has a session of this token, looked for by the hash of it."""
    digest = hashlib.sha256((token or "").encode()).hexdigest()
    with reading(site.engine) as connection:
        query = sa.select(web_sessions.c.id_hash).where(web_sessions.c.id_hash == digest)
        return connection.execute(query).first() is not None


def age(site: Site, **moments: timedelta) -> None:
    """Let every session be older."""
    values = {name: text_of(datetime.now(UTC) - back) for name, back in moments.items()}
    with writing(site.engine) as connection:
        connection.execute(web_sessions.update().values(**values))


def test_whoever_is_not_signed_in_is_asked_to_and_comes_back(visitor: Visitor, story: Story) -> None:
    wanted = f"/runs/{story.runs['finished']}/metrics"
    page = visitor.get(wanted)
    assert (page.status, page.heading) == (200, "Sign in")
    assert page.form("/sign-in")["next"] == wanted
    page = visitor.submit(page, "/sign-in", email=OWNER, password=PASSWORD)
    assert page.path == wanted


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\tevil",
        "javascript:x",
        "/api/",
    ],
)
def test_no_address_leads_away_after_signing_in(visitor: Visitor, next_page: str) -> None:
    page = visitor.get("/sign-in", params={"next": next_page})
    assert page.form("/sign-in")["next"] == "/"
    page = visitor.post("/sign-in", {**page.form("/sign-in"), "email": OWNER, "password": PASSWORD, "next": next_page})
    assert (page.path, page.response.url.host) == ("/", "127.0.0.1")


def test_a_wrong_password_and_an_unknown_address_are_told_apart_by_nothing(visitor: Visitor) -> None:
    wrong = visitor.sign_in(OWNER, "wrong password 1")
    unknown = visitor.sign_in("nobody@example.org", "wrong password 1")
    assert wrong.status == unknown.status == 401
    assert wrong.tree.xpath("string(//*[@role='alert'])") == unknown.tree.xpath("string(//*[@role='alert'])")
    assert wrong.tree.xpath("//input[@id='password']/@aria-invalid") == ["true"]
    assert wrong.tree.xpath("//input[@type='password']/@value") == []
    assert visitor.session is None


def test_guesses_share_the_limit_of_the_api(visitor: Visitor, site: Site) -> None:
    for _ in range(10):
        assert site.login("guessed@example.org", "wrong password 1").status_code == 401
    page = visitor.sign_in("guessed@example.org", "wrong password 1")
    assert (page.status, page.heading) == (429, "Too many attempts")
    assert int(page.response.headers["retry-after"]) > 0


def test_an_api_key_signs_in_until_it_is_revoked(visitor: Visitor, site: Site, story: Story) -> None:
    key, text = issue_key(site.engine, story.owner.id, "web", 30)
    assert visitor.submit(visitor.get("/sign-in"), "/sign-in", key=f" {text} ").heading == "Runs"
    revoke_keys(site.engine, story.owner.id, key["id"])
    page = visitor.get("/")
    assert page.heading == "Sign in"
    assert "Your session has ended" in page.text


def test_a_session_ends_with_its_api_key(visitor: Visitor, site: Site, story: Story) -> None:
    key, text = issue_key(site.engine, story.owner.id, "web", 30)
    before = count_sessions(site.engine, story.owner.id)
    visitor.submit(visitor.get("/sign-in"), "/sign-in", key=text)
    assert count_sessions(site.engine, story.owner.id) == before + 1
    with writing(site.engine) as connection:
        past = text_of(datetime.now(UTC) - timedelta(seconds=1))
        connection.execute(api_keys.update().where(api_keys.c.id == key["id"]).values(expires_at=past))
    assert visitor.get("/").heading == "Sign in"
    assert count_sessions(site.engine, story.owner.id) == before


@pytest.mark.parametrize("text", ["octopize_apikey.x.y", "no key at all", "é" * 50])
def test_what_is_no_api_key_is_refused(visitor: Visitor, text: str) -> None:
    page = visitor.submit(visitor.get("/sign-in"), "/sign-in", key=text)
    assert page.status == 401
    assert "no valid API key" in page.text
    assert text not in page.response.text


def test_the_session_of_before_signing_in_is_worth_nothing_after_it(visitor: Visitor, site: Site) -> None:
    """Session fixation: an id that somebody has planted is neither taken over nor kept."""
    visitor.http.cookies.set("avatar_session", "planted", domain="127.0.0.1")
    assert visitor.sign_in(OWNER).heading == "Runs"
    first = visitor.session
    assert first is not None and first != "planted" and len(first) == 43
    assert stored(site, first)
    visitor.submit(visitor.get("/account"), "/account/sessions")
    token = visitor.get("/account").form("/sign-out")["token"]
    visitor.post("/sign-in", {"token": token, "email": OWNER, "password": PASSWORD, "next": "/"})
    assert visitor.session != first
    assert not stored(site, first)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    page = visitor.get("/sign-in")
    (form,) = page.response.headers.get_list("set-cookie")
    assert "HttpOnly" in form and "SameSite=strict" in form and "Secure" not in form
    fields = {**page.form("/sign-in"), "email": OWNER, "password": PASSWORD}
    answer = visitor.http.post("/sign-in", data=fields, follow_redirects=False)
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("avatar_session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
    assert "expires" not in cookie.lower() and "max-age" not in cookie.lower()


def test_behind_https_cookies_are_secure_and_bound_to_the_host(visitor: Visitor) -> None:
    page = visitor.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    (cookie,) = page.response.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-avatar_form=") and "Secure" in cookie


@pytest.mark.parametrize(
    "moments", [{"seen_at": timedelta(minutes=61)}, {"created_at": timedelta(hours=12, minutes=1)}]
)
def test_a_session_ends_unused_and_at_the_latest(marie: Visitor, site: Site, moments: dict[str, timedelta]) -> None:
    assert marie.get("/account").heading == "Account"
    age(site, **moments)
    page = marie.get("/account")
    assert page.heading == "Sign in"
    assert "Your session has ended" in page.text
    assert marie.session is None, "the dead cookie is removed"


def test_use_keeps_a_session_and_what_a_page_does_by_itself_does_not(marie: Visitor, site: Site) -> None:
    half = timedelta(minutes=40)
    age(site, seen_at=half)
    marie.get("/", headers={"X-Live-Update": "1"})
    marie.get("/?reload=10")
    age_now = "SELECT max(seen_at) FROM web_sessions"
    with reading(site.engine) as connection:
        assert connection.exec_driver_sql(age_now).scalar_one() < text_of(datetime.now(UTC) - timedelta(minutes=39))
    marie.get("/")
    with reading(site.engine) as connection:
        assert connection.exec_driver_sql(age_now).scalar_one() > text_of(datetime.now(UTC) - timedelta(minutes=1))


def test_a_live_page_learns_that_its_session_is_over(visitor: Visitor) -> None:
    assert visitor.http.get("/", headers={"X-Live-Update": "1"}).status_code == 401


def test_signing_out_ends_the_session_at_the_server(marie: Visitor, site: Site) -> None:
    token = marie.session
    page = marie.submit(marie.get("/"), "/sign-out")
    assert "You are signed out." in page.text
    assert marie.session is None and not stored(site, token)
    marie.http.cookies.set("avatar_session", str(token), domain="127.0.0.1")
    assert marie.get("/").heading == "Sign in"


def test_who_is_disabled_is_out(visitor: Visitor, site: Site) -> None:
    account = site.user("leaver@example.org")
    assert visitor.sign_in("leaver@example.org").heading == "Runs"
    set_disabled(site.engine, account, True)
    assert visitor.get("/").heading == "Sign in"


def test_sign_ins_stand_in_the_audit_log_and_secrets_do_not(marie: Visitor, site: Site, story: Story) -> None:
    events = [line for line in site.audited() if line.get("actor") == story.owner.id]
    assert events[-1]["event"] == "user.login"
    assert PASSWORD not in str(events) and str(marie.session) not in str(events)


def test_a_password_is_set_with_a_token(visitor: Visitor, site: Site) -> None:
    account = site.user("forgetful@example.org")
    token, _ = issue_mail_token(site.engine, account.id, Purpose.RESET)
    page = visitor.get("/reset")
    new = "another correct horse"
    fields = {"email": account.email, "secret": token, "new": new, "repeated": "x"}
    assert "not equal" in visitor.submit(page, "/reset", **fields).text
    assert "at least 12" in visitor.submit(page, "/reset", **{**fields, "new": "short", "repeated": "short"}).text
    wrong = visitor.submit(page, "/reset", **{**fields, "secret": "0", "repeated": new})
    assert (wrong.status, wrong.tree.xpath("//input[@type='password']/@value")) == (400, [])
    done = visitor.submit(page, "/reset", **{**fields, "repeated": new})
    assert "The password is set" in done.text
    assert visitor.sign_in(account.email, new).heading == "Runs"


def test_an_address_is_confirmed_by_a_form_and_not_by_opening_the_link(visitor: Visitor, site: Site) -> None:
    account = site.user("unconfirmed@example.org")
    token, _ = issue_mail_token(site.engine, account.id, Purpose.VERIFY)
    for _ in range(2):
        page = visitor.get(f"/confirm?token={token}")
        assert page.form("/confirm")["secret"] == token
    assert "is confirmed" in visitor.submit(page, "/confirm").text
    assert "not valid" in visitor.submit(page, "/confirm").text


def test_without_mail_the_administrator_gives_the_token(visitor: Visitor) -> None:
    page = visitor.get("/forgotten")
    assert "sends no mail" in page.text
    assert not page.tree.xpath("//main//form")


def test_with_mail_a_token_is_sent_and_nobody_learns_who_has_an_account(tmp_path: Path) -> None:
    class Box:
        """Stands for the post office; the mail itself is tested with it."""

        def __init__(self) -> None:
            self.settings = type("Settings", (), {"public_url": "https://avatar.example.org"})()
            self.letters: list[Letter | None] = []

        def post(self, write: Callable[[], Letter | None]) -> None:
            self.letters.append(write())

    box = Box()
    with open_site(tmp_path / "state", postman=box) as made:
        made.user("ada@example.org")
        visitor = Visitor(made)
        page = visitor.get("/forgotten")
        known = visitor.submit(page, "/forgotten", email="ada@example.org")
        unknown = visitor.submit(page, "/forgotten", email="nobody@example.org")
        visitor.http.close()
    assert known.text == unknown.text
    assert [letter is not None for letter in box.letters] == [True, False]
