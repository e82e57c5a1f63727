"""What a request to the object storage did to a file, for the event log: uploads, downloads and deletions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from avatar_gitops.server.database import writing
from avatar_gitops.server.events import record


def act_on_file(method: str, query: Collection[str], status: int, headers: Mapping[str, str]) -> str | None:
    """The verb for a request about an object that ended with that status; None when nothing is to be told.

    A file is downloaded when its first byte is: libraries fetch large files in many ranges. It is there when the last
    part of an upload is.
    """
    if status >= 300:
        return None
    match method:
        case "GET":
            starts = headers.get("content-range", "bytes 0-").startswith("bytes 0-")
            return "download" if starts and "uploadId" not in query else None
        case "PUT":
            return None if "uploadId" in query else "create"
        case "POST":
            return "create" if "uploadId" in query else None
        case "DELETE":
            return None if "uploadId" in query else "delete"
    return None


def record_file(engine: sa.Engine, user_id: str, verb: str) -> None:
    """Tell the user's event log; keys of files may say what is in them and are left out."""
    with writing(engine) as connection:
        record(connection, user_id, verb, "file", None)
