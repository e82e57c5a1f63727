"""Nobody reaches what belongs to somebody else: every route and every stored object, tried with others' credentials.

The victim has a finished run with all results, keys, a sign-in and an unfinished upload. The strangers are users and
administrators of the same and of another organization, and people whose credentials are not valid any more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

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
from avatar_gitops.server.accounts.deletion import _belongs
from avatar_gitops.server.accounts.keys import hash_secret
from avatar_gitops.server.database import (
    api_keys,
    events,
    metadata,
    objects,
    reading,
    sign_in_tokens,
    text_of,
    users,
    writing,
)
from avatar_gitops.server.naming import FIGURE, PAGE
from tests.server.api import Api, documents, people
from tests.server.signing import signed
from tests.server.site import Site, serve_here
from tests.server.strangers import OPEN, TRIES, Ids, Try, nobody, routes
from tests.server.workshop import Workshop

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


@pytest.fixture(scope="module")
def site(workshop: Workshop) -> Iterator[Site]:
    with serve_here(workshop.platform) as made:
        yield made


@pytest.fixture(autouse=True)
def unlimited(site: Site) -> None:
    site.clock.now += 100_000


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


@dataclass
class Old:
    """Credentials that were valid once: the header of the API, and the pair for the storage noted down at that time."""

    header: str
    pair: dict[str, str] | None


@pytest.fixture(scope="module")
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


def tries(route: str, ids: Ids) -> list[Try]:
    return list({**TRIES, **OPEN}[route](ids))


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


BUCKET_QUERIES = (
    "",
    "list-type=2",
    "list-type=2&prefix=3650d",
    "location=",
    "uploads=",
    "versions=",
    "acl=",
    "policy=",
)
KEY_TRIES: dict[str, tuple[str, str]] = {
    "read": ("GET", ""),
    "look": ("HEAD", ""),
    "overwrite": ("PUT", ""),
    "remove": ("DELETE", ""),
    "begin an upload": ("POST", "uploads="),
    "list parts": ("GET", "uploadId={upload}"),
    "add a part": ("PUT", "partNumber=1&uploadId={upload}"),
    "complete an upload": ("POST", "uploadId={upload}"),
    "abort an upload": ("DELETE", "uploadId={upload}"),
    "read its tags": ("GET", "tagging="),
    "read its attributes": ("GET", "attributes="),
}


def pairs(site: Site, strangers: dict[str, Api], olds: dict[str, Old]) -> dict[str, dict[str, str]]:
    """Every pair for the storage that must not open the victim's bucket."""
    found = {who: api.credentials() for who, api in strangers.items()}
    found |= {who: old.pair for who, old in olds.items() if old.pair is not None}
    return found


def test_every_kind_of_object_is_there_to_be_tried(victim: Victim) -> None:
    assert {kind.partition(" ")[0] for kind in victim.objects} == {"upload", "result", "page"}
    assert len(victim.objects) > 12, victim.objects


Call = tuple[str, str, str, str]  # who calls, method, path, query


def calls_on_objects(victim: Victim, people_of: list[str]) -> Iterator[Call]:
    """Everything that can be done to an object, on one object of each kind."""
    for kind, key in {**victim.objects, "unfinished upload": "3650d/half.csv", "no object": "3650d/no"}.items():
        for what, (method, query) in KEY_TRIES.items():
            for who in people_of:
                said = f"{who}, {what}, {kind}"
                yield said, method, f"{victim.account.id}/{key}", query.format(upload=victim.upload)


def calls_on_buckets(victim: Victim, people_of: list[str]) -> Iterator[Call]:
    """Everything that can be done to a bucket, on the victim's and on some that look like it."""
    for bucket in (victim.account.id, f"{victim.account.id}/", victim.account.id.upper(), "", "other"):
        for query in BUCKET_QUERIES:
            for method in ("GET", "HEAD", "PUT", "DELETE"):
                for who in people_of:
                    yield f"{who}, {bucket or 'all buckets'}", method, bucket, query


