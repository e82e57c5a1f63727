"""Multipart uploads: parts arrive in any order, and become one object in one step."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from avatar_gitops.server.checksums import COMPOSITE, FULL, composite
from avatar_gitops.server.database import now_text, reading, upload_parts, uploads, writing
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.objects import (
    ALWAYS,
    Condition,
    Details,
    Storage,
    adopt_file,
    object_row,
    put_object,
    remove_blobs,
    settle,
    unreferenced,
)
from avatar_gitops.server.receiving import Received, describe_file


@dataclass(slots=True, frozen=True)
class Upload:
    """An open upload. The checksum in its details has no value yet."""

    id: str
    bucket: str
    key: str
    content_type: str
    created_at: str
    details: Details

    @property
    def algorithm(self) -> str | None:
        """The checksum that its parts and the object get."""
        return None if self.details.checksum is None else self.details.checksum[0]


@dataclass(slots=True, frozen=True)
class Part:
    """One part that has arrived."""

    number: int
    blob: str
    size: int
    etag: str
    modified_at: str | None
    details: Details


@dataclass(slots=True, frozen=True)
class Wanted:
    """A part as the client names it when it completes the upload; `checksum` "" when it says none."""

    number: int
    etag: str
    checksum: str = ""


def begin_upload(storage: Storage, bucket: str, key: str, content_type: str, details: Details) -> str:
    """Open a multipart upload; returns its id."""
    upload_id = uuid.uuid4().hex
    row = {"id": upload_id, "bucket": bucket, "key": key, "content_type": content_type, "created_at": now_text()}
    with writing(storage.engine) as connection:
        connection.execute(uploads.insert().values(**row, details=details.text()))
    return upload_id


def find_upload(storage: Storage, bucket: str, key: str, upload_id: str) -> Upload:
    """An open upload.

    Raises:
        StorageFault: there is no such upload for this key.
    """
    query = sa.select(uploads).where(uploads.c.id == upload_id, uploads.c.bucket == bucket, uploads.c.key == key)
    with reading(storage.engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise StorageFault(404, "NoSuchUpload", "The multipart upload does not exist.")
    return _upload(row)


def list_uploads(storage: Storage, bucket: str, prefix: str, after: tuple[str, str], limit: int) -> list[Upload]:
    """Open uploads by key and id, from the one after (key, id)."""
    key, upload_id = after
    query = (
        sa.select(uploads)
        .where(uploads.c.bucket == bucket, sa.func.substr(uploads.c.key, 1, len(prefix)) == prefix)
        .where(sa.or_(uploads.c.key > key, sa.and_(uploads.c.key == key, uploads.c.id > upload_id)))
        .order_by(uploads.c.key, uploads.c.id)
        .limit(limit)
    )
    with reading(storage.engine) as connection:
        return [_upload(row) for row in connection.execute(query)]


def _upload(row: sa.Row[Any]) -> Upload:
    return Upload(row.id, row.bucket, row.key, row.content_type, row.created_at, Details.of(row.details))


def list_parts(storage: Storage, upload: Upload, after: int = 0, limit: int | None = None) -> list[Part]:
    """The parts that have arrived, by number."""
    query = sa.select(upload_parts).where(upload_parts.c.upload_id == upload.id, upload_parts.c.number > after)
    with reading(storage.engine) as connection:
        rows = connection.execute(query.order_by(upload_parts.c.number).limit(limit))
        return [
            Part(row.number, row.blob, row.size, row.etag, row.modified_at, Details.of(row.details)) for row in rows
        ]


def put_part(storage: Storage, upload: Upload, number: int, received: Received) -> None:
    """Store one part; a part sent again replaces the earlier one.

    Raises:
        StorageFault: the upload was completed or aborted meanwhile.
    """
    blob = adopt_file(storage, received.path)
    where = (upload_parts.c.upload_id == upload.id) & (upload_parts.c.number == number)
    checksum = (upload.algorithm, received.checksum, FULL) if upload.algorithm and received.checksum else None
    row = {
        "upload_id": upload.id,
        "number": number,
        "blob": blob,
        "size": received.size,
        "etag": received.md5,
        "modified_at": now_text(),
        "details": Details(checksum=checksum).text(),
    }
    with writing(storage.engine) as connection:
        is_open = sa.select(uploads.c.id).where(uploads.c.id == upload.id)
        if connection.execute(is_open).first() is None:
            raise StorageFault(404, "NoSuchUpload", "The multipart upload does not exist.")
        before = connection.execute(sa.select(upload_parts.c.blob).where(where)).scalar()
        settle(connection, [blob])
        connection.execute(upload_parts.delete().where(where))
        connection.execute(upload_parts.insert().values(**row))
        unused = unreferenced(connection, [before])
    remove_blobs(storage, unused)


def complete_upload(
    storage: Storage, upload: Upload, wanted: Sequence[Wanted], declared: str | None, condition: Condition = ALWAYS
) -> tuple[str, Details]:
    """Join the wanted parts in order into the object; returns its ETag and details.

    `declared` is the checksum of the whole that the client expects, None when it expects none.

    Raises:
        StorageFault: a part is missing or is not the one that the client means, or the whole is another one.
    """
    parts = _chosen(list_parts(storage, upload), wanted)
    joined = storage.state.incoming / uuid.uuid4().hex
    try:
        received = _join(storage, upload, parts, joined)
        details = replace(
            upload.details, checksum=_checksum(upload, parts, received), parts=tuple(part.size for part in parts)
        )
        if declared is not None and details.checksum is not None and declared != details.checksum[1]:
            raise StorageFault(400, "BadDigest", "The object does not have the declared checksum.")
        row = object_row(upload.bucket, upload.key, adopt_file(storage, joined), received, upload.content_type)
    finally:
        joined.unlink(missing_ok=True)
    put_object(storage, {**row, "details": details.text()}, condition)
    abort_upload(storage, upload)
    return received.md5, details


def _chosen(there: Sequence[Part], wanted: Sequence[Wanted]) -> list[Part]:
    if not wanted or [part.number for part in wanted] != sorted({part.number for part in wanted}):
        raise StorageFault(400, "InvalidPartOrder", "The parts must be listed once each, in ascending order.")
    parts = {part.number: part for part in there}
    for item in wanted:
        found = parts.get(item.number)
        known = found.details.checksum[1] if found is not None and found.details.checksum is not None else ""
        if found is None or found.etag != item.etag or (item.checksum and item.checksum != known):
            raise StorageFault(
                400, "InvalidPart", f"Part {item.number} was not uploaded, or has another ETag or checksum."
            )
    return [parts[item.number] for item in wanted]


def _join(storage: Storage, upload: Upload, parts: Sequence[Part], joined: Path) -> Received:
    digest = hashlib.md5(usedforsecurity=False)
    with joined.open("xb") as target:
        for part in parts:
            digest.update(bytes.fromhex(part.etag))
            target.writelines(storage.blobs.read(part.blob, 0, part.size))
    full = upload.details.checksum is not None and upload.details.checksum[2] == FULL
    described = describe_file(joined, upload.algorithm if full else None)
    return replace(described, md5=f"{digest.hexdigest()}-{len(parts)}")


def _checksum(upload: Upload, parts: Sequence[Part], received: Received) -> tuple[str, str, str] | None:
    if upload.details.checksum is None:
        return None
    algorithm, _, kind = upload.details.checksum
    if kind == FULL:
        return algorithm, received.checksum, FULL
    values = [part.details.checksum[1] for part in parts if part.details.checksum is not None]
    return (algorithm, composite(algorithm, values), COMPOSITE) if len(values) == len(parts) else None


def abort_upload(storage: Storage, upload: Upload) -> None:
    """Forget an upload and its parts."""
    query = sa.select(upload_parts.c.blob).where(upload_parts.c.upload_id == upload.id)
    with writing(storage.engine) as connection:
        blobs = list(connection.execute(query).scalars())
        connection.execute(uploads.delete().where(uploads.c.id == upload.id))
        unused = unreferenced(connection, blobs)
    remove_blobs(storage, unused)
