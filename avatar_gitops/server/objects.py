"""Objects of the storage: keys point at immutable blobs, and a blob without pointers is removed.

Keys never become file names: no key can reach outside the state folder, and keys that differ only by case stay apart.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.blobs import Blobs, FolderBlobs
from avatar_gitops.server.database import (
    incoming_blobs,
    inputs,
    now_text,
    objects,
    reading,
    upload_parts,
    writing,
)
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.receiving import Received
from avatar_gitops.server.state import StateFolder

RESULTS_FOLDER: Final = "results"
DEFAULT_TYPE: Final = "application/octet-stream"
AFTER_EVERY_KEY: Final = "\U0010ffff"
INCOMING_SECONDS: Final = 86_400.0  # longer than any upload takes

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class Details:
    """What S3 keeps beside the bytes: headers that come back with them, a checksum, the sizes of the parts.

    `checksum` is (algorithm, base64 value, type), as the headers of S3 name them.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    checksum: tuple[str, str, str] | None = None
    parts: tuple[int, ...] = ()

    def text(self) -> str:
        """As it is stored."""
        return json.dumps({"headers": dict(self.headers), "checksum": self.checksum, "parts": self.parts})

    @classmethod
    def of(cls, text: str | None) -> Details:
        """From what is stored; objects of jobs and of the first release have nothing there."""
        if text is None:
            return NO_DETAILS
        plain = json.loads(text)
        checksum = plain["checksum"]
        return cls(plain["headers"], tuple(checksum) if checksum else None, tuple(plain["parts"]))


NO_DETAILS: Final = Details()


@dataclass(slots=True, frozen=True)
class StoredObject:
    """One object as the storage shows it."""

    key: str
    blob: str
    size: int
    etag: str
    content_type: str
    modified_at: str
    details: Details