def check_refused(site: Site, victim: Victim, found: dict[str, dict[str, str]], calls: Iterable[Call]) -> None:
    """Every call is refused, tells nothing, and leaves everything as it was."""
    before = belongings(site, victim.account)
    for said, method, path, query in calls:
        answer = call(site, found[said.partition(", ")[0]], method, path, query=query, content=b"")
        own_buckets = {200} if (method, path) == ("GET", "") else set()
        assert answer.status_code in {403, 404} | own_buckets, f"{said}: {method} {path}?{query}"
        assert answer.status_code == 403 or not path.startswith(victim.account.id), said
        assert not [mark for mark in victim.marks if mark in answer.text], said
    every = "".join(f"<Object><Key>{key}</Key></Object>" for key in victim.objects.values())
    for pair in found.values():
        deletion = f"<Delete>{every}</Delete>".encode()
        assert call(site, pair, "POST", victim.account.id, query="delete=", content=deletion).status_code == 403
    assert belongings(site, victim.account) == before


def test_objects_and_buckets_are_refused_to_other_keys(
    site: Site, victim: Victim, strangers: dict[str, Api], olds: dict[str, Old]
) -> None:
    """Every call on every kind of object is tried; the callers take turns. All calls by all of them: see below."""
    found = pairs(site, strangers, olds)
    turns = cycle(found)
    every = (*calls_on_objects(victim, [""]), *calls_on_buckets(victim, [""]))
    check_refused(site, victim, found, [(f"{next(turns)}{each[0]}", *each[1:]) for each in every])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_calls_are_refused_to_all_others(
    site: Site, victim: Victim, strangers: dict[str, Api], olds: dict[str, Old]
) -> None:
    found = pairs(site, strangers, olds)
    each = (*calls_on_objects(victim, list(found)), *calls_on_buckets(victim, list(found)))
    check_refused(site, victim, found, each)


def test_nothing_is_copied_out_of_a_foreign_bucket(site: Site, victim: Victim, strangers: dict[str, Api]) -> None:
    for (kind, key), (who, api), slash in zip(victim.objects.items(), cycle(strangers.items()), cycle(["/", "", ""])):
        path = f"{api.bucket}/3650d/stolen"
        headers = {"x-amz-copy-source": f"{slash}{victim.account.id}/{key}"}
        answer = call(site, api.credentials(), "PUT", path, headers=headers, content=b"")
        assert answer.status_code in {403, 404, 501}, f"{who}, {kind}: {answer.text}"
        assert call(site, api.credentials(), "GET", path).status_code == 404


def test_the_own_bucket_is_open_and_paths_do_not_lead_out_of_it(
    site: Site, victim: Victim, strangers: dict[str, Api]
) -> None:
    """The refusals above are no accident of a wrong signature: the same calls on the own bucket succeed."""
    for api in strangers.values():
        own = api.credentials()
        assert call(site, own, "GET", api.bucket, query="list-type=2").status_code == 200
        assert call(site, own, "PUT", f"{api.bucket}/3650d/mine", content=b"mine").status_code == 200
        assert call(site, own, "GET", f"{api.bucket}/3650d/mine").text == "mine"
        for key in victim.objects.values():
            for path in (
                f"{api.bucket}/%2e%2e/{victim.account.id}/{key}",
                f"{api.bucket}%2f..%2f{victim.account.id}/{key}",
            ):
                answer = call(site, own, "GET", path)
                assert answer.status_code in {403, 404}
                assert not [mark for mark in victim.marks if mark in answer.text]


def test_a_pair_that_is_forged_from_a_foreign_id_opens_nothing(
    site: Site, victim: Victim, strangers: dict[str, Api]
) -> None:
    own = strangers[MEMBERS[0]].credentials()
    with site.api(victim.account) as api:
        theirs = api.credentials()["access_key_id"]
    for forged in (theirs, theirs.lower(), f"AG{victim.account.id.replace('-', '').upper()}"):
        pair = {**own, "access_key_id": forged}
        assert call(site, pair, "GET", victim.account.id, query="list-type=2").status_code == 403


@pytest.mark.parametrize(
    "form", ["../../{user}/3650d/people.csv", "{key}", "people.csv", "s3://{user}/3650d/people.csv"]
)
def test_a_job_reads_no_file_of_somebody_else(
    site: Site, workshop: Workshop, victim: Victim, strangers: dict[str, Api], form: str
) -> None:
    api = strangers[MEMBERS[1]]
    set_id = api.put_set(documents(file=form.format(**victim.ids)))
    name = api.launch(set_id, "standard")
    workshop.work()
    job = api.job(name)
    assert job["status"] == "error"
    assert not [row for row in people(120).decode().splitlines()[1:] if row in str(job)]
    assert api.get(f"/results/{name}") == {}


def test_the_victim_still_has_everything(site: Site, victim: Victim) -> None:
    """The last look of this file: what strangers were refused, the owner gets."""
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
