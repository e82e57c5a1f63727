"""API keys, the account, the event log, and the pages of errors."""

from __future__ import annotations

import re
import uuid
from itertools import pairwise
from unittest import mock

import pytest

from avatar_gitops.server.accounts import account_of_key
from avatar_gitops.server.database import writing
from avatar_gitops.server.events import record
from tests.server.site import PASSWORD, Site
from tests.server.web.story import Story
from tests.server.web.visitor import Visitor


@pytest.fixture
def jean(visitor: Visitor, site: Site) -> Visitor:
    """A user of this test alone."""
    email = f"{uuid.uuid4().hex}@example.org"
    site.user(email)
    visitor.sign_in(email)
    return visitor


def email_of(visitor: Visitor) -> str:
    return str(visitor.get("/account").tree.xpath("string(//dl//dd)")).strip()


def test_a_key_is_shown_once(jean: Visitor, site: Site) -> None:
    page = jean.submit(jean.get("/keys"), "/keys", name="CI <b>", days="30")
    text = page.tree.xpath("string(//textarea[@id='text'])")
    assert account_of_key(site.engine, text) is not None
    assert "shown this once" in page.text and page.response.headers["cache-control"] == "no-store"
    after = jean.get("/keys")
    assert text not in after.response.text and text.rpartition(".")[2] not in after.response.text
    (row,) = after.rows()
    assert row[0] == "CI <b>" and row[1] == "✔ Valid" and row[5] == "Revoke CI <b>"


@pytest.mark.parametrize(
    ("name", "days", "why"),
    [("", "30", "Give the key a name"), ("x" * 256, "30", "Give the key a name"), ("x", "31", "Choose how long")],
)
def test_a_key_needs_a_name_and_an_end(jean: Visitor, name: str, days: str, why: str) -> None:
    page = jean.submit(jean.get("/keys"), "/keys", name=name, days=days)
    assert page.status == 422 and why in page.text
    assert page.tree.xpath("//*[@aria-invalid='true']/@aria-describedby") == ["why"]
    assert "You have no keys." in jean.get("/keys").text


def test_a_key_is_revoked_after_a_question(jean: Visitor, site: Site) -> None:
    created = jean.submit(jean.get("/keys"), "/keys", name="old", days="30")
    text = created.tree.xpath("string(//textarea[@id='text'])")
    (address,) = jean.get("/keys").links("/revoke")
    ask = jean.get(address)
    assert ask.heading == "Revoke the key old?"
    assert account_of_key(site.engine, text) is not None
    done = jean.submit(ask, address)
    assert "was revoked" in done.text and done.rows()[0][1] == "✘ Revoked"
    assert account_of_key(site.engine, text) is None
    assert jean.get(address).status == 404


def test_revoking_the_key_of_the_session_signs_out(jean: Visitor) -> None:
    created = jean.submit(jean.get("/keys"), "/keys", name="mine", days="30")
    text = created.tree.xpath("string(//textarea[@id='text'])")
    jean.submit(jean.get("/"), "/sign-out")
    jean.submit(jean.get("/sign-in"), "/sign-in", key=text)
    keys = jean.get("/keys")
    assert "this session" in keys.text
    (address,) = keys.links("/revoke")
    ask = jean.get(address)
    assert "you are signed out" in ask.text
    assert jean.submit(ask, address).heading == "Sign in"
    assert jean.get("/").heading == "Sign in"


def test_a_password_is_changed_and_ends_what_the_old_one_opened(jean: Visitor, site: Site) -> None:
    email = email_of(jean)
    other = Visitor(site)
    other.sign_in(email)
    bearer = {"Authorization": f"Bearer {site.login(email).json()['access_token']}"}
    new = "a new and better password"
    fields = {"present": PASSWORD, "new": new, "repeated": new}
    account = jean.get("/account")
    for wrong, why in (
        ({"present": "not this one, no"}, "present password is not right"),
        ({"repeated": "something else"}, "not equal"),
        ({"new": "short", "repeated": "short"}, "at least 12"),
    ):
        page = jean.submit(account, "/account/password", **{**fields, **wrong})
        assert page.status == 422 and why in page.text
    done = jean.submit(account, "/account/password", **fields)
    assert "The password was changed" in done.text
    assert other.get("/").heading == "Sign in"
    assert site.get("/users/me", headers=bearer).status_code == 401
    assert jean.get("/").heading == "Runs", "this session goes on"
    assert other.sign_in(email, PASSWORD).status == 401
    assert other.sign_in(email, new).heading == "Runs"
    other.http.close()


