"""Where things are in a bundle, and which files may be there at all: an unknown one is refused, data have no place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
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
PURPOSES: Final = (
    (HOW, "How to check this bundle, with this software or by hand."),
    (SUMS, "SHA-256 digest of every file of the bundle."),
    (MANIFEST, "What this bundle is, as an in-toto Statement about its list of digests."),
    (MANIFEST_ENVELOPE, "The signature of the statement about this bundle."),
    ("resolved/*.json", "A run spec as it was planned, with everything that it refers to."),
    ("journal/*.jsonl", "What an apply did, step by step."),
    ("project/audit/plans/*.json", "A plan: what was to be done, and what was approved."),
    ("project/audit/*", "The audit log of the project, a chain of digests."),
    ("project/ledger/*", "Releases of a data set, and the privacy that they spent."),
    ("project/signoffs/*", "Who signed which statements of the impact assessment."),
    ("project/policies/*", "Rules that runs must keep, or exceptions from them."),
    ("project/*.lock.yaml", "What was published for a run spec, with digests."),
    ("*/SHA256SUMS", "SHA-256 digest of every published file of a run."),
    ("*/deletion.json", "The receipt of a deletion."),
    ("*/metrics.json", "Privacy and utility metrics of a run."),
    ("*/statement.intoto.json", "What a run was made of and what it gave, as an in-toto Statement."),
    ("*/statement.dsse.json", "The signature of the statement about a run."),
    ("*/sbom.cdx.json", "The software that made a run, as a CycloneDX bill of materials."),
    ("*/summary.md", "The results of a run in short."),
    ("*/pia.*", "The privacy impact assessment of a run."),
    ("*/report.*", "The technical report of a run."),
    ("*/pictures/*", "A picture of a report."),
    ("*/report-facts.json", "The facts that the reports of a run tell."),
    ("*/run.json", "How a run ended, with its jobs and times."),
    ("project/*.yaml", "A spec or settings of the project."),
)
"""Patterns of paths, the first that fits counts, and what such a file is for."""

LINE: Final = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[^\n]+)")


def belongs(name: str) -> bool:
    """Whether a file of this path has a place in a bundle."""
    if name in TOP or GENERATED.fullmatch(name):
        return True
    path = PurePosixPath(name)
    return name.startswith(PROJECT) and is_document(path.relative_to("project").as_posix())


def purpose(name: str) -> str:
    """What a file of a bundle is for."""
    return next((text for pattern, text in PURPOSES if fnmatchcase(name, pattern)), "A document of the project.")


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
