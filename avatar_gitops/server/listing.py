"""XML answers of the object storage, among them ListObjectsV2."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.objects import Storage, StoredObject, scan_objects

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
MAXIMUM_KEYS: Final = 1000
AFTER_EVERY_KEY: Final = "\U0010ffff"


def xml_document(root: str, fields: dict[str, str], inner: str = "") -> bytes:
    """A small S3 answer: the fields as elements, then ready-made XML."""
    body = "".join(f"<{name}>{escape(_xml_text(value))}</{name}>" for name, value in fields.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{body}{inner}</{root}>'
    return text.encode()


def error_xml(fault: StorageFault) -> bytes:
    """S3's error body."""
    message = escape(fault.message)
    text = f"<Error><Code>{fault.code}</Code><Message>{message}</Message></Error>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def deletions_xml(keys: list[str], refused: set[str]) -> bytes:
    """Answer of DeleteObjects."""
    inner = ""
    for key in keys:
        name = f"<Key>{escape(_xml_text(key))}</Key>"
        if key in refused:
            inner += f"<Error>{name}<Code>AccessDenied</Code><Message>Written by a job.</Message></Error>"
        else:
            inner += f"<Deleted>{name}</Deleted>"
    return xml_document("DeleteResult", {}, inner)


def location_xml() -> bytes:
    """Answer of GetBucketLocation: the default region."""
    return xml_document("LocationConstraint", {})


def list_objects(storage: Storage, bucket: str, query: dict[str, str]) -> bytes:
    """ListObjectsV2 with prefix, delimiter, paging and `encoding-type=url`."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    limit = _limit(query.get("max-keys"))
    after = query.get("continuation-token") or query.get("start-after") or ""
    found, folders, last = _page(storage, bucket, (prefix, delimiter, after), limit)
    as_url = query.get("encoding-type") == "url"

    def shown(text: str) -> str:
        return quote(text, safe="/") if as_url else text

    inner = "".join(_contents(stored, shown(stored.key)) for stored in found)
    inner += "".join(
        f"<CommonPrefixes><Prefix>{escape(_xml_text(shown(folder)))}</Prefix></CommonPrefixes>" for folder in folders
    )
    fields = {
        "Name": bucket,
        "Prefix": shown(prefix),
        "KeyCount": str(len(found) + len(folders)),
        "MaxKeys": str(limit),
        "IsTruncated": "true" if last is not None else "false",
    }
    if delimiter:
        fields["Delimiter"] = shown(delimiter)
    if as_url:
        fields["EncodingType"] = "url"
    if last is not None:
        fields["NextContinuationToken"] = last
    return xml_document("ListBucketResult", fields, inner)


def _page(
    storage: Storage, bucket: str, where: tuple[str, str, str], limit: int
) -> tuple[list[StoredObject], list[str], str | None]:
    """One page of objects and common prefixes, and where the next one starts (None: nothing more)."""
    prefix, delimiter, after = where
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
    modified = stored.modified_at[:23] + "Z"
    return (
        f"<Contents><Key>{escape(_xml_text(key))}</Key><LastModified>{modified}</LastModified>"
        f"<ETag>&quot;{stored.etag}&quot;</ETag><Size>{stored.size}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _limit(text: str | None) -> int:
    if text is None:
        return MAXIMUM_KEYS
    if not text.isdecimal():
        raise StorageFault(400, "InvalidArgument", "max-keys must be a number.")
    return min(int(text), MAXIMUM_KEYS)


def _xml_text(text: str) -> str:
    """XML 1.0 cannot hold most control characters; clients that have such keys ask for `encoding-type=url`."""
    return "".join(char if char >= " " or char in "\t\n\r" else "\ufffd" for char in text)
