"""HEAD and GET of an object: conditions, ranges, parts, headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from fastapi.responses import Response, StreamingResponse

from avatar_gitops.server.checksums import HEADER
from avatar_gitops.server.digits import number_in
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.objects import StoredObject, find_object
from avatar_gitops.server.pages import make_page
from avatar_gitops.server.storage_calls import Call

RANGE: Final = re.compile(r"bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)")
LAST_BYTE: Final = (1 << 63) - 1  # no object is as long
MAXIMUM_PARTS: Final = 10_000
OVERRIDES: Final = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
# What users upload must never act in the name of the web application of the same origin.
HARMLESS: Final = {"Content-Security-Policy": "sandbox allow-scripts", "X-Content-Type-Options": "nosniff"}
Window = tuple[int, int]


def head_object(call: Call) -> Response:
    """Answer of HeadObject."""
    stored = found(call)
    unchanged = _condition(call.headers, stored, "")
    if unchanged is not None:
        return unchanged
    window = _window(call, stored)
    return Response(status_code=206 if window else 200, headers=_headers(call, stored, window))


def get_object(call: Call) -> Response:
    """Answer of GetObject."""
    for last in (False, True):
        stored = found(call)
        unchanged = _condition(call.headers, stored, "")
        if unchanged is not None:
            return unchanged
        window = _window(call, stored)
        try:
            pieces: Iterator[bytes] = call.storage.blobs.read(stored.blob, *(window or (0, stored.size)))
        except FileNotFoundError:  # replaced between the two steps: the new version is there already
            if last:
                raise
            continue
        return StreamingResponse(pieces, 206 if window else 200, _headers(call, stored, window))
    raise AssertionError("unreachable")


def found(call: Call, key: str | None = None) -> StoredObject:
    """The object of the call, or of another key.

    Raises:
        StorageFault: there is none.
    """
    name = call.key if key is None else key
    stored = find_object(call.storage, call.bucket, name)
    if stored is None and name.startswith(call.protected_prefix):  # what users upload is never made into pages
        stored = make_page(call.storage, call.bucket, name)
    if stored is None:
        raise StorageFault(404, "NoSuchKey", "The object does not exist.")
    return stored


def check_copy_source(headers: Mapping[str, str], stored: StoredObject) -> None:
    """Raise StorageFault unless the conditions on the source of a copy hold."""
    if _condition(headers, stored, "x-amz-copy-source-") is not None:
        raise StorageFault(412, "PreconditionFailed", "The object to copy is not as the conditions ask.")


def _condition(headers: Mapping[str, str], stored: StoredObject, prefix: str) -> Response | None:
    """The answer 304, None when the object is to be sent; in the order of RFC 9110, section 13.2.2.

    Raises:
        StorageFault: 412.
    """
    modified = datetime.fromisoformat(stored.modified_at).replace(microsecond=0)
    matches = headers.get(f"{prefix}if-match")
    unmodified = _date(headers.get(f"{prefix}if-unmodified-since"))
    if matches is not None:
        if not _is_among(stored.etag, matches):
            raise StorageFault(412, "PreconditionFailed", "The object has another ETag.")
    elif unmodified is not None and modified > unmodified:
        raise StorageFault(412, "PreconditionFailed", "The object was modified since.")
    none_of = headers.get(f"{prefix}if-none-match")
    since = _date(headers.get(f"{prefix}if-modified-since"))
    unchanged = since is not None and modified <= since
    same = unchanged if none_of is None else _is_among(stored.etag, none_of)
    return Response(status_code=304, headers=_identity(stored)) if same else None


def _is_among(etag: str, header: str) -> bool:
    return bool({item.strip().removeprefix("W/").strip('"') for item in header.split(",")} & {etag, "*"})


def _date(text: str | None) -> datetime | None:
    """A date of a header; one that is none is ignored, as HTTP asks."""
    try:
        parsed = None if text is None else parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed is not None and parsed.tzinfo is None else parsed


def _window(call: Call, stored: StoredObject) -> Window | None:
    """First byte and end (exclusive) to send; None for the whole object."""
    header, number = call.headers.get("range"), call.query.get("partNumber")
    if number is not None:
        if header is not None:
            raise StorageFault(400, "InvalidRequest", "Range and partNumber cannot be used together.")
        return _part(number, stored)
    condition = call.headers.get("if-range")
    if condition is not None and condition.strip().strip('"') != stored.etag:
        return None
    return byte_range(header, stored.size)


def _part(text: str, stored: StoredObject) -> Window:
    sizes = stored.details.parts or (stored.size,)
    number = part_number(text)
    if number > len(sizes):
        raise StorageFault(416, "InvalidPartNumber", "The object has fewer parts.")
    start = sum(sizes[: number - 1])
    return start, start + sizes[number - 1]


def part_number(text: str) -> int:
    """The number of a part, as the query says it.

    Raises:
        StorageFault: no part can have it.
    """
    number = number_in(text, MAXIMUM_PARTS + 1)
    if number is None or not 1 <= number <= MAXIMUM_PARTS:
        raise StorageFault(400, "InvalidArgument", f"partNumber must be a number from 1 to {MAXIMUM_PARTS}.")
    return number


def byte_range(header: str | None, size: int) -> Window | None:
    """The window of a Range header; None for the whole object, also for forms that S3 ignores (several ranges).

    Raises:
        StorageFault: 416, the range begins after the end.
    """
    match = RANGE.fullmatch(header.strip()) if header else None
    first, last = (None, None) if match is None else (number_in(digits, LAST_BYTE) for digits in match.groups())
    if (first is None and last is None) or (first is not None and last is not None and first > last):
        return None
    if first is None:
        start, end = max(size - (last or 0), 0), size
    else:
        start, end = first, size if last is None else min(last + 1, size)
    if start >= end:
        raise StorageFault(416, "InvalidRange", "The requested range does not exist.", {"ActualObjectSize": str(size)})
    return start, end


def _identity(stored: StoredObject) -> dict[str, str]:
    modified = datetime.fromisoformat(stored.modified_at)
    return {"ETag": f'"{stored.etag}"', "Last-Modified": format_datetime(modified, usegmt=True)}


def _headers(call: Call, stored: StoredObject, window: Window | None) -> dict[str, str]:
    start, end = window or (0, stored.size)
    said = {**stored.details.headers, "content-type": stored.content_type}
    for name in (*OVERRIDES, "content-type"):  # what a signed URL may ask for
        if f"response-{name}" in call.query:
            said[name] = _one_line(call.query[f"response-{name}"])
    headers = {**_identity(stored), **said, **HARMLESS, "Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if window is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
    if "partNumber" in call.query and stored.details.parts:
        headers["x-amz-mp-parts-count"] = str(len(stored.details.parts))
    checksum = stored.details.checksum
    if checksum is not None and window is None and call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= {f"{HEADER}{checksum[0]}": checksum[1], "x-amz-checksum-type": checksum[2]}
    return headers


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise StorageFault(400, "InvalidArgument", "A response header can only have printable ASCII characters.")
    return text


Handler = Callable[[Call], Response]
