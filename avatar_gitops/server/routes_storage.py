"""The S3-compatible object storage under `/storage`: path style, Signature V4, each user in a bucket of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote_to_bytes
from xml.etree import ElementTree

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server import objects as store
from avatar_gitops.server.accounts import Account, account_of_access_key, storage_key
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.file_events import act_on_file, record_file
from avatar_gitops.server.listing import deletions_xml, error_xml, list_objects, location_xml, xml_document
from avatar_gitops.server.objects import DEFAULT_TYPE, RESULTS_FOLDER, Storage, StoredObject
from avatar_gitops.server.pages import make_page
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.receiving import AwsChunkedDecoder, Received, Receiver
from avatar_gitops.server.signature import STREAMING_UNSIGNED, UNSIGNED_PAYLOAD, SignedRequest, verify
from avatar_gitops.wire.routes import STORAGE_PREFIX

METHODS: Final = ["GET", "HEAD", "PUT", "POST", "DELETE"]
RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
MAXIMUM_XML: Final = 4 << 20
MAXIMUM_KEY_BYTES: Final = 1024
MAXIMUM_DELETIONS: Final = 1000


@dataclass(slots=True, frozen=True)
class Call:
    """One signed call: who, on which key, with which parameters."""

    storage: Storage
    request: Request
    bucket: str
    key: str
    query: dict[str, str]
    maximum_bytes: int
    protected_prefix: str


async def handle(request: Request) -> Response:
    """Answer any request below `/storage`; refusals come back as S3's XML errors."""
    try:
        call = await run_in_threadpool(_authorized, request)
        answer = await _dispatch(call)
        await _tell(call, answer)
        return answer
    except StorageFault as fault:
        body = b"" if request.method == "HEAD" else error_xml(fault)
        return Response(body, fault.status, media_type="application/xml")


async def _tell(call: Call, answer: Response) -> None:
    """Write into the event log what the call did to a file."""
    is_about_files = bool(call.key) or "delete" in call.query
    method = "DELETE" if "delete" in call.query else call.request.method
    verb = act_on_file(method, call.query, answer.status_code, answer.headers) if is_about_files else None
    if verb is not None:
        await run_in_threadpool(record_file, call.storage.engine, call.bucket, verb)


async def _dispatch(call: Call) -> Response:
    match call.request.method, bool(call.key):
        case "PUT" | "HEAD", False:
            return Response(status_code=200, media_type="application/xml")
        case "GET", False:
            xml = location_xml() if "location" in call.query else await run_in_threadpool(_listing, call)
            return Response(xml, media_type="application/xml")
        case "POST", False if "delete" in call.query:
            return await _delete_many(call)
        case "HEAD", True:
            return await run_in_threadpool(_head, call)
        case "GET", True:
            return await run_in_threadpool(_get, call)
        case "PUT", True:
            return await _put(call)
        case "POST", True:
            return await _post(call)
        case "DELETE", True:
            return await run_in_threadpool(_delete, call)
    raise StorageFault(501, "NotImplemented", "This storage does not offer this operation.")


def _authorized(request: Request) -> Call:
    platform: Platform = request.app.state.platform
    raw_path = request.scope["raw_path"].decode("ascii")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    signed = SignedRequest(request.method, raw_path, request.url.query, headers)

    signer: Account | None = None

    def secret_of(access_key_id: str) -> str | None:
        nonlocal signer
        signer = account_of_access_key(platform.engine, access_key_id)
        if signer is None or signer.credential is None:
            return None
        return storage_key(platform.installation_secret, signer.credential).secret_access_key

    verify(signed, secret_of, datetime.now(UTC))
    bucket, _, raw_key = raw_path.removeprefix(STORAGE_PREFIX).lstrip("/").partition("/")
    if signer is None or bucket != signer.id:
        raise StorageFault(403, "AccessDenied", "This bucket belongs to someone else or does not exist.")
    query = {name: values[0] for name, values in parse_qs(request.url.query, keep_blank_values=True).items()}
    protected = f"{platform.retention_prefix}/{RESULTS_FOLDER}/"
    return Call(
        platform.storage, request, bucket, _decoded_key(raw_key), query, platform.maximum_object_bytes, protected
    )


