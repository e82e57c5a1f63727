"""Style and script of the pages: served from memory under a name that changes with their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi.responses import Response

STATIC_PREFIX: Final = "/static"
TYPES: Final[Mapping[str, str]] = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "figures.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@cache
def static_url(name: str) -> str:
    """Address of a file, good for as long as the file is the same."""
    return f"{STATIC_PREFIX}/{name}?v={hashlib.sha256(_content(name)).hexdigest()[:12]}"


def static_file(name: str) -> Response | None:
    """One of the files, open to everybody."""
    if name not in TYPES:
        return None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_content(name), media_type=TYPES[name], headers=headers)


@cache
def _content(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()
