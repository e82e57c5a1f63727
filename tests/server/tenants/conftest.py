"""One site with a victim and strangers for all tests of this folder."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from avatar_gitops.server.accounts import (
    Account,
    create_organization,
    delete_user,
    issue_key,
    open_sign_in,
    revoke_keys,
    set_disabled,
    storage_key,
)
from avatar_gitops.server.accounts.keys import hash_secret
from avatar_gitops.server.database import api_keys, sign_in_tokens, text_of, writing
from tests.server.api import Api, documents, people
from tests.server.site import Site, serve_here
from tests.server.tenants.cast import COLLEAGUE, MEMBERS, Old, Victim, call, kinds
from tests.server.workshop import Workshop, stocked_workshop
from tests.support.grounds import Ground


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Workshop]:
    """A platform of its own: other tests may take files away from the one that they share."""
    with stocked_workshop(tmp_path_factory.mktemp("tenants") / "state", ground) as made:
        yield made


@pytest.fixture(scope="session")
def default_run(workshop: Workshop) -> dict[str, str]:
    """The five finished jobs of a default run, by parameters name."""
    return workshop.run_all(documents(), "default-run")


@pytest.fixture(scope="session")
def site(workshop: Workshop) -> Iterator[Site]:
    with serve_here(workshop.platform) as made:
        yield made


@pytest.fixture(autouse=True)
def unlimited(site: Site) -> None:
    site.clock.now += 100_000


@pytest.fixture(scope="session")
def victim(site: Site, workshop: Workshop, default_run: dict[str, str]) -> Iterator[Victim]:
    account = workshop.account
    with site.api(account) as api:
        job = api.get(f"/jobs/{default_run['standard']}")
        store = call(site, api.credentials(), "POST", f"{account.id}/3650d/half.csv", query="uploads=")
        upload = store.text.partition("<UploadId>")[2].partition("</UploadId>")[0]
        sign_in = open_sign_in(site.engine, account.id)
        keys = kinds(site, account)
        result = next(key for kind, key in keys.items() if kind.startswith("result"))
        ids = {
            "user": account.id,
            "email": account.email,
            "set": job["set_name"],
            "job": job["name"],
            "name": job["display_name"],
            "api_key": api.get("/api-keys")[0]["id"],
            "event": api.get("/event-logs")[0]["id"],
            "sign_in": str(uuid.uuid4()),
            "key": result,
            "url": f"s3://{account.id}/{result}",
        }
        rows = people(120).decode().splitlines()[1:20]
        names = list(default_run.values())
        # Not what is the same for everybody: what a random id, a row of the table or a secret is.
        marks = [account.id, account.email, ids["set"], *names, ids["api_key"], ids["event"], upload, *rows]
        marks += [sign_in.access, sign_in.refresh, api.credentials()["secret_access_key"], "people.csv"]
        yield Victim(account, ids, keys, upload, marks)


@pytest.fixture(scope="session")
def strangers(site: Site, victim: Victim) -> Iterator[dict[str, Api]]:
    """People with valid credentials who are not the victim."""
    same, other = victim.account.organization_id, create_organization(site.engine, "strangers").id
    made = {
        MEMBERS[0]: site.user("colleague@example.org", "user", same),
        COLLEAGUE: site.user("boss@example.org", "admin", same),
        MEMBERS[1]: site.user("stranger@example.com", "user", other),
        MEMBERS[2]: site.user("boss@example.com", "admin", other),
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(site.api(account)) for name, account in made.items()}


@pytest.fixture(scope="session")
def olds(site: Site, victim: Victim) -> dict[str, Old]:
    """Credentials that are not valid any more: of the victim, and of users who may not sign in."""
    organization = victim.account.organization_id

    def key(account: Account) -> tuple[str, Old]:
        description, text = issue_key(site.engine, account.id, "old", 30)
        pair = storage_key(site.platform.installation_secret, f"key:{description['id']}")
        return description["id"], Old(f"api-key-v1 {text}", _pair(pair))

    def token(account: Account) -> tuple[str, Old]:
        tokens = open_sign_in(site.engine, account.id)
        with Api(site.base_url, "") as api:
            api.http.headers["Authorization"] = f"Bearer {tokens.access}"
            return tokens.access, Old(f"Bearer {tokens.access}", api.credentials())

    made: dict[str, Old] = {}
    revoked, made["revoked key"] = key(victim.account)
    revoke_keys(site.engine, victim.account.id, revoked)
    expired, made["expired key"] = key(victim.account)
    past = text_of(datetime.now(UTC) - timedelta(seconds=1))
    disabled, deleted = (site.user(f"{what}@example.org", "user", organization) for what in ("disabled", "deleted"))
    _, made["key of a disabled user"] = key(disabled)
    _, made["key of a deleted user"] = key(deleted)
    stale, old = token(victim.account)
    made["expired access token"] = Old(old.header, None)  # its sign-in is not over, so its pair is still good
    _, made["token of a sign-in that is over"] = token(victim.account)
    signed_out = httpx.Headers({"Authorization": made["token of a sign-in that is over"].header})
    assert site.post("/logout", headers=signed_out).status_code == 200
    _, made["token of a disabled user"] = token(disabled)
    made["refresh token"] = Old(f"Bearer {open_sign_in(site.engine, victim.account.id).refresh}", None)
    with writing(site.engine) as connection:
        connection.execute(api_keys.update().where(api_keys.c.id == expired).values(expires_at=past))
        mine = sign_in_tokens.c.hash == hash_secret(stale)
        connection.execute(sign_in_tokens.update().where(mine).values(expires_at=past))
    set_disabled(site.engine, disabled, True)
    delete_user(site.platform.storage, deleted)
    return made


def _pair(pair: Any) -> dict[str, str]:
    return {"access_key_id": pair.access_key_id, "secret_access_key": pair.secret_access_key}
