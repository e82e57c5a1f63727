"""Files that are made from stored results when they are first asked for, above all the pages of figures."""

from __future__ import annotations

import uuid
from pathlib import Path

from avatar_gitops.server.naming import FIGURE, PAGE
from avatar_gitops.server.objects import Storage, StoredObject, adopt_file, find_object, object_row, put_object
from avatar_gitops.server.receiving import describe_file
from avatar_gitops.server.result_json import read_json


def make_page(storage: Storage, bucket: str, key: str) -> StoredObject | None:
    """The page of a figure, written from its document: it holds a megabyte of code, the document does not.

    None when the key is not the name of a page whose document is stored.
    """
    if not key.endswith(PAGE):
        return None
    document = find_object(storage, bucket, f"{key.removesuffix(PAGE)}{FIGURE}")
    if document is None:
        return None
    from avatar_gitops.engine.figures.render import to_page

    path = storage.state.incoming / uuid.uuid4().hex
    spec = read_json(storage.blob_path(document.blob))
    path.write_text(to_page(spec, key.rpartition("/")[2].removesuffix(PAGE)), encoding="utf-8")
    keep_file(storage, (bucket, key), path, "text/html; charset=utf-8")
    return find_object(storage, bucket, key)


def keep_file(storage: Storage, where: tuple[str, str], path: Path, content_type: str) -> None:
    """Store a file that was made here under a bucket and key."""
    received = describe_file(path)
    blob = adopt_file(storage, path)
    put_object(storage, object_row(*where, blob, received, content_type))
