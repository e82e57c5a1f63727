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
    with storage.file(document.blob) as source:
        spec = read_json(source)
    path.write_text(to_page(spec, key.rpartition("/")[2].removesuffix(PAGE)), encoding="utf-8")
    keep_file(storage, (bucket, key), path, ("text/html; charset=utf-8", document.modified_at))
    return find_object(storage, bucket, key)


def keep_file(storage: Storage, where: tuple[str, str], path: Path, what: tuple[str, str]) -> None:
    """Store a file that was made here from another under a bucket and key.

    `what` is its content type, and the age that it has of the other file, so that both expire together.
    """
    content_type, modified_at = what
    received = describe_file(path)
    row = object_row(*where, adopt_file(storage, path), received, content_type)
    put_object(storage, {**row, "modified_at": modified_at})
