"""The S3-compatible object storage under `/storage`: path style, Signature V4, each user in a bucket of their own."""

from __future__ import annotations

import errno
import logging
from typing import Final

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect

from avatar_gitops.server import storage_uploads as uploads
from avatar_gitops.server import storage_writes as writes
from avatar_gitops.server.faults import FULL_DISK, StorageFault, place_of
from avatar_gitops.server.file_events import act_on_file, record_file
from avatar_gitops.server.listing import buckets_xml, error_xml, list_objects, location_xml, xml_document
from avatar_gitops.server.storage_calls import Call, authorized
from avatar_gitops.server.storage_reads import Handler, get_object, head_object
from avatar_gitops.server.storage_writes import XML

METHODS: Final = ["GET", "HEAD", "PUT", "POST", "DELETE"]
REGION: Final = "us-east-1"
# Parameters that turn a call into one that this storage does not offer, and that must never become another one.
SUBRESOURCES: Final = frozenset(
    {
        "accelerate",
        "acl",
        "analytics",
        "attributes",
        "cors",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "legal-hold",
        "lifecycle",
        "logging",
        "metadataTable",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "renameObject",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "session",
        "tagging",
        "torrent",
        "versions",
        "website",
    }
)

log = logging.getLogger(__name__)


class KeyConvertor(Convertor[str]):
    """Any rest of a path, also one with line breaks, which the convertor `path` takes for no path."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("key", KeyConvertor())


async def handle(request: Request) -> Response:
    """Answer any request below `/storage`; refusals come back as S3's XML errors."""
    try:
        call = await run_in_threadpool(authorized, request)
        answer = await _dispatch(call)
        await _tell(call, answer)
        return answer
    except StorageFault as fault:
        return _refusal(request, fault)
    except OSError as error:
        log.error("storage: %s", error.strerror or error)
        return _refusal(request, _fault_of(error))
    except sa.exc.OperationalError as error:
        log.error("storage: the database did not answer (%s)", type(error).__name__)
        return _refusal(request, StorageFault(503, "SlowDown", "The database is busy. Please try again."))
    except ClientDisconnect:
        return _refusal(request, StorageFault(400, "IncompleteBody", "The body ended before its declared length."))
    except Exception as error:  # a fault of ours: the log names its kind and place, and never its text
        log.error("storage %s: %s at %s", request.method, type(error).__name__, place_of(error))
        return _refusal(request, StorageFault(500, "InternalError", "This platform has made a mistake."))


def _fault_of(error: OSError) -> StorageFault:
    """What is wrong with the place where objects are; not one of them is half-written."""
    if error.errno in FULL_DISK:
        return StorageFault(507, "InsufficientStorage", "There is no space left on this platform. Nothing was stored.")
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return StorageFault(503, "ServiceUnavailable", "This platform cannot write to its storage. Nothing was stored.")
    return StorageFault(503, "SlowDown", "The storage of this platform does not answer. Please try again.")


def _refusal(request: Request, fault: StorageFault) -> Response:
    body = b"" if request.method == "HEAD" else error_xml(fault)
    # A client that was refused before it sent its body will not send it: the next request must not be taken for it.
    headers = {"Connection": "close"} if "expect" in request.headers else {}
    if fault.status == 416 and "ActualObjectSize" in fault.fields:
        headers["Content-Range"] = f"bytes */{fault.fields['ActualObjectSize']}"
    return Response(body, fault.status, headers, media_type=XML)


async def _tell(call: Call, answer: Response) -> None:
    """Write into the event log what the call did to a file."""
    is_about_files = bool(call.key) or "delete" in call.query
    method = "DELETE" if "delete" in call.query else call.request.method
    verb = act_on_file(method, call.query, answer.status_code, answer.headers) if is_about_files else None
    if verb is not None:
        await run_in_threadpool(record_file, call.storage.engine, call.bucket, verb)


async def _dispatch(call: Call) -> Response:
    if call.on_all_buckets:
        if call.request.method != "GET":
            raise StorageFault(403, "AccessDenied", "Buckets come and go with their users.")
        return Response(buckets_xml(call.bucket), media_type=XML)
    if SUBRESOURCES & call.query.keys():
        raise _not_offered()
    if call.query.get("versionId", "null") != "null":
        raise StorageFault(501, "NotImplemented", "This storage does not keep versions.")
    return await (_dispatch_key(call) if call.key else _dispatch_bucket(call))


async def _dispatch_bucket(call: Call) -> Response:
    match call.request.method:
        case "PUT" | "HEAD" if "versioning" not in call.query:
            return Response(status_code=200, headers={"x-amz-bucket-region": REGION}, media_type=XML)
        case "GET":
            return await run_in_threadpool(_get_bucket, call)
        case "POST" if "delete" in call.query:
            return await writes.delete_many(call)
        case "DELETE":
            raise StorageFault(403, "AccessDenied", "A bucket lives as long as its user.")
    raise _not_offered()


def _get_bucket(call: Call) -> Response:
    if "location" in call.query:
        xml = location_xml()
    elif "versioning" in call.query:
        xml = xml_document("VersioningConfiguration", {})
    elif "uploads" in call.query:
        return uploads.list_uploads(call)
    else:
        xml = list_objects(call.storage, call.bucket, call.query)
    return Response(xml, media_type=XML)


async def _dispatch_key(call: Call) -> Response:
    in_upload = "uploadId" in call.query
    match call.request.method:
        case "HEAD":
            return await _in_thread(head_object, call)
        case "GET":
            return await _in_thread(uploads.list_parts if in_upload else get_object, call)
        case "DELETE":
            return await _in_thread(uploads.abort if in_upload else writes.delete_object, call)
        case "PUT" if in_upload:
            return await uploads.put_part(call)
        case "PUT" if "x-amz-copy-source" in call.headers:
            return await _in_thread(writes.copy_object, call)
        case "PUT":
            return await writes.put_object(call)
        case "POST" if "uploads" in call.query:
            return await _in_thread(uploads.begin, call)
        case "POST" if in_upload:
            return await uploads.complete(call)
    raise _not_offered()


async def _in_thread(handler: Handler, call: Call) -> Response:
    return await run_in_threadpool(handler, call)


def _not_offered() -> StorageFault:
    return StorageFault(501, "NotImplemented", "This storage does not offer this operation.")
