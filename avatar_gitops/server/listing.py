"""XML answers of the object storage, above all its listings."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from avatar_gitops.characters import NO_XML
from avatar_gitops.server.database import now_text
from avatar_gitops.server.digits import number_in
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.multipart import Upload, list_parts, list_uploads
from avatar_gitops.server.objects import AFTER_EVERY_KEY, Storage, StoredObject, scan_objects

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
MAXIMUM_KEYS: Final = 1000
MAXIMUM_NUMBER: Final = (1 << 31) - 1  # what S3 takes for a number


def xml_document(root: str, fields: Mapping[str, str], inner: str = "") -> bytes:
    """A small S3 answer: the fields as elements, then ready-made XML."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{_elements(fields)}{inner}</{root}>'
    return text.encode()


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{_xml_text(value)}</{name}>" for name, value in fields.items())


def error_xml(fault: StorageFault) -> bytes:
    """S3's error body."""
    fields = {"Code": fault.code, "Message": fault.message, **fault.fields}
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{_elements(fields)}</Error>'.encode()


def deletions_xml(keys: Sequence[str], refused: Sequence[str]) -> bytes:
    """Answer of DeleteObjects."""
    inner = "".join(f"<Deleted>{_elements({'Key': key})}</Deleted>" for key in keys)
    why = {"Code": "AccessDenied", "Message": "Written by a job."}
    inner += "".join(f"<Error>{_elements({'Key': key, **why})}</Error>" for key in refused)
    return xml_document("DeleteResult", {}, inner)


def location_xml() -> bytes:
    """Answer of GetBucketLocation: the default region."""
    return xml_document("LocationConstraint", {})


def buckets_xml(bucket: str) -> bytes:
    """Answer of ListBuckets: the only one that the caller has."""
    inner = f"<Owner>{_elements({'ID': bucket})}</Owner>"
    inner += f"<Buckets><Bucket>{_elements({'Name': bucket, 'CreationDate': _moment(now_text())})}</Bucket></Buckets>"
    return xml_document("ListAllMyBucketsResult", {}, inner)


def copy_xml(root: str, stored: StoredObject) -> bytes:
    """Answer of CopyObject."""
    return xml_document(root, {"LastModified": _moment(stored.modified_at), "ETag": f'"{stored.etag}"'})


def copy_part_xml(etag: str) -> bytes:
    """Answer of UploadPartCopy."""
    return xml_document("CopyPartResult", {"LastModified": _moment(now_text()), "ETag": f'"{etag}"'})


@dataclass(slots=True, frozen=True)
class _Listing:
    """What a listing asks for. `after` is where it begins; `shown` writes keys as the client wants them."""

    prefix: str
    delimiter: str
    after: str
    limit: int
    shown: Callable[[str], str]


def list_objects(storage: Storage, bucket: str, query: Mapping[str, str]) -> bytes:
    """ListObjects and ListObjectsV2 with prefix, delimiter, paging and `encoding-type=url`."""
    second = query.get("list-type") == "2"
    asked = _listing(query, _start_of_second(query) if second else _start_of_first(query))
    found, folders, last = _page(storage, bucket, asked)
    inner = "".join(_contents(stored, asked.shown(stored.key)) for stored in found)
    inner += "".join(
        f"<CommonPrefixes>{_elements({'Prefix': asked.shown(folder)})}</CommonPrefixes>" for folder in folders
    )
    fields = {
        "Name": bucket,
        "Prefix": asked.shown(asked.prefix),
        "MaxKeys": str(asked.limit),
        "IsTruncated": "true" if last is not None else "false",
        **({"Delimiter": asked.shown(asked.delimiter)} if asked.delimiter else {}),
        **({"EncodingType": "url"} if query.get("encoding-type") == "url" else {}),
    }
    if second:
        fields["KeyCount"] = str(len(found) + len(folders))
        if "start-after" in query:
            fields["StartAfter"] = asked.shown(query["start-after"])
        if "continuation-token" in query:
            fields["ContinuationToken"] = query["continuation-token"]
        if last is not None:
            fields["NextContinuationToken"] = base64.urlsafe_b64encode(last.encode()).decode("ascii")
    else:
        fields["Marker"] = asked.shown(query.get("marker", ""))
        if last is not None:
            fields["NextMarker"] = asked.shown(last.removesuffix(AFTER_EVERY_KEY))
    return xml_document("ListBucketResult", fields, inner)


def _listing(query: Mapping[str, str], after: str) -> _Listing:
    encoding = query.get("encoding-type")
    if encoding not in {None, "url"}:
        raise StorageFault(400, "InvalidArgument", "encoding-type can only be url.")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    if "\0" in prefix + delimiter + after:
        raise StorageFault(400, "InvalidArgument", "No key has a NUL character.")
    limit = _limit(query, "max-keys")
    return _Listing(prefix, delimiter, after, limit, (lambda text: quote(text, safe="/")) if encoding else str)


def _start_of_second(query: Mapping[str, str]) -> str:
    token = query.get("continuation-token")
    if token is None:
        return query.get("start-after", "")
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode("utf-8")
    except ValueError:
        raise StorageFault(400, "InvalidArgument", "The continuation token is not one of this storage.") from None


