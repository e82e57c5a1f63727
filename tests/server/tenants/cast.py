"""Who takes part when strangers try what belongs to somebody else, and how the victim's things are looked at.

The victim has a finished run with all results, keys, a sign-in and an unfinished upload. The strangers are users and
administrators of the same and of another organization, and people whose credentials are not valid any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa

from avatar_gitops.server.accounts import Account
from avatar_gitops.server.accounts.deletion import _belongs
from avatar_gitops.server.database import events, metadata, objects, reading, users
from avatar_gitops.server.naming import FIGURE, PAGE
from tests.server.signing import signed
from tests.server.site import Site
from tests.server.strangers import OPEN, TRIES, Ids, Try

MEMBERS = ("user of the same organization", "user of another", "administrator of another")
COLLEAGUE = "administrator of the same organization"
OVER = (
    "revoked key",
    "expired key",
    "key of a disabled user",
    "key of a deleted user",
    "expired access token",
    "token of a sign-in that is over",
    "token of a disabled user",
    "refresh token",
)
# What an administrator may do to users of the own organization; `test_users.py` holds it.
OF_ADMINISTRATORS = {
    "GET /users",
    "GET /users/{user_id}",
    "DELETE /users/{user_id}",
    "POST /api-keys",
    "DELETE /api-keys/admin",
}


@dataclass
class Victim:
    """Whose objects are tried, and what must never be seen of them."""

    account: Account
    ids: Ids
    objects: dict[str, str]  # kind of object key -> key
    upload: str
    marks: list[str]


@dataclass
class Old:
    """Credentials that were valid once: the header of the API, and the pair for the storage noted down at that time."""

    header: str
    pair: dict[str, str] | None


def kinds(site: Site, account: Account) -> dict[str, str]:
    """One object key of each kind: uploads, every kind of result file, and pages that are not made yet."""
    with reading(site.engine) as connection:
        found = list(connection.execute(sa.select(objects.c.key).where(objects.c.bucket == account.id)).scalars())
    made: dict[str, str] = {}
    for key in found:
        folder, _, name = key.rpartition("/")
        made["result " + name.partition(".")[2] if "/results/" in key else f"upload {name}"] = key
        if name.endswith(FIGURE):
            made["page that is not made yet"] = f"{folder}/{name.removesuffix(FIGURE)}{PAGE}"
    return made


def call(site: Site, keys: dict[str, str], method: str, path: str, **more: Any) -> httpx.Response:
    """A signed call of the storage; headers of `more` are not signed."""
    query, headers = more.pop("query", ""), more.pop("headers", {})
    url = f"{site.base_url}/storage/{path}{'?' + query if query else ''}"
    return site.http.request(method, url, headers={**signed(method, url, keys), **headers}, **more)


def belongings(site: Site, account: Account) -> dict[str, list[Any]]:
    """Every row of every table that belongs to a user, and what tells that a file was written again."""
    found: dict[str, list[Any]] = {}
    with reading(site.engine) as connection:
        for table in metadata.sorted_tables:
            where = _belongs(table, account.id)
            if where is not None:
                columns = [column for column in table.columns if column.name != "last_used_at"]
                rows = connection.execute(sa.select(*columns).where(where)).all()
                found[table.name] = sorted(map(repr, rows))
        blobs = connection.execute(sa.select(objects.c.blob).where(objects.c.bucket == account.id)).scalars()
        files = [site.platform.storage.blobs.local(blob, site.platform.state.incoming).stat() for blob in sorted(blobs)]
        found["content"] = [(file.st_ino, file.st_size, file.st_mtime_ns) for file in files]
    return found


def shown(victim: Victim, response: httpx.Response, sent: Try) -> list[str]:
    """What an answer tells of the victim that was not sent by the stranger."""
    said = f"{sent.path} {json.dumps(sent.query)} {json.dumps(sent.body)} {sent.yaml}"
    text = response.text + json.dumps(dict(response.headers))
    return [mark for mark in victim.marks if mark in text and mark not in said]


def tries(route: str, ids: Ids) -> list[Try]:
    return list({**TRIES, **OPEN}[route](ids))


def check_everything_is_there(site: Site, victim: Victim) -> None:
    """What strangers were refused, the owner gets."""
    with site.api(victim.account) as api:
        assert api.get(f"/jobs/{victim.ids['job']}")["status"] == "finished"
        assert api.get(f"/results/{victim.ids['job']}")
        assert api.http.get(f"/resources/{victim.ids['set']}").status_code == 200
        assert api.get(f"/api-keys/{victim.ids['api_key']}")["id"] == victim.ids["api_key"]
        own = api.credentials()
        for kind, key in victim.objects.items():
            if not kind.startswith("page"):  # those are made when they are first read, which takes a while
                assert call(site, own, "GET", f"{victim.account.id}/{key}").status_code == 200, kind
        assert {user["id"] for user in api.get("/users")} == {victim.account.id}
    with reading(site.engine) as connection:
        assert connection.execute(sa.select(events.c.id).where(events.c.id == victim.ids["event"])).first() is not None
        assert connection.execute(sa.select(users.c.id).where(users.c.id == victim.account.id)).first() is not None
