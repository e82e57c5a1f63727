"""Objects of the storage: keys point at immutable blobs, and a blob without pointers is removed.

Keys never become file names: no key can reach outside the state folder, and keys that differ only by case stay apart.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.database import inputs, now_text, objects, reading, upload_parts, uploads, writing
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.receiving import Received
from avatar_gitops.server.state import StateFolder

RESULTS_FOLDER: Final = "results"
DEFAULT_TYPE: Final = "application/octet-stream"
COPY_BUFFER: Final = 1 << 20


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

    def blob_path(self, blob: str) -> Path:
        """File of a blob."""
        return self.state.blobs / blob[:2] / blob


def adopt_file(storage: Storage, path: Path) -> str:
    """Move a complete file into the blob folder; returns the blob's name."""
    blob = uuid.uuid4().hex
    target = storage.blob_path(blob)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    path.replace(target)
    return blob


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
    """Remove files that nothing points at; readers that have one open keep reading it."""
    for blob in blobs:
        storage.blob_path(blob).unlink(missing_ok=True)


def sweep(storage: Storage) -> None:
    """At start: remove what an interrupted server left behind."""
    for path in storage.state.incoming.iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    with writing(storage.engine) as connection:
        files = [path for path in storage.state.blobs.glob("*/*") if path.is_file()]
        known: set[str] = set()
        for table in (objects, inputs, upload_parts):
            known |= set(connection.execute(sa.select(table.c.blob)).scalars())
    for path in files:
        if path.name not in known:
            path.unlink()


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
            with storage.blob_path(parts[number].blob).open("rb") as source:
                shutil.copyfileobj(source, target, COPY_BUFFER)
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


def expire(storage: Storage, before: str) -> None:
    """Remove objects and abandoned uploads older than that moment; their results then read as gone."""
    with writing(storage.engine) as connection:
        old = objects.c.modified_at < before
        blobs = list(connection.execute(sa.select(objects.c.blob).where(old)).scalars())
        connection.execute(objects.delete().where(old))
        stale = sa.select(uploads.c.id).where(uploads.c.created_at < before)
        parts = sa.select(upload_parts.c.blob).where(upload_parts.c.upload_id.in_(stale))
        blobs += list(connection.execute(parts).scalars())
        connection.execute(uploads.delete().where(uploads.c.created_at < before))
        unused = unreferenced(connection, blobs)
    remove_blobs(storage, unused)