def test_other_sessions_are_ended(jean: Visitor, site: Site) -> None:
    other = Visitor(site)
    other.sign_in(email_of(jean))
    assert "2 sessions are open" in jean.get("/account").text
    done = jean.submit(jean.get("/account"), "/account/sessions")
    assert "All your other sessions were ended." in done.text and "1 session is open" in done.text
    assert other.get("/").heading == "Sign in"
    other.http.close()


def test_events_are_filtered_and_come_in_pages(marie: Visitor, story: Story) -> None:
    page = marie.get("/events?verb=create&type=resource")
    assert {row[1] for row in page.rows()} == {"create"}
    assert "Run of finished" in [row[2] for row in page.rows()]
    with writing(story.site.engine) as connection:
        for number in range(60):
            record(connection, story.owner.id, "look", "star", str(number))
    first = marie.get("/events?type=star")
    assert [row[3] for row in first.rows()] == [str(number) for number in range(59, 9, -1)]
    (older,) = first.links("after=")
    second = marie.get(older)
    assert [row[3] for row in second.rows()] == [str(number) for number in range(9, -1, -1)]
    assert "/events" in second.links() and not second.links("after=")
    assert marie.get("/events?verb=nonsense").text.count("No events like these") == 1


@pytest.mark.parametrize("path", ["/nowhere", "/runs/x", "/runs/00000000-0000-0000-0000-000000000000", "/static/x"])
def test_what_is_not_there_is_a_page_with_a_way_on(marie: Visitor, path: str) -> None:
    page = marie.get(path)
    assert (page.status, page.heading) == (404, "Not found")
    assert page.links() == ["/"]
    assert path.startswith("/static") or page.form("/sign-out"), "the visitor is still signed in there"


def test_a_wrong_method_is_a_page(marie: Visitor) -> None:
    assert marie.http.put("/keys").status_code == 405
    assert marie.http.request("DELETE", "/").headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("path", "broken"), [("/", "runs.list_runs"), ("/no-such-page", "application.open_visit")])
def test_a_fault_of_ours_is_a_page_and_its_text_goes_nowhere(
    marie: Visitor, caplog: pytest.LogCaptureFixture, path: str, broken: str
) -> None:
    with mock.patch(f"avatar_gitops.server.web.{broken}", side_effect=ValueError("cell value 4711")):
        page = marie.get(path)
    assert (page.status, page.heading) == (500, "Something is broken here")
    assert "4711" not in page.response.text + caplog.text
    assert "ValueError" in caplog.text


def test_a_stopping_server_says_so(marie: Visitor, site: Site) -> None:
    site.platform.stopping.set()
    try:
        page = marie.get("/")
    finally:
        site.platform.stopping.clear()
    assert (page.status, page.heading) == (503, "The server is stopping")
    assert "nothing is lost" in page.text


def test_pages_hold_together_for_those_who_do_not_see_them(marie: Visitor, story: Story) -> None:
    run = f"/runs/{story.runs['finished']}"
    pages = [
        "/",
        run,
        f"{run}/metrics",
        f"{run}/parameters",
        f"{run}/figures",
        f"{run}/files",
        "/keys",
        "/events",
        "/account",
    ]
    for path in pages:
        page = marie.get(path)
        tree = page.tree
        assert tree.xpath("//html/@lang") == ["en"] and len(tree.xpath("//h1")) == 1, path
        levels = [int(h.tag[1]) for h in tree.xpath("//h1|//h2|//h3")]
        assert all(after <= before + 1 for before, after in pairwise(levels)), path
        assert all(table.xpath("./caption") and table.xpath(".//th[@scope='col']") for table in tree.xpath("//table"))
        assert tree.xpath("//a[1]/@href")[0] == "#main" and tree.xpath("//*[@id='main']")
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids)), path
        for item in tree.xpath("//input[not(@type='hidden')]|//select"):
            assert item.get("aria-hidden") or tree.xpath(f"//label[@for='{item.get('id')}']"), path
    assert re.search(r"<bdi>.*\u0628", marie.get(f"{run}/metrics").response.text), "names of other scripts stand apart"


def test_static_files_are_kept_by_browsers(visitor: Visitor) -> None:
    page = visitor.get("/sign-in")
    (style,) = page.tree.xpath("//link[@rel='stylesheet']/@href")
    answer = visitor.http.get(style)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
