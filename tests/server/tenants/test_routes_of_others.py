"""Nobody reaches what belongs to somebody else by a route of the API: each is tried with others' credentials."""

from __future__ import annotations

import uuid

import httpx
import pytest

from avatar_gitops.server.accounts import open_sign_in
from tests.server.api import Api
from tests.server.site import Site
from tests.server.strangers import OPEN, TRIES, Ids, Try, nobody, routes
from tests.server.tenants.cast import (
    COLLEAGUE,
    MEMBERS,
    OF_ADMINISTRATORS,
    OVER,
    Old,
    Victim,
    belongings,
    check_everything_is_there,
    shown,
    tries,
)


def attempt(site: Site, stranger: Api, sent: Try) -> httpx.Response:
    if (sent.method, sent.path) != ("DELETE", "/api-keys"):
        return stranger.http.request(sent.method, sent.path, **sent.options())
    me = stranger.get("/users/me")  # somebody like the stranger, who may lose all keys
    with site.api(site.user(f"{uuid.uuid4()}@example.org", me["role"], me["organization_id"])) as like:
        return like.http.request(sent.method, sent.path, **sent.options())


def test_every_route_is_known_here(site: Site) -> None:
    """A route that is added to the application fails here until somebody says how a stranger would try it."""
    from avatar_gitops.server.app import create_app

    found = set(routes(create_app(site.platform).routes))
    of_api = {f"{method} {path.removeprefix('/api')}" for method, path in found if path.startswith("/api/")}
    assert of_api - TRIES.keys() - OPEN.keys() == set(), "say in strangers.py how a stranger tries these"
    assert TRIES.keys() | OPEN.keys() == of_api, "these are gone"
    documented = {
        f"{method.upper()} {path.removeprefix('/api')}"
        for path, methods in create_app(site.platform).openapi()["paths"].items()
        for method in methods
    }
    assert documented <= of_api, "the walk sees what the description of the API lists"


@pytest.mark.parametrize("route", [*TRIES, *OPEN])
def test_a_stranger_learns_and_changes_nothing(
    site: Site, victim: Victim, strangers: dict[str, Api], route: str
) -> None:
    before, nothing = belongings(site, victim.account), nobody(victim.ids)
    for who, stranger in strangers.items():
        if who == COLLEAGUE and route in OF_ADMINISTRATORS:
            continue
        for theirs, none in zip(tries(route, victim.ids), tries(route, nothing), strict=True):
            answer, control = (attempt(site, stranger, sent) for sent in (theirs, none))
            assert shown(victim, answer, theirs) == [], who
            if answer.status_code < 400:
                assert shown(victim, answer, Try("", "")) == [] or route in OPEN or echoed(route), who
            if exists_openly(route):
                continue
            # Neither the answer nor its status tells whether the object exists: it is that of one that nobody has.
            assert answer.status_code == control.status_code, (who, answer.text, control.text)
            if answer.status_code >= 400:
                assert alike(answer.text, victim.ids) == alike(control.text, nothing), who
    assert belongings(site, victim.account) == before


def echoed(route: str) -> bool:
    """Answers that repeat the names that were asked for, and nothing about them."""
    return route in {"POST /jobs/bulk-delete"}


def exists_openly(route: str) -> bool:
    """An administrator who adds a user is told when the address is taken: it can belong to one user only."""
    return route in {"POST /users"}


def alike(text: str, ids: Ids) -> str:
    for name, value in ids.items():
        text = text.replace(value, f"<{name}>")
    return text


@pytest.mark.parametrize("route", TRIES)
def test_credentials_that_are_over_open_nothing(site: Site, victim: Victim, olds: dict[str, Old], route: str) -> None:
    assert set(olds) == set(OVER)
    for who, old in olds.items():
        for sent in tries(route, victim.ids):
            options = sent.options()
            options["headers"] = {**options.get("headers", {}), "Authorization": old.header}
            answer = site.http.request(sent.method, sent.path, **options)
            assert answer.status_code == 401, (who, answer.text)
            assert shown(victim, answer, sent) == [], who


@pytest.mark.parametrize("route", TRIES)
def test_a_token_is_taken_wherever_a_key_is(site: Site, victim: Victim, strangers: dict[str, Api], route: str) -> None:
    stranger = strangers[MEMBERS[0]]
    me, nothing = stranger.get("/users/me")["id"], nobody(victim.ids)
    for sent in tries(route, nothing):
        options, token = sent.options(), open_sign_in(site.engine, me).access
        options["headers"] = {**options.get("headers", {}), "Authorization": f"Bearer {token}"}
        if route == "DELETE /api-keys":  # here it must not take the stranger's key, so there is no key to compare with
            options["headers"]["Authorization"] = f"Bearer {_token_of_nobody(site)}"
            assert site.http.request(sent.method, sent.path, **options).status_code == 200
            continue
        answer = site.http.request(sent.method, sent.path, **options)
        assert answer.status_code != 401
        assert answer.status_code == attempt(site, stranger, sent).status_code


def _token_of_nobody(site: Site) -> str:
    return open_sign_in(site.engine, site.user(f"{uuid.uuid4()}@example.org").id).access


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "api-key-v1", "Basic YTpi", "ä"])
def test_without_credentials_only_the_open_routes_answer(site: Site, victim: Victim, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for route in TRIES:
        for sent in tries(route, victim.ids):
            options = sent.options()
            answer = site.http.request(
                sent.method, sent.path, **{**options, "headers": {**options.get("headers", {}), **headers}}
            )
            assert answer.status_code == 401, route
            assert answer.headers["content-type"] == "application/json"


def test_the_victim_still_has_everything(site: Site, victim: Victim) -> None:
    """The last look of this file."""
    check_everything_is_there(site, victim)
