"""What the storage keeps and what it lets go, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from avatar_gitops.server.accounts import Account, create_user
from avatar_gitops.server.database import inputs, objects, reading, writing
from avatar_gitops.server.expiry import expire
from avatar_gitops.server.jobs import create_job, delete_job, find_job
from avatar_gitops.server.objects import Storage, adopt_file, empty_incoming, find_object, object_row, put_object, sweep
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.queue import claim, publish, requeue
from avatar_gitops.server.receiving import describe_file
from tests.server.api import documents
from tests.server.workshop import open_platform
from tests.support.grounds import Ground


@pytest.fixture
def platform(tmp_path: Path, ground: Ground) -> Iterator[Platform]:
    with open_platform(tmp_path, ground) as made:
        yield made


@pytest.fixture
def owner(platform: Platform) -> Account:
    return create_user(platform.engine, "owner@example.org", "user")


def put(storage: Storage, user: Account, key: str, content: bytes) -> dict[str, Any]:
    path = storage.state.incoming / "body"
    path.write_bytes(content)
    received = describe_file(path)
    row = object_row(user.id, key, adopt_file(storage, path), received, "text/csv")
    put_object(storage, row)
    return row


def blobs(storage: Storage) -> set[str]:
    return set(storage.blobs.names())


def launched(platform: Platform, owner: Account) -> str:
    """A job whose set names the file `people.csv`."""
    from avatar_gitops.server.database import now_text, sets

    row = {"id": "set", "user_id": owner.id, "display_name": "x", "created_at": now_text()}
    with writing(platform.engine) as connection:
        connection.execute(sets.insert().values(**row, documents=documents()))
    return create_job(platform, owner, "set", "standard", [])


def test_an_overwritten_object_goes_unless_a_run_needs_it(platform: Platform, owner: Account) -> None:
    storage, key = platform.storage, f"{platform.retention_prefix}/people.csv"
    first = put(storage, owner, key, b"1")["blob"]
    second = put(storage, owner, key, b"2")["blob"]
    assert blobs(storage) == {second} != {first}
    name = launched(platform, owner)
    third = put(storage, owner, key, b"3")["blob"]
    assert blobs(storage) == {second, third}
    with reading(platform.engine) as connection:
        assert connection.execute(sa.select(inputs.c.blob)).scalars().all() == [second]
    delete_job(platform, owner, name)
    assert blobs(storage) == {third}


def test_old_objects_expire_and_new_ones_stay(platform: Platform, owner: Account) -> None:
    storage = platform.storage
    put(storage, owner, "old", b"1")
    new = put(storage, owner, "new", b"2")
    with writing(platform.engine) as connection:
        update = objects.update().where(objects.c.key == "old")
        connection.execute(update.values(modified_at="2020-01-01T00:00:00.000000+00:00"))
    expire(storage, datetime(2020, 6, 1, tzinfo=UTC))
    assert find_object(storage, owner.id, "old") is None
    assert blobs(storage) == {new["blob"]}


def test_what_an_interrupted_server_left_is_swept(platform: Platform, owner: Account) -> None:
    storage = platform.storage
    kept = put(storage, owner, "kept", b"1")["blob"]
    (storage.state.incoming / "half-a-body").write_bytes(b"x")
    (storage.state.incoming / "half-a-job").mkdir()
    (storage.state.incoming / "file").write_bytes(b"x")
    adopt_file(storage, storage.state.incoming / "file")
    empty_incoming(storage.state)
    sweep(storage, patience=0)
    assert blobs(storage) == {kept}
    assert list(storage.state.incoming.iterdir()) == []


def test_a_worker_that_lost_its_job_publishes_nothing(platform: Platform, owner: Account) -> None:
    name = launched(platform, owner)
    assert claim(platform.engine, "first") is not None
    assert claim(platform.engine, "second") is None
    requeue(platform.engine, owner="first")
    assert claim(platform.engine, "second") is not None
    assert not publish(platform.engine, name, "first", [])
    assert find_job(platform, owner, name)["status"] == "pending"
    assert publish(platform.engine, name, "second", [])
    assert not publish(platform.engine, name, "second", [])
    assert find_job(platform, owner, name)["status"] == "finished"


def test_an_orderly_stop_gives_the_attempt_back(platform: Platform, owner: Account) -> None:
    name = launched(platform, owner)
    for _ in range(5):
        assert claim(platform.engine, "worker") is not None
        requeue(platform.engine, owner="worker", refund=True)
    assert find_job(platform, owner, name)["status"] == "created"