def _decoded_key(raw_key: str) -> str:
    """Percent-decode exactly once; a plus sign stays a plus sign."""
    decoded = unquote_to_bytes(raw_key)
    if len(decoded) > MAXIMUM_KEY_BYTES:
        raise StorageFault(400, "KeyTooLongError", f"A key may have at most {MAXIMUM_KEY_BYTES} bytes.")
    try:
        key = decoded.decode("utf-8")
    except UnicodeDecodeError:
        raise StorageFault(400, "InvalidURI", "The key is not UTF-8.") from None
    if "\0" in key:
        raise StorageFault(400, "InvalidURI", "A key cannot have a NUL character.")
    return key


def _listing(call: Call) -> bytes:
    return list_objects(call.storage, call.bucket, call.query)


def _found(call: Call) -> StoredObject:
    stored = store.find_object(call.storage, call.bucket, call.key)
    if stored is None and call.key.startswith(call.protected_prefix):  # what users upload is never made into pages
        stored = make_page(call.storage, call.bucket, call.key)
    if stored is None:
        raise StorageFault(404, "NoSuchKey", "The object does not exist.")
    wanted = call.request.headers.get("if-match")
    if wanted is not None and wanted.strip('"') not in {stored.etag, "*"}:
        raise StorageFault(412, "PreconditionFailed", "The object has changed.")
    return stored


def _headers(stored: StoredObject) -> dict[str, str]:
    modified = datetime.fromisoformat(stored.modified_at)
    return {
        "ETag": f'"{stored.etag}"',
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Type": stored.content_type,
    }


def _head(call: Call) -> Response:
    stored = _found(call)
    return Response(status_code=200, headers={**_headers(stored), "Content-Length": str(stored.size)})


def _get(call: Call) -> Response:
    stored, window, pieces = _open(call)
    start, end = window or (0, stored.size)
    headers = {**_headers(stored), "Content-Length": str(end - start)}
    if window:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
    return StreamingResponse(pieces, 206 if window else 200, headers)


