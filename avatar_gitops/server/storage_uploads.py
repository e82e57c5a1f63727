"""The calls of multipart uploads."""

from __future__ import annotations

from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server import multipart
from avatar_gitops.server.checksums import COMPOSITE, FULL, HEADER, LENGTHS, declared_checksum
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.listing import copy_part_xml, parts_xml, uploads_xml, xml_document
from avatar_gitops.server.multipart import Upload, Wanted
from avatar_gitops.server.objects import Details
from avatar_gitops.server.receiving import Received, Receiver
from avatar_gitops.server.storage_calls import Call, parsed, receive, refuse_protected, small_body, write_condition
from avatar_gitops.server.storage_reads import byte_range, part_number
from avatar_gitops.server.storage_writes import (
    XML,
    content_type,
    copy_source,
    kept_headers,
    refuse_promises,
    written_headers,
)


def begin(call: Call) -> Response:
    """Answer of CreateMultipartUpload."""
    refuse_protected(call)
    refuse_promises(call.headers)
    algorithm = call.headers.get(f"{HEADER}algorithm", "").lower()
    if algorithm and algorithm not in LENGTHS:
        raise StorageFault(400, "InvalidRequest", f"The checksum can be one of {', '.join(LENGTHS)}.")
    default = FULL if algorithm == "crc64nvme" else COMPOSITE
    kind = call.headers.get(f"{HEADER}type", default).upper()
    possible = {FULL} if algorithm == "crc64nvme" else {COMPOSITE} if algorithm.startswith("sha") else {FULL, COMPOSITE}
    if kind not in possible:
        raise StorageFault(400, "InvalidRequest", f"The checksum {algorithm} of parts cannot be of type {kind}.")
    details = Details(kept_headers(call.headers), (algorithm, "", kind) if algorithm else None)
    upload_id = multipart.begin_upload(call.storage, call.bucket, call.key, content_type(call.headers), details)
    xml = xml_document("InitiateMultipartUploadResult", {"Bucket": call.bucket, "Key": call.key, "UploadId": upload_id})
    said = {f"{HEADER}algorithm": algorithm.upper(), f"{HEADER}type": kind} if algorithm else {}
    return Response(xml, media_type=XML, headers=said)


async def put_part(call: Call) -> Response:
    """Answer of UploadPart and UploadPartCopy."""
    refuse_protected(call)
    upload = await run_in_threadpool(_upload, call)
    number = part_number(call.query.get("partNumber", ""))
    is_copy = "x-amz-copy-source" in call.headers
    if is_copy:
        received = await run_in_threadpool(_copied, call, upload)
    else:
        received = await receive(call, algorithm=upload.algorithm)
    try:
        await run_in_threadpool(multipart.put_part, call.storage, upload, number, received)
    finally:
        received.path.unlink(missing_ok=True)
    if is_copy:
        return Response(copy_part_xml(received.md5), media_type=XML)
    declared = declared_checksum(call.headers)
    checksum = None if declared is None else (declared.algorithm, received.checksum, FULL)
    return Response(status_code=200, headers=written_headers(received, checksum), media_type=XML)


def _upload(call: Call) -> Upload:
    return multipart.find_upload(call.storage, call.bucket, call.key, call.query["uploadId"])


def _copied(call: Call, upload: Upload) -> Received:
    """The bytes of a part that is a copy, as if they had been received."""
    source = copy_source(call)
    header = call.headers.get("x-amz-copy-source-range")
    start, end = byte_range(header, source.size) or (0, source.size)
    if header is not None and header.strip() != f"bytes={start}-{end - 1}":
        raise StorageFault(400, "InvalidArgument", "x-amz-copy-source-range must be bytes=first-last of the object.")
    receiver = Receiver(call.storage.state.incoming, call.maximum_bytes, upload.algorithm)
    try:
        for piece in call.storage.blobs.read(source.blob, start, end):
            receiver.write(piece)
        return receiver.finish()
    except BaseException:
        receiver.discard()
        raise


async def complete(call: Call) -> Response:
    """Answer of CompleteMultipartUpload."""
    refuse_protected(call)
    condition = write_condition(call)
    upload = await run_in_threadpool(_upload, call)
    algorithm = upload.algorithm
    declared = call.headers.get(f"{HEADER}{algorithm}") if algorithm else None
    # A checksum in the headers is that of the object, not of this document.
    wanted = _wanted(await small_body(call, compare_checksum=False), algorithm)
    etag, details = await run_in_threadpool(
        multipart.complete_upload, call.storage, upload, wanted, declared, condition
    )
    fields = {"Location": str(call.request.url.path), "Bucket": call.bucket, "Key": call.key, "ETag": f'"{etag}"'}
    if details.checksum is not None:
        fields |= {f"Checksum{details.checksum[0].upper()}": details.checksum[1], "ChecksumType": details.checksum[2]}
    return Response(xml_document("CompleteMultipartUploadResult", fields), media_type=XML)


def _wanted(body: bytes, algorithm: str | None) -> list[Wanted]:
    checksum = "{*}Checksum" + (algorithm or "").upper()
    try:
        return [
            Wanted(
                int(part.findtext("{*}PartNumber", "")),
                part.findtext("{*}ETag", "").strip().strip('"'),
                part.findtext(checksum, "").strip(),
            )
            for part in parsed(body).findall("{*}Part")
        ]
    except ValueError:
        raise StorageFault(400, "MalformedXML", "The body is not a list of parts.") from None


def abort(call: Call) -> Response:
    """Answer of AbortMultipartUpload."""
    refuse_protected(call)
    multipart.abort_upload(call.storage, _upload(call))
    return Response(status_code=204, headers={"Content-Type": XML})


def list_parts(call: Call) -> Response:
    """Answer of ListParts."""
    return Response(parts_xml(call.storage, _upload(call), call.query), media_type=XML)


def list_uploads(call: Call) -> Response:
    """Answer of ListMultipartUploads."""
    return Response(uploads_xml(call.storage, call.bucket, call.query), media_type=XML)
