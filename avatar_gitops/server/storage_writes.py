"""PUT, copy and DELETE of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server import objects as store
from avatar_gitops.server.checksums import FULL, HEADER, declared_checksum
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.listing import copy_xml, deletions_xml
from avatar_gitops.server.objects import DEFAULT_TYPE, Details, StoredObject
from avatar_gitops.server.receiving import Received
from avatar_gitops.server.storage_calls import (
    Call,
    decoded_key,
    parsed,
    receive,
    refuse_protected,
    small_body,
    write_condition,
)
from avatar_gitops.server.storage_reads import check_copy_source, found

XML: Final = "application/xml"
KEPT_HEADERS: Final = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
METADATA: Final = "x-amz-meta-"
MAXIMUM_METADATA: Final = 2048
MAXIMUM_DELETIONS: Final = 1000
# What would promise something that this storage does not do.
NOT_OFFERED: Final = (
    "x-amz-server-side-encryption",
    "x-amz-tagging",
    "x-amz-object-lock-",
    "x-amz-website-redirect-location",
    "x-amz-grant-",
    "x-amz-write-offset-bytes",
)


def refuse_promises(headers: Mapping[str, str]) -> None:
    """Raise StorageFault for headers that ask for what this storage does not do: it never claims a protection."""
    for name in headers:
        if name.startswith(NOT_OFFERED):
            raise StorageFault(501, "NotImplemented", f"This storage does not offer {name}.")
    if headers.get("x-amz-acl", "private") not in {"private", "bucket-owner-full-control"}:
        raise StorageFault(501, "NotImplemented", "Objects of this storage are always private.")
    if headers.get("x-amz-storage-class", "STANDARD") != "STANDARD":
        raise StorageFault(400, "InvalidStorageClass", "The only storage class is STANDARD.")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that come back with the object.

    Raises:
        StorageFault: the user metadata is larger than S3 allows.
    """
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    codings = [item.strip() for item in kept.pop("content-encoding", "").split(",")]
    codings = [item for item in codings if item and item != "aws-chunked"]
    if codings:
        kept["content-encoding"] = ",".join(codings)
    metadata = {name: value for name, value in headers.items() if name.startswith(METADATA)}
    if sum(len(name) - len(METADATA) + len(value) for name, value in metadata.items()) > MAXIMUM_METADATA:
        raise StorageFault(400, "MetadataTooLarge", f"User metadata may have at most {MAXIMUM_METADATA} bytes.")
    return kept | metadata


def content_type(headers: Mapping[str, str]) -> str:
    """The declared type of the content, or that of bytes."""
    return headers.get("content-type") or DEFAULT_TYPE


async def put_object(call: Call) -> Response:
    """Answer of PutObject."""
    refuse_protected(call)
    refuse_promises(call.headers)
    condition, headers = write_condition(call), kept_headers(call.headers)
    received = await receive(call)
    declared = declared_checksum(call.headers)
    checksum = None if declared is None else (declared.algorithm, received.checksum, FULL)

    def publish() -> None:
        blob = store.adopt_file(call.storage, received.path)
        row = store.object_row(call.bucket, call.key, blob, received, content_type(call.headers))
        store.put_object(call.storage, {**row, "details": Details(headers, checksum).text()}, condition)

    try:
        await run_in_threadpool(publish)
    finally:
        received.path.unlink(missing_ok=True)
    return Response(status_code=200, headers=written_headers(received, checksum), media_type=XML)


def written_headers(received: Received, checksum: tuple[str, str, str] | None) -> dict[str, str]:
    """Headers of an answer that tells of bytes that were stored."""
    said = {} if checksum is None else {f"{HEADER}{checksum[0]}": checksum[1]}
    return {"ETag": f'"{received.md5}"', **said}


def copy_source(call: Call) -> StoredObject:
    """The object that a copy takes, whose conditions hold.

    Raises:
        StorageFault: there is none in the caller's bucket.
    """
    path, _, version = call.headers["x-amz-copy-source"].partition("?versionId=")
    bucket, _, raw_key = path.removeprefix("/").partition("/")
    if unquote(bucket) != call.bucket:
        raise StorageFault(403, "AccessDenied", "This bucket belongs to someone else or does not exist.")
    if version not in {"", "null"}:
        raise StorageFault(501, "NotImplemented", "This storage does not keep versions.")
    stored = found(call, decoded_key(raw_key))
    check_copy_source(call.headers, stored)
    return stored


def copy_object(call: Call) -> Response:
    """Answer of CopyObject."""
    refuse_protected(call)
    refuse_promises(call.headers)
    directive = call.headers.get("x-amz-metadata-directive", "COPY").upper()
    if directive not in {"COPY", "REPLACE"}:
        raise StorageFault(400, "InvalidArgument", "The metadata directive can be COPY or REPLACE.")
    source = copy_source(call)
    if source.key == call.key and directive == "COPY":
        raise StorageFault(400, "InvalidRequest", "A copy of an object onto itself must change its metadata.")
    row: dict[str, Any] = {"bucket": call.bucket, "key": call.key, "size": source.size, "etag": source.etag}
    details, kind = source.details, source.content_type
    if directive == "REPLACE":
        details = Details(kept_headers(call.headers), details.checksum, details.parts)
        kind = content_type(call.headers)
    row |= {"content_type": kind, "details": details.text()}
    store.copy_object(call.storage, source, row, write_condition(call))
    return Response(copy_xml("CopyObjectResult", found(call)), media_type=XML)


def delete_object(call: Call) -> Response:
    """Answer of DeleteObject."""
    refuse_protected(call)
    wanted = call.headers.get("if-match")
    condition = store.ALWAYS if wanted is None else store.Condition(etag=wanted.strip().strip('"'))
    store.delete_objects(call.storage, call.bucket, [call.key], condition)
    return Response(status_code=204, headers={"Content-Type": XML})


async def delete_many(call: Call) -> Response:
    """Answer of DeleteObjects."""
    root = parsed(await small_body(call))
    keys = [item.findtext("{*}Key", "") for item in root.findall("{*}Object")]
    if not 1 <= len(keys) <= MAXIMUM_DELETIONS or "" in keys:
        raise StorageFault(400, "MalformedXML", f"Name 1 to {MAXIMUM_DELETIONS} keys to delete.")
    refused = {key for key in keys if key.startswith(call.protected_prefix)}
    allowed = [key for key in keys if key not in refused]
    await run_in_threadpool(store.delete_objects, call.storage, call.bucket, allowed)
    quiet = root.findtext("{*}Quiet", "").strip().lower() == "true"
    return Response(deletions_xml([] if quiet else allowed, sorted(refused)), media_type=XML)
