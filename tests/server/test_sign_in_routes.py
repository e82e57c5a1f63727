"""Signing in over HTTP, the way old clients do it, and what they are told when it does not work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from avatar_gitops.server.accounts import Account, create_user, hash_new_password, set_disabled
from avatar_gitops.server.database import sign_in_tokens, text_of
from tests.server.site import PASSWORD, Site, open_site
from tests.support.grounds import Ground


@pytest.fixture(scope="module")
def open_door(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("sign-in") / "state", ground) as made:
        yield made


@pytest.fixture
def site(open_door: Site) -> Site:
    open_door.clock.now += 100_000  # no limit that another test has reached
    return open_door


@pytest.fixture(scope="module")
def ada(open_door: Site) -> Account:
    return open_door.user("ada@example.org")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_password_gives_tokens_and_the_notice_that_it_is_deprecated(site: Site, ada: Account) -> None:
    response = site.login("Ada@example.org")
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "message"}
    assert body["token_type"] == "bearer"
    assert "deprecated" in body["message"] and "API key" in body["message"]
    assert response.headers["deprecation"] == "@1795824000"
    assert response.headers["cache-control"] == "no-store"
    assert "location" not in response.headers
    me = site.get("/users/me", headers=bearer(body["access_token"])).json()
    assert me["id"] == ada.id


def test_a_token_opens_every_route_that_a_key_opens(site: Site, ada: Account) -> None:
    headers = bearer(site.login(ada.email).json()["access_token"])
    for path in ("/users/me", "/jobs", "/api-keys", "/event-logs", "/upload_url", "/users", "/users/credits_info"):
        assert site.get(path, headers=headers).status_code == 200, path
    created = site.post("/api-keys", json={"name": "mine", "expiration_days": 365}, headers=headers)
    key = created.json()["api_key"]["plaintext"]
    assert site.get("/users/me", headers={"Authorization": f"api-key-v1 {key}"}).json()["id"] == ada.id


@pytest.mark.parametrize("password", ["wrong password 1", "", "x" * 5_000])
def test_a_wrong_password_and_an_unknown_address_are_told_the_same(site: Site, ada: Account, password: str) -> None:
    known, unknown = site.login(ada.email, password), site.login("nobody@example.org", password)
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json() == {"detail": "Invalid username or password."}
    assert set(known.headers) == set(unknown.headers)


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"])
def test_the_mask_of_clients_is_answered_with_the_way_that_works(site: Site, ada: Account, email: str) -> None:
    response = site.login(email, "**********")
    assert response.status_code == 401
    assert "API key" in response.json()["detail"] and "1.20 to 1.25" in response.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"username=a", b"\xff", b"{}", b"&" * 100, b"password=x"])
def test_what_is_no_form_is_refused(site: Site, body: bytes) -> None:
    response = site.post("/login", content=body)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/json")
    assert "username and password" in response.json()["detail"]


def test_a_form_of_any_size_is_refused_early(site: Site) -> None:
    assert site.post("/login", content=b"x" * 20_000).status_code == 413


def test_only_who_knows_the_password_learns_that_the_address_is_not_confirmed(site: Site) -> None:
    create_user(site.engine, "new@example.org", "user", password_hash=hash_new_password(PASSWORD))
    assert site.login("new@example.org", "wrong password 1").json()["detail"] == "Invalid username or password."
    told = site.login("new@example.org")
    assert told.status_code == 401 and "Confirm your e-mail address" in told.json()["detail"]


def test_an_expired_token_is_answered_in_the_words_that_old_clients_look_for(site: Site, ada: Account) -> None:
    tokens = site.login(ada.email).json()
    site.change(sign_in_tokens, expires_at=text_of(datetime.now(UTC) - timedelta(seconds=1)))
    response = site.get("/jobs", headers=bearer(tokens["access_token"]))
    assert response.status_code == 401
    assert response.json() == {"detail": {"message": "Could not validate: credentials expired"}}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refresh_gives_new_tokens_and_needs_no_valid_header(site: Site, ada: Account, method: str) -> None:
    tokens = site.login(ada.email).json()
    refreshed = site.http.request(
        method, "/refresh", params={"token": tokens["refresh_token"]}, headers=bearer("expired")
    )
    assert refreshed.status_code == 200
    newer = refreshed.json()
    assert newer["refresh_token"] not in {None, tokens["refresh_token"]}
    assert site.get("/users/me", headers=bearer(newer["access_token"])).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "avatar_refresh." + "A" * 43])
def test_a_refresh_with_anything_else_is_refused_without_the_words_of_an_expired_token(site: Site, token: str) -> None:
    response = site.post("/refresh", params={"token": token})
    assert response.status_code == 401
    assert "credentials expired" not in response.text


def test_signing_out_ends_the_tokens_and_leaves_keys_alone(site: Site, ada: Account) -> None:
    tokens = site.login(ada.email).json()
    assert site.post("/logout", headers=bearer(tokens["access_token"])).status_code == 200
    gone = site.get("/users/me", headers=bearer(tokens["access_token"]))
    assert (gone.status_code, gone.json()) == (401, {"detail": "Invalid access token"})
    assert site.post("/refresh", params={"token": tokens["refresh_token"]}).status_code == 401
    with site.api(ada) as api:
        assert api.http.post("/logout").status_code == 200
        assert api.http.get("/users/me").status_code == 200


def test_a_disabled_user_is_refused_whatever_they_hold(site: Site) -> None:
    account = site.user("gone@example.org")
    tokens = site.login(account.email).json()
    with site.api(account) as api:
        set_disabled(site.engine, account, True)
        assert api.http.get("/users/me").status_code == 401
        assert site.get("/users/me", headers=bearer(tokens["access_token"])).status_code == 401
        assert site.post("/refresh", params={"token": tokens["refresh_token"]}).status_code == 401
        assert site.login(account.email).json()["detail"] == "Invalid username or password."
        set_disabled(site.engine, account, False)
        assert api.http.get("/users/me").status_code == 200, "keys work again"
        assert site.get("/users/me", headers=bearer(tokens["access_token"])).status_code == 401, "tokens do not"


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"])
def test_guessing_is_slowed_down_for_known_and_unknown_addresses_alike(site: Site, ada: Account, email: str) -> None:
    answers = [site.login(email, f"guess number {number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    last = answers[-1]
    assert re.fullmatch(r"[1-9]\d*", last.headers["retry-after"])
    assert last.json()["retry_after"] == int(last.headers["retry-after"]) == 10
    assert next(iter(last.json())) == "detail"
    assert site.login(email, PASSWORD).status_code == 429, "even the right password has to wait"
    assert site.login("grace@example.org", PASSWORD).status_code == 401, "others do not"
    site.clock.now += 10
    assert site.login(email, "one more guess").status_code == 401
    assert site.login(email, "one more guess").status_code == 429


def test_signing_in_well_is_not_counted(site: Site, ada: Account) -> None:
    assert {site.login(ada.email).status_code for _ in range(13)} == {200}


def test_one_address_cannot_guess_at_many_accounts(site: Site) -> None:
    answers = [site.post("/login", data={"username": f"u{n}", "password": "**********"}) for n in range(62)]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429] * 2


def test_calls_about_keys_and_users_are_limited_and_ordinary_work_is_not(site: Site, ada: Account) -> None:
    with site.api(ada) as api:
        statuses = [api.http.get("/api-keys").status_code for _ in range(121)]
        assert statuses == [200] * 120 + [429]
        for path in ("/users", f"/users/{ada.id}", "/api-keys", "/api-keys/x"):
            refused = api.http.get(path)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) == 1
        assert {api.http.get(path).status_code for path in ("/users/me", "/jobs", "/upload_url")} == {200}


def test_the_audit_log_tells_of_sign_ins_failures_and_refusals_and_of_no_secret(site: Site, ada: Account) -> None:
    before = len(site.audited())
    tokens = site.login(ada.email).json()
    site.login(ada.email, "wrong secret words")
    site.login("nobody@example.org", "other secret words")
    site.get("/jobs/a-name-of-mine", headers=bearer("wrong token"))
    site.post("/logout", headers={**bearer(tokens["access_token"]), "X-Request-Id": "run-7"})
    lines = site.audited()[before:]
    told = [(line["event"], line["outcome"], line.get("status")) for line in lines]
    assert told == [
        ("user.login", "done", None),
        ("user.login", "failed", None),
        ("request", "refused", 401),
        ("user.login", "failed", None),
        ("request", "refused", 401),
        ("request", "refused", 401),
        ("user.logout", "done", None),
    ]
    assert lines[0]["actor"] == lines[-1]["actor"] == ada.id
    assert lines[1]["subject"] != lines[3]["subject"]
    assert lines[-1]["request"] == "run-7"
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert lines[5]["route"] == "/api/jobs/{name}"
    text = site.platform.state.audit_log.read_text()
    for secret in (PASSWORD, "secret words", "nobody@", "a-name-of-mine", "wrong token", *map(str, tokens.values())):
        assert secret == "bearer" or secret not in text


def test_a_flood_of_refusals_cannot_fill_the_disk(site: Site) -> None:
    before = len(site.audited())
    for _ in range(80):
        site.get("/users/me")
    assert len(site.audited()) - before == 60
