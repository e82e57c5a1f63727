"""Where things are in a bundle, and which files may be there at all: an unknown one is refused, data have no place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

SUMS: Final = "SHA256SUMS"
CRATE: Final = "ro-crate-metadata.json"
MANIFEST: Final = "manifest.intoto.json"
MANIFEST_ENVELOPE: Final = "manifest.dsse.json"
HOW: Final = "HOW-TO-CHECK.md"
PROJECT: Final = "project/"
RESOLVED: Final = "resolved/"
JOURNAL: Final = "journal/"
ABOUT_ALL: Final = frozenset({MANIFEST, MANIFEST_ENVELOPE})
"""Files that are about every other file, so that they stand in no list of digests."""

DOCUMENTS: Final = frozenset({".yaml", ".yml", ".json", ".jsonl", ".md", ".docx", ".pdf", ".png", ".svg"})
TOP: Final = frozenset({SUMS, CRATE, MANIFEST, MANIFEST_ENVELOPE, HOW})
GENERATED: Final = re.compile(r"resolved/[^/]+\.json|journal/[0-9a-f]+\.jsonl")
LINE: Final = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[^\n]+)")


def belongs(name: str) -> bool:
    """Whether a file of this path has a place in a bundle."""
    if name in TOP or GENERATED.fullmatch(name):
        return True
    path = PurePosixPath(name)
    return name.startswith(PROJECT) and is_document(path.relative_to("project").as_posix())


def is_document(name: str) -> bool:
    """Whether a file of a project may be shown to an auditor: by its kind it holds no table, and it is no avatars."""
    path = PurePosixPath(name)
    return (path.suffix in DOCUMENTS or path.name == SUMS) and "avatars" not in path.parts[:-1]


def listed(name: str) -> bool:
    """Whether a file stands in the list of digests."""
    return name not in ABOUT_ALL and name != SUMS


def sums(files: Mapping[str, bytes]) -> bytes:
    """The list of digests that `sha256sum --check` reads."""
    names = sorted(filter(listed, files))
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in names).encode()


def read_sums(content: bytes) -> Mapping[str, str] | None:
    """Path to hexadecimal digest; None when it is not a list as `sums` writes it."""
    found: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        entry = LINE.fullmatch(line)
        if entry is None or entry["name"] in found:
            return None
        found[entry["name"]] = entry["digest"]
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items())).encode()
    return found if text == content else None
