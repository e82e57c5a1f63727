"""Users over HTTP: who sees whom, who may do what, and what is left of somebody who is deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from avatar_gitops.server.accounts import Account, LastAdministrator, create_organization, delete_user, set_disabled
from avatar_gitops.server.accounts.deletion import AT_ONCE
from avatar_gitops.server.database import metadata, reading
from avatar_gitops.server.queue import claim, publish
from tests.server.api import Api, documents, people
from tests.server.site import PASSWORD, Site, open_site
from tests.support.grounds import Ground


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("users") / "state", ground) as made:
        yield made


@pytest.fixture(scope="module")
def here(site: Site) -> str:
    return create_organization(site.engine, "here").id


@pytest.fixture(scope="module")
def there(site: Site) -> str:
    return create_organization(site.engine, "there").id


@pytest.fixture(scope="module")
def admin(site: Site, here: str) -> Iterator[Api]:
    with site.api(site.user("admin@here.org", "admin", here)) as api:
        yield api


@pytest.fixture(scope="module")
def ada(site: Site, here: str) -> Account:
    return site.user("ada@here.org", "user", here)


@pytest.fixture(scope="module")
def stranger(site: Site, there: str) -> Account:
    return site.user("admin@there.org", "admin", there)


@pytest.fixture(autouse=True)
def unlimited(site: Site) -> None:
    site.clock.now += 100_000


def rows(site: Site) -> dict[str, int]:
    with reading(site.engine) as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def test_an_administrator_sees_the_own_organization_and_others_see_themselves(
    site: Site, admin: Api, ada: Account, stranger: Account
) -> None:
    assert {user["email"] for user in admin.get("/users")} >= {"admin@here.org", "ada@here.org"}
    assert not [user for user in admin.get("/users") if user["organization_id"] != ada.organization_id]
    assert admin.get("/users", email="ADA@here.org") == [ada.to_plain()]
    assert admin.get("/users", email=stranger.email) == []
    assert admin.get(f"/users/{ada.id}") == ada.to_plain()
    assert admin.http.get(f"/users/{stranger.id}").status_code == 404
    with site.api(ada) as api:
        assert api.get("/users") == [ada.to_plain()]
        assert api.get("/users", email="admin@here.org") == []


def test_an_administrator_adds_users_to_the_own_organization_only(site: Site, admin: Api, ada: Account) -> None:
    body = {"email": "New@here.org", "role": "user", "password": PASSWORD, "organization_id": "elsewhere"}
    created = admin.http.post("/users", json=body)
    assert created.status_code == 200 and "location" not in created.headers
    assert created.json()["organization_id"] == ada.organization_id
    assert created.json()["email"] == "new@here.org"
    assert PASSWORD not in created.text
    assert site.login("new@here.org").status_code == 200, "without mail the administrator vouches for the address"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"email": "ada@HERE.org"}, (409, "exists already")),
        ({"email": "admin@there.org"}, (409, "exists already")),
        ({"email": "nonsense"}, (422, "not an e-mail address")),
        ({"email": "x@y.org", "password": "short"}, (422, "at least 12 characters")),
        ({"email": "x@y.org", "role": "owner"}, (422, "role")),
        ({"role": "user"}, (422, "email")),
    ],
)
def test_a_user_that_cannot_be_is_refused_and_not_half_made(
    site: Site, admin: Api, ada: Account, stranger: Account, body: dict[str, str], refusal: tuple[int, str]
) -> None:
    before = rows(site)
    refused = admin.http.post("/users", json=body)
    assert refused.status_code == refusal[0]
    assert refusal[1] in refused.text
    assert rows(site) == before
    assert "short" not in refused.text


def test_the_mask_of_clients_makes_a_user_without_a_password(site: Site, admin: Api) -> None:
    body = {"email": "masked@here.org", "role": "user", "password": "**********"}
    assert admin.http.post("/users", json=body).status_code == 200
    assert site.login("masked@here.org", "**********").status_code == 401


def test_only_administrators_change_users(site: Site, ada: Account, admin: Api) -> None:
    with site.api(ada) as api:
        assert api.http.post("/users", json={"email": "x@here.org"}).status_code == 403
        assert api.http.delete(f"/users/{ada.id}").status_code == 403
        assert api.http.delete("/api-keys/admin", params={"user_id": ada.id}).status_code == 403


def test_an_administrator_revokes_keys_of_the_own_organization_only(
    site: Site, admin: Api, ada: Account, stranger: Account
) -> None:
    with site.api(ada) as api, site.api(stranger) as other:
        key_id = api.get("/api-keys")[-1]["id"]
        foreign = other.get("/api-keys")[-1]["id"]
        for query in ({"user_id": stranger.id}, {"user_id": stranger.id, "api_key_id": foreign}):
            assert admin.http.delete("/api-keys/admin", params=query).status_code == 403
        assert (
            admin.http.delete("/api-keys/admin", params={"user_id": ada.id, "api_key_id": foreign}).status_code == 403
        )
        assert other.http.get("/users/me").status_code == 200
        assert admin.http.delete("/api-keys/admin", params={"user_id": ada.id, "api_key_id": key_id}).status_code == 200
        assert api.http.get("/users/me").status_code == 401


def test_a_revoked_key_takes_the_storage_with_it(site: Site, here: str) -> None:
    """The pair for the storage is derived from the key; one that was noted down before is worth nothing after."""
    account = site.user("storage@here.org", "user", here)
    with site.api(account) as first, site.api(account) as second:
        first.upload("a.csv", b"a\n1\n")
        noted = first.store()
        key_id = first.get("/api-keys")[0]["id"]
        assert second.http.delete(f"/api-keys/{key_id}").status_code == 200
        with pytest.raises(Exception, match=r"403|denied"):
            noted.get("3650d/a.csv")
        assert bytes(second.store().get("3650d/a.csv").bytes()) == b"a\n1\n", "the other key still opens it"


def test_deleting_a_user_removes_all_that_belonged_to_them_and_nothing_else(site: Site, admin: Api, here: str) -> None:
    with site.api(site.user("kept@here.org", "user", here)) as kept:
        fill(kept)
    before, blobs = rows(site), files(site)
    gone = site.user("gone@here.org", "user", here)
    assert site.login(gone.email).status_code == 200
    with site.api(gone) as api:
        fill(api)
    row = claim(site.engine, "worker")
    while row is not None and row.user_id != gone.id:
        row = claim(site.engine, "worker")
    assert row is not None, "a job of theirs runs"
    answer = admin.http.delete(f"/users/{gone.id}")
    assert (answer.status_code, answer.json()) == (200, gone.to_plain())
    assert not publish(site.engine, row.name, "worker", []), "what it makes is not published"
    after = rows(site)
    assert after.pop("events") == before.pop("events") + 1, "the act of the administrator"
    assert after == before
    assert files(site) == blobs
    with Api(site.base_url, api.key) as late, Api(site.base_url, kept.key) as other:
        assert late.http.get("/users/me").status_code == 401
        assert len(other.get("/jobs")["jobs"]) == 5
    assert site.login(gone.email).status_code == 401
    assert admin.http.get(f"/users/{gone.id}").status_code == 404
    again = site.user("gone@here.org", "user", here)
    with site.api(again) as newcomer:
        assert newcomer.get("/jobs") == {"jobs": []}, "the same address later is another user"
        assert newcomer.get("/event-logs") == []


def fill(api: Api) -> None:
    """Files, a set and jobs of a user."""
    api.upload("people.csv", people(30))
    api.launch_all(api.put_set(documents()))


def files(site: Site) -> set[str]:
    return set(site.platform.storage.blobs.names())


def test_a_user_with_more_files_than_a_query_takes_is_deleted_too(site: Site, here: str) -> None:
    account = site.user("many@here.org", "user", here)
    with site.api(account) as api:
        api.upload("one.csv", b"a\n1\n")
    from avatar_gitops.server.database import objects, writing

    with writing(site.engine) as connection:
        row = dict(connection.execute(sa.select(objects).where(objects.c.bucket == account.id)).one()._mapping)
        connection.execute(objects.insert(), [{**row, "key": str(n), "blob": f"b{n}"} for n in range(2 * AT_ONCE + 1)])
    delete_user(site.platform.storage, account)
    assert row["blob"] not in files(site)


def test_the_last_administrator_of_others_stays(site: Site, there: str, stranger: Account) -> None:
    member = site.user("member@there.org", "user", there)
    with site.api(stranger) as api:
        refused = api.http.delete(f"/users/{stranger.id}")
        assert refused.status_code == 409 and "last administrator" in refused.json()["detail"]
        with pytest.raises(LastAdministrator):
            set_disabled(site.engine, stranger, True)
        assert api.http.delete(f"/users/{member.id}").status_code == 200
        assert api.http.delete(f"/users/{stranger.id}").status_code == 200, "alone, one may go"


def test_who_is_no_administrator_may_go_where_nobody_is(site: Site) -> None:
    nowhere = create_organization(site.engine, "without administrators").id
    leaving, staying = (site.user(f"{name}@nowhere.org", "user", nowhere) for name in ("leaving", "staying"))
    set_disabled(site.engine, leaving, True)
    delete_user(site.platform.storage, leaving)
    assert site.login(leaving.email).status_code == 401
    assert site.login(staying.email).status_code == 200


def test_no_answer_names_the_server_and_all_forbid_keeping_and_sniffing(site: Site, admin: Api) -> None:
    for path in ("/users/me", "/api-keys", "/nothing", "/users/x", "/health"):
        headers = admin.http.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers and "x-powered-by" not in headers
    storage = admin.http.get(f"{site.base_url}/storage/x/y")
    assert storage.status_code == 403
    assert storage.headers["x-content-type-options"] == "nosniff"
