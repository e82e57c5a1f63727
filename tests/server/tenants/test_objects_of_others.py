"""Nobody reaches a stored object of somebody else: every kind is tried in every way with others' credentials."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import cycle

import pytest

from tests.server.api import Api, documents, people
from tests.server.site import Site
from tests.server.tenants.cast import MEMBERS, Old, Victim, belongings, call, check_everything_is_there
from tests.server.workshop import Workshop

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
@pytest.mark.parametrize("like", MEMBERS[:2])
def test_a_job_reads_no_file_of_somebody_else(
    site: Site, workshop: Workshop, victim: Victim, strangers: dict[str, Api], form: str, like: str
) -> None:
    organization = strangers[like].get("/users/me")["organization_id"]
    with site.api(site.user(f"{uuid.uuid4()}@example.org", "user", organization)) as api:
        set_id = api.put_set(documents(file=form.format(**victim.ids)))
        name = api.launch(set_id, "standard")
        workshop.work()
        job = api.job(name)
        assert job["status"] == "error"
        assert not [row for row in people(120).decode().splitlines()[1:] if row in str(job)]
        assert api.get(f"/results/{name}") == {}


def test_the_victim_still_has_everything(site: Site, victim: Victim) -> None:
    """The last look of this file."""
    check_everything_is_there(site, victim)
