"""Objects of the storage: keys point at immutable blobs, and a blob without pointers is removed.

Keys never become file names: no key can reach outside the state folder, and keys that differ only by case stay apart.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    uploads,
    writing,
)
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.receiving import Received
from avatar_gitops.server.state import StateFolder

RESULTS_FOLDER: Final = "results"
DEFAULT_TYPE: Final = "application/octet-stream"
INCOMING_SECONDS: Final = 86_400.0  # longer than any upload takes

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class StoredObject:
    """One object as the storage shows it."""

    key: str
    blob: str
    size: int
    etag: str
    content_type: str
    modified_at: str


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


def delete_object(storage: Storage, bucket: str, key: str) -> None:
    """Remove the object; an absent one is fine, as in S3."""
    with writing(storage.engine) as connection:
        unused = drop_keys(connection, bucket, [key])
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


def begin_upload(storage: Storage, bucket: str, key: str, content_type: str) -> str:
    """Open a multipart upload; returns its id."""
    upload_id = uuid.uuid4().hex
    row = {"id": upload_id, "bucket": bucket, "key": key, "content_type": content_type, "created_at": now_text()}
    with writing(storage.engine) as connection:
        connection.execute(uploads.insert().values(**row))
    return upload_id


def find_upload(storage: Storage, bucket: str, key: str, upload_id: str) -> str:
    """Content type of an open upload.

    Raises:
        StorageFault: there is no such upload for this key.
    """
    query = sa.select(uploads).where(uploads.c.id == upload_id, uploads.c.bucket == bucket, uploads.c.key == key)
    with reading(storage.engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise StorageFault(404, "NoSuchUpload", "The multipart upload does not exist.")
    return str(row.content_type)


def put_part(storage: Storage, upload_id: str, number: int, received: Received) -> None:
    """Store one part; a part sent again replaces the earlier one."""
    blob = adopt_file(storage, received.path)
    where = (upload_parts.c.upload_id == upload_id) & (upload_parts.c.number == number)
    row = {"upload_id": upload_id, "number": number, "blob": blob, "size": received.size, "etag": received.md5}
    with writing(storage.engine) as connection:
        before = connection.execute(sa.select(upload_parts.c.blob).where(where)).scalar()
        settle(connection, [blob])
        connection.execute(upload_parts.delete().where(where))
        connection.execute(upload_parts.insert().values(**row))
        unused = unreferenced(connection, [before])
    remove_blobs(storage, unused)


def complete_upload(storage: Storage, bucket: str, key: str, upload_id: str, wanted: Sequence[tuple[int, str]]) -> str:
    """Join the wanted parts (number, ETag) in order into the object; returns its ETag.

    Raises:
        StorageFault: a part is missing or is not the one that the client means.
    """
    content_type = find_upload(storage, bucket, key, upload_id)
    query = sa.select(upload_parts).where(upload_parts.c.upload_id == upload_id)
    with reading(storage.engine) as connection:
        parts = {row.number: row for row in connection.execute(query)}
    if not wanted or [number for number, _ in wanted] != sorted({number for number, _ in wanted}):
        raise StorageFault(400, "InvalidPartOrder", "The parts must be listed once each, in ascending order.")
    if any(number not in parts or parts[number].etag != etag for number, etag in wanted):
        raise StorageFault(400, "InvalidPart", "A listed part was not uploaded or has another ETag.")
    joined = storage.state.incoming / uuid.uuid4().hex
    digest = hashlib.md5(usedforsecurity=False)
    with joined.open("xb") as target:
        for number, etag in wanted:
            digest.update(bytes.fromhex(etag))
            target.writelines(storage.blobs.read(parts[number].blob, 0, parts[number].size))
    size = joined.stat().st_size
    etag = f"{digest.hexdigest()}-{len(wanted)}"
    received = Received(joined, size, etag, "", "")
    put_object(storage, object_row(bucket, key, adopt_file(storage, joined), received, content_type))
    abort_upload(storage, bucket, key, upload_id)
    return etag


def abort_upload(storage: Storage, bucket: str, key: str, upload_id: str) -> None:
    """Forget an upload and its parts."""
    find_upload(storage, bucket, key, upload_id)
    query = sa.select(upload_parts.c.blob).where(upload_parts.c.upload_id == upload_id)
    with writing(storage.engine) as connection:
        blobs = list(connection.execute(query).scalars())
        connection.execute(uploads.delete().where(uploads.c.id == upload_id))
        unused = unreferenced(connection, blobs)
    remove_blobs(storage, unused)


def _stored(row: sa.Row[Any]) -> StoredObject:
    return StoredObject(row.key, row.blob, row.size, row.etag, row.content_type, row.modified_at)
