"""What keeps other sites and other people out: content policy, headers, form tokens, origins, ids of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import httpx
import pytest

from avatar_gitops.server.web.application import GET, POST
from avatar_gitops.server.web.visit import Handler
from tests.server.site import PASSWORD, Site
from tests.server.web.conftest import OWNER
from tests.server.web.story import CANARY, Story
from tests.server.web.visitor import Page, Visitor

OPEN = {"/sign-in", "/forgotten", "/reset", "/confirm"}


def addresses(story: Story, pages: Sequence[tuple[str, Handler, bool]] = GET) -> Iterator[str]:
    """Every page with the ids of the finished run and of a key."""
    for path, _, _ in pages:
        filled = path.replace("{set_id}", story.runs["finished"]).replace("{position:position}", "0")
        yield filled.replace("{job}", story.jobs["finished"]["standard"]).replace("{key_id}", "none")


def test_every_answer_forbids_what_it_does_not_need(marie: Visitor, story: Story) -> None:
    for address in addresses(story):
        answer = marie.http.get(address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, address
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers and "x-powered-by" not in answer.headers
        if answer.headers["content-type"].startswith("text/html") and "vegaEmbed" not in answer.text:
            assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
            assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:", answer.text), address
            assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text), address


def test_every_page_but_those_for_signing_in_needs_a_session(visitor: Visitor, story: Story) -> None:
    for address in addresses(story):
        page = visitor.get(address)
        assert page.path.startswith("/sign-in" if address not in OPEN else address), address


def test_no_form_works_without_its_token(marie: Visitor, story: Story) -> None:
    for address in addresses(story, POST):
        for token in ({}, {"token": ""}, {"token": "0" * 64}, {"token": "é"}):
            page = marie.post(address, {**token, "confirmed": "yes"})
            assert (page.status, page.heading) == (403, "Not allowed"), address
    assert marie.get(f"/runs/{story.runs['finished']}").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://", "http://[", "x"])
def test_no_form_works_from_another_origin(marie: Visitor, origin: str) -> None:
    fields = marie.get("/").form("/sign-out")
    assert marie.post("/sign-out", fields, Origin=origin).status == 403
    assert marie.get("/").heading == "Runs"


def test_a_form_without_an_origin_is_judged_by_what_the_browser_says(marie: Visitor) -> None:
    fields = marie.get("/account").form("/account/sessions")
    said = {"Sec-Fetch-Site": "cross-site"}
    assert marie.http.post("/account/sessions", data=fields, headers=said).status_code == 403
    assert marie.http.post("/account/sessions", data=fields).status_code == 200


def test_a_proxy_that_hides_https_breaks_no_form(marie: Visitor, site: Site) -> None:
    fields = marie.get("/account").form("/account/sessions")
    host = {"Host": "avatar.example.org", "Origin": "https://avatar.example.org"}
    cookies = {"Cookie": f"avatar_session={marie.session}"}
    answer = httpx.post(f"{site.base_url}/account/sessions", data=fields, headers=host | cookies)
    assert answer.status_code == 303


def test_the_token_of_one_session_is_none_of_another(marie: Visitor, site: Site) -> None:
    other = Visitor(site)
    other.sign_in(OWNER)
    fields = other.get("/").form("/sign-out")
    other.http.close()
    assert marie.post("/sign-out", fields).status == 403


def test_a_form_must_be_one_and_not_too_large(marie: Visitor) -> None:
    token = marie.get("/").form("/sign-out")["token"]
    assert Page(marie.http.post("/sign-out", json={"token": token})).heading == "Not a form"
    assert marie.post("/sign-out", {"token": token, "x": "y" * 70_000}).heading == "Too much"
    many = {"token": token, **{f"field{number}": "" for number in range(60)}}
    assert marie.post("/sign-out", many).heading == "Not understood"


def test_nobody_sees_or_touches_what_is_somebody_elses(visitor: Visitor, site: Site, story: Story) -> None:
    site.user("stranger@example.org")
    assert visitor.sign_in("stranger@example.org").heading == "Runs"
    token = visitor.get("/").form("/sign-out")["token"]
    for address in addresses(story):
        if "/runs/" in address:
            page = visitor.get(address)
            assert (page.status, page.heading) == (404, "Not found"), address
    for address in addresses(story, POST):
        if "/runs/" in address:
            assert visitor.post(address, {"token": token, "confirmed": "yes"}).status == 404, address
    assert story.workshop.job(story.jobs["finished"]["standard"])["deleted_at"] is None


def test_no_page_shows_a_value_of_the_data(marie: Visitor, story: Story) -> None:
    for address in addresses(story):
        answer = marie.http.get(address)
        if answer.headers["content-type"].startswith("text/html") and "vegaEmbed" not in answer.text:
            assert CANARY not in answer.text, address


def test_passwords_and_keys_never_come_back(visitor: Visitor) -> None:
    page = visitor.sign_in(OWNER, "a wrong password 2")
    assert "a wrong password 2" not in page.response.text
    assert PASSWORD not in page.response.text


def test_the_api_and_the_storage_keep_their_own_answers(visitor: Visitor) -> None:
    assert visitor.http.get("/api/nothing").json() == {"detail": "Not Found"}
    assert visitor.http.put("/api/check_client").status_code == 405
    assert visitor.http.get("/storage/bucket/key").headers["content-type"] == "application/xml"