def _open(call: Call) -> tuple[StoredObject, tuple[int, int] | None, Iterator[bytes]]:
    """The object, the part of it that is asked for (None: all), and the bytes."""
    for last in (False, True):
        stored = _found(call)
        window = _range(call.request.headers.get("range"), stored.size)
        try:
            return stored, window, call.storage.blobs.read(stored.blob, *(window or (0, stored.size)))
        except FileNotFoundError:  # replaced between the two steps: the new version is there already
            if last:
                raise
    raise AssertionError("unreachable")


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and end (exclusive) to send; None for the whole object, also for forms that S3 ignores."""
    match = RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    if start >= end:
        raise StorageFault(416, "InvalidRange", "The requested range does not exist.")
    return start, end


async def _put(call: Call) -> Response:
    _refuse_protected(call)
    if "x-amz-copy-source" in call.request.headers:
        raise StorageFault(501, "NotImplemented", "This storage does not copy objects.")
    if "uploadId" in call.query:
        return await _put_part(call)
    condition = _condition(call)
    received = await _receive(call)
    content_type = call.request.headers.get("content-type") or DEFAULT_TYPE

    def publish() -> None:
        blob = store.adopt_file(call.storage, received.path)
        row = store.object_row(call.bucket, call.key, blob, received, content_type)
        store.put_object(call.storage, row, condition)

    await run_in_threadpool(publish)
    return Response(status_code=200, headers={"ETag": f'"{received.md5}"'}, media_type="application/xml")


def _condition(call: Call) -> store.Condition:
    """What the headers of a conditional write ask for; forms that S3 does not take are refused as S3 refuses them."""
    absent, wanted = call.request.headers.get("if-none-match"), call.request.headers.get("if-match")
    if absent not in {None, "*"}:
        raise StorageFault(501, "NotImplemented", "If-None-Match of a write can only be *.")
    return store.Condition(absent == "*", None if wanted is None else wanted.strip().strip('"'))


async def _put_part(call: Call) -> Response:
    upload_id = call.query["uploadId"]
    await run_in_threadpool(store.find_upload, call.storage, call.bucket, call.key, upload_id)
    number = call.query.get("partNumber", "")
    if not number.isdecimal() or not 1 <= int(number) <= 10_000:
        raise StorageFault(400, "InvalidArgument", "partNumber must be a number from 1 to 10000.")
    received = await _receive(call)
    await run_in_threadpool(store.put_part, call.storage, upload_id, int(number), received)
    return Response(status_code=200, headers={"ETag": f'"{received.md5}"'}, media_type="application/xml")


async def _post(call: Call) -> Response:
    _refuse_protected(call)
    names = {"Bucket": call.bucket, "Key": call.key}
    if "uploads" in call.query:
        content_type = call.request.headers.get("content-type") or DEFAULT_TYPE
        upload_id = await run_in_threadpool(store.begin_upload, call.storage, call.bucket, call.key, content_type)
        xml = xml_document("InitiateMultipartUploadResult", {**names, "UploadId": upload_id})
        return Response(xml, media_type="application/xml")
    if "uploadId" not in call.query:
        raise StorageFault(501, "NotImplemented", "This storage does not offer this operation.")
    wanted = _wanted_parts(await _small_body(call))
    etag = await run_in_threadpool(
        store.complete_upload, call.storage, call.bucket, call.key, call.query["uploadId"], wanted
    )
    xml = xml_document("CompleteMultipartUploadResult", {**names, "ETag": f'"{etag}"'})
    return Response(xml, media_type="application/xml")


def _delete(call: Call) -> Response:
    _refuse_protected(call)
    if "uploadId" in call.query:
        store.abort_upload(call.storage, call.bucket, call.key, call.query["uploadId"])
    else:
        store.delete_object(call.storage, call.bucket, call.key)
    return Response(status_code=204, headers={"Content-Type": "application/xml"})


async def _delete_many(call: Call) -> Response:
    root = _parsed(await _small_body(call))
    keys = [item.findtext("{*}Key", "") for item in root.findall("{*}Object")]
    if len(keys) > MAXIMUM_DELETIONS:
        raise StorageFault(400, "MalformedXML", f"At most {MAXIMUM_DELETIONS} keys can be deleted in one call.")
    refused = {key for key in keys if key.startswith(call.protected_prefix)}
    for key in keys:
        if key not in refused:
            await run_in_threadpool(store.delete_object, call.storage, call.bucket, key)
    return Response(deletions_xml(keys, refused), media_type="application/xml")


def _refuse_protected(call: Call) -> None:
    if call.key.startswith(call.protected_prefix):
        raise StorageFault(403, "AccessDenied", "Results are written by jobs and removed with them.")


async def _small_body(call: Call) -> bytes:
    received = await _receive(call, MAXIMUM_XML)
    body = received.path.read_bytes()
    received.path.unlink()
    return body


def _wanted_parts(body: bytes) -> list[tuple[int, str]]:
    try:
        return [
            (int(part.findtext("{*}PartNumber", "")), part.findtext("{*}ETag", "").strip().strip('"'))
            for part in _parsed(body).findall("{*}Part")
        ]
    except ValueError:
        raise StorageFault(400, "MalformedXML", "The body is not a list of parts.") from None


def _parsed(body: bytes) -> ElementTree.Element:
    """An XML body; declarations are refused, so there are no entities to expand."""
    try:
        if b"<!" not in body and b"\0" not in body:  # no NUL: not UTF-16, where a declaration looks different
            return ElementTree.fromstring(body)  # noqa: S314  (see above)
    except ElementTree.ParseError:
        pass
    raise StorageFault(400, "MalformedXML", "The body is not XML that this storage reads.")


async def _receive(call: Call, limit: int | None = None) -> Received:
    """Stream the body to a file and compare it with every digest that the client sent."""
    declared = call.request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    framed = declared.startswith("STREAMING-")
    if framed and declared != STREAMING_UNSIGNED:
        raise StorageFault(501, "NotImplemented", "Bodies with a signature per chunk are not accepted.")
    decoder = AwsChunkedDecoder() if framed else None
    folder: Path = call.storage.state.incoming
    receiver = Receiver(folder, limit or call.maximum_bytes)
    try:
        async for piece in call.request.stream():
            receiver.write(decoder.feed(piece) if decoder else piece)
        if decoder:
            decoder.finish()
        received = await run_in_threadpool(receiver.finish)
        _compare(call, received, declared, decoder)
    except BaseException:
        receiver.discard()
        raise
    return received


def _compare(call: Call, received: Received, declared: str, decoder: AwsChunkedDecoder | None) -> None:
    headers = call.request.headers
    trailers = decoder.trailers if decoder else {}
    if re.fullmatch(r"[0-9a-f]{64}", declared) and declared != received.sha256:
        raise StorageFault(400, "XAmzContentSHA256Mismatch", "The body does not have the signed digest.")
    crc32 = trailers.get("x-amz-checksum-crc32") or headers.get("x-amz-checksum-crc32")
    if crc32 is not None and crc32 != received.crc32:
        raise StorageFault(400, "BadDigest", "The body does not have the declared CRC32.")
    length = headers.get("x-amz-decoded-content-length")
    if decoder and length is not None and length != str(received.size):
        raise StorageFault(400, "IncompleteBody", "The body does not have the declared length.")