@dataclass(slots=True, frozen=True)
class Storage:
    """The database and the folder that together hold the objects."""

    engine: sa.Engine
    state: StateFolder
    bucket: Blobs | None = None  # None: the blobs are files of the state folder

    @property
    def blobs(self) -> Blobs:
        return self.bucket or FolderBlobs(self.state.blobs)

    @contextmanager
    def file(self, blob: str) -> Iterator[Path]:
        """A file with the bytes of a blob, for reading."""
        folder = self.state.incoming / uuid.uuid4().hex
        try:
            yield self.blobs.local(blob, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def adopt_file(storage: Storage, path: Path) -> str:
    """Move a complete file among the blobs; returns the blob's name.

    It is on record as incoming first, so that a sweep leaves it alone, and a server that dies leaves no more than
    garbage that a later sweep finds.
    """
    blob = uuid.uuid4().hex
    with writing(storage.engine) as connection:
        connection.execute(incoming_blobs.insert().values(blob=blob, touched_at=time.time()))
    storage.blobs.adopt(path, blob)
    return blob


def settle(connection: sa.Connection, blobs: Sequence[str]) -> None:
    """Take blobs off the record of incoming ones, in the transaction that lets something point at them.

    Raises:
        StorageFault: one was on its way for so long that it was taken for garbage.
    """
    where = incoming_blobs.c.blob.in_(blobs)
    if connection.execute(incoming_blobs.delete().where(where)).rowcount != len(set(blobs)):
        raise StorageFault(503, "SlowDown", "The object took too long to arrive. Send it again.")


def object_row(bucket: str, key: str, blob: str, received: Received, content_type: str) -> dict[str, Any]:
    """The database row of a received object."""
    return {
        "bucket": bucket,
        "key": key,
        "blob": blob,
        "size": received.size,
        "etag": received.md5,
        "content_type": content_type,
        "modified_at": now_text(),
    }


@dataclass(slots=True, frozen=True)
class Condition:
    """What must hold for a write: the object is `absent`, or it has this ETag (`*` for any)."""

    absent: bool = False
    etag: str | None = None

    def check(self, before: str | None) -> None:
        """Raise StorageFault unless it holds for an object with this ETag, None when there is none."""
        if self.absent and before is not None:
            raise StorageFault(412, "PreconditionFailed", "The object exists already.")
        if self.etag is not None and before is None:
            raise StorageFault(404, "NoSuchKey", "The object does not exist.")
        if self.etag not in {None, "*", before}:
            raise StorageFault(412, "PreconditionFailed", "The object has changed.")


ALWAYS: Final = Condition()


def put_object(storage: Storage, row: dict[str, Any], condition: Condition = ALWAYS) -> None:
    """Let the key point at the row's blob, now and completely; nothing can come between the condition and the write.

    Raises:
        StorageFault: the condition does not hold; the row's blob is removed then.
    """
    where = (objects.c.bucket == row["bucket"]) & (objects.c.key == row["key"])
    try:
        with writing(storage.engine) as connection:
            before = connection.execute(sa.select(objects.c.blob, objects.c.etag).where(where)).one_or_none()
            condition.check(None if before is None else before.etag)
            settle(connection, [row["blob"]])
            connection.execute(objects.delete().where(where))
            connection.execute(objects.insert().values(**row))
            unused = unreferenced(connection, [] if before is None else [before.blob])
    except StorageFault:
        remove_blobs(storage, [row["blob"]])
        raise
    remove_blobs(storage, unused)


def find_object(storage: Storage, bucket: str, key: str) -> StoredObject | None:
    """The object, or None."""
    query = sa.select(objects).where(objects.c.bucket == bucket, objects.c.key == key)
    with reading(storage.engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _stored(row)


def delete_objects(storage: Storage, bucket: str, keys: Sequence[str], condition: Condition = ALWAYS) -> None:
    """Remove objects; an absent one is fine, as in S3, unless the condition says otherwise.

    Raises:
        StorageFault: the condition does not hold; nothing is removed then.
    """
    with writing(storage.engine) as connection:
        if condition is not ALWAYS:
            found = sa.select(objects.c.etag).where(objects.c.bucket == bucket, objects.c.key.in_(keys))
            condition.check(connection.execute(found).scalar())
        unused = drop_keys(connection, bucket, keys)
    remove_blobs(storage, unused)


def copy_object(storage: Storage, source: StoredObject, row: dict[str, Any], condition: Condition = ALWAYS) -> None:
    """Let a second key point at the blob of an object: copying moves no bytes.

    Raises:
        StorageFault: the source is no longer there, or the condition does not hold.
    """
    where = (objects.c.bucket == row["bucket"]) & (objects.c.key == row["key"])
    with writing(storage.engine) as connection:
        is_there = sa.select(objects.c.key).where(objects.c.bucket == row["bucket"], objects.c.blob == source.blob)
        if connection.execute(is_there.limit(1)).first() is None:
            raise StorageFault(404, "NoSuchKey", "The object to copy does not exist any more.")
        before = connection.execute(sa.select(objects.c.blob, objects.c.etag).where(where)).one_or_none()
        condition.check(None if before is None else before.etag)
        connection.execute(objects.delete().where(where))
        connection.execute(objects.insert().values(**row, blob=source.blob, modified_at=now_text()))
        unused = unreferenced(connection, [] if before is None else [before.blob])
    remove_blobs(storage, unused)


def drop_keys(connection: sa.Connection, bucket: str, keys: Iterable[str]) -> list[str]:
    """Remove objects inside a transaction; returns the blobs to remove after it."""
    where = (objects.c.bucket == bucket) & objects.c.key.in_(list(keys))
    blobs = list(connection.execute(sa.select(objects.c.blob).where(where)).scalars())
    connection.execute(objects.delete().where(where))
    return unreferenced(connection, blobs)


def scan_objects(storage: Storage, bucket: str, *, prefix: str, after: str, limit: int) -> list[StoredObject]:
    """Objects whose key starts with the prefix and is greater than `after`, in key order."""
    query = (
        sa.select(objects)
        .where(objects.c.bucket == bucket, objects.c.key > after)
        .where(objects.c.key >= prefix, objects.c.key <= prefix + AFTER_EVERY_KEY)  # what the index can use
        .where(sa.func.substr(objects.c.key, 1, len(prefix)) == prefix)
        .order_by(objects.c.key)
        .limit(limit)
    )
    with reading(storage.engine) as connection:
        return [_stored(row) for row in connection.execute(query)]


def unreferenced(connection: sa.Connection, blobs: Sequence[str | None]) -> list[str]:
    """Those of the blobs that nothing points at."""
    names = {blob for blob in blobs if blob is not None}
    for table in (objects, inputs, upload_parts):
        found = connection.execute(sa.select(table.c.blob).where(table.c.blob.in_(names)))
        names -= set(found.scalars())
    return sorted(names)


def remove_blobs(storage: Storage, blobs: Iterable[str]) -> None:
    """Remove blobs that nothing points at; a later sweep takes what cannot be removed now."""
    for blob in blobs:
        try:
            storage.blobs.remove(blob)
        except OSError as error:
            log.warning("a blob that nothing points at stays for now: %s", error)


def empty_incoming(state: StateFolder) -> None:
    """At start: remove the unfinished files of the server that was here before."""
    for path in state.incoming.iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def sweep(storage: Storage, patience: float = INCOMING_SECONDS) -> None:
    """Remove blobs that nothing points at, but for those that are on record as incoming and younger than `patience`.

    A blob is on record before its first byte is written, and points are read after the blobs are listed: so nothing
    that is being written is ever taken for garbage, whichever server writes it.
    """
    names = list(storage.blobs.names())
    with writing(storage.engine) as connection:
        stale = incoming_blobs.c.touched_at < time.time() - patience
        connection.execute(incoming_blobs.delete().where(stale))
        known: set[str] = set()
        for table in (objects, inputs, upload_parts, incoming_blobs):
            known |= set(connection.execute(sa.select(table.c.blob)).scalars())
    remove_blobs(storage, (name for name in names if name not in known))


def _stored(row: sa.Row[Any]) -> StoredObject:
    details = Details.of(row.details)
    return StoredObject(row.key, row.blob, row.size, row.etag, row.content_type, row.modified_at, details)