def _start_of_first(query: Mapping[str, str]) -> str:
    """A marker that is a common prefix, as the page before gave it, passes over all keys below."""
    marker, delimiter = query.get("marker", ""), query.get("delimiter", "")
    return marker + AFTER_EVERY_KEY if delimiter and marker.endswith(delimiter) else marker


def _page(storage: Storage, bucket: str, asked: _Listing) -> tuple[list[StoredObject], list[str], str | None]:
    """One page of objects and common prefixes, and where the next one starts (None: nothing more)."""
    prefix, delimiter, after, limit = asked.prefix, asked.delimiter, asked.after, asked.limit
    found: list[StoredObject] = []
    folders: list[str] = []
    while True:
        batch = scan_objects(storage, bucket, prefix=prefix, after=after, limit=MAXIMUM_KEYS)
        for stored in batch:
            if stored.key <= after:
                continue  # inside a common prefix that was passed over
            if len(found) + len(folders) == limit:
                return found, folders, after if limit else None
            cut = stored.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                folders.append(stored.key[: cut + len(delimiter)])
                after = folders[-1] + AFTER_EVERY_KEY
            else:
                found.append(stored)
                after = stored.key
        if len(batch) < MAXIMUM_KEYS:
            return found, folders, None


def _contents(stored: StoredObject, key: str) -> str:
    fields = {
        "Key": key,
        "LastModified": _moment(stored.modified_at),
        "ETag": f'"{stored.etag}"',
        "Size": str(stored.size),
        "StorageClass": "STANDARD",
    }
    return f"<Contents>{_elements(fields)}</Contents>"


def parts_xml(storage: Storage, upload: Upload, query: Mapping[str, str]) -> bytes:
    """Answer of ListParts."""
    limit, marker = _limit(query, "max-parts"), number_in(query.get("part-number-marker", "") or "0", MAXIMUM_NUMBER)
    if marker is None:
        raise StorageFault(400, "InvalidArgument", "part-number-marker must be a number.")
    parts = list_parts(storage, upload, marker, limit + 1)
    more, parts = len(parts) > limit, parts[:limit]
    inner = ""
    for part in parts:
        fields = {"PartNumber": str(part.number), "ETag": f'"{part.etag}"', "Size": str(part.size)}
        fields["LastModified"] = _moment(part.modified_at or upload.created_at)
        if part.details.checksum is not None:
            fields[f"Checksum{part.details.checksum[0].upper()}"] = part.details.checksum[1]
        inner += f"<Part>{_elements(fields)}</Part>"
    fields = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "StorageClass": "STANDARD",
        "PartNumberMarker": str(marker),
        "MaxParts": str(limit),
        "IsTruncated": "true" if more else "false",
        **({"NextPartNumberMarker": str(parts[-1].number)} if more and parts else {}),
    }
    return xml_document("ListPartsResult", fields, inner)


def uploads_xml(storage: Storage, bucket: str, query: Mapping[str, str]) -> bytes:
    """Answer of ListMultipartUploads.

    Raises:
        StorageFault: 501 for a delimiter, which no client of this platform asks for here.
    """
    if query.get("delimiter"):
        raise StorageFault(501, "NotImplemented", "Uploads cannot be listed by delimiter.")
    asked, limit = _listing(query, ""), _limit(query, "max-uploads")
    key, upload_id = query.get("key-marker", ""), query.get("upload-id-marker", "")
    after = (key, upload_id or "~")  # without an id the whole key is passed over; ids are hexadecimal
    found = list_uploads(storage, bucket, asked.prefix, after, limit + 1)
    more, found = len(found) > limit, found[:limit]
    inner = ""
    for upload in found:
        item = {"Key": asked.shown(upload.key), "UploadId": upload.id, "StorageClass": "STANDARD"}
        inner += f"<Upload>{_elements({**item, 'Initiated': _moment(upload.created_at)})}</Upload>"
    fields = {
        "Bucket": bucket,
        "Prefix": asked.shown(asked.prefix),
        "KeyMarker": asked.shown(key),
        "UploadIdMarker": upload_id,
        "MaxUploads": str(limit),
        "IsTruncated": "true" if more else "false",
        **({"EncodingType": "url"} if query.get("encoding-type") == "url" else {}),
    }
    if more and found:
        fields |= {"NextKeyMarker": asked.shown(found[-1].key), "NextUploadIdMarker": found[-1].id}
    return xml_document("ListMultipartUploadsResult", fields, inner)


def _limit(query: Mapping[str, str], name: str) -> int:
    text = query.get(name)
    if text is None:
        return MAXIMUM_KEYS
    limit = number_in(text, MAXIMUM_KEYS)
    if limit is None:
        raise StorageFault(400, "InvalidArgument", f"{name} must be a number.")
    return limit


def _moment(text: str) -> str:
    return text[:23] + "Z"


def _xml_text(text: str) -> str:
    """XML 1.0 cannot hold most control characters; clients that have such keys ask for `encoding-type=url`."""
    return escape(NO_XML.sub("\ufffd", text), {"\r": "&#13;"})
