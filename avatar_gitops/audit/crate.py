"""`ro-crate-metadata.json`: a bundle described as an RO-Crate 1.2, and whether a description fits its files.

The specification is https://w3id.org/ro/crate/1.2. Lists of digests and the manifest are described without a digest:
they hold that of the description.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from avatar_gitops.audit.archive import Finding
from avatar_gitops.audit.layout import CRATE, listed, purpose

CONTEXT: Final = "https://w3id.org/ro/crate/1.2/context"
PROFILE: Final = "https://w3id.org/ro/crate/1.2"
SHA256: Final = "http://schema.org/sha256"
TYPES: Final = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
LICENCE: Final = "#terms"
UNKNOWN: Final = "not stated"
COMPLETED: Final = {
    "@id": "http://schema.org/CompletedActionStatus",
    "@type": "ActionStatusType",
    "name": "Completed",
}


@dataclass(frozen=True, slots=True)
class RunAction:
    """A published run: its set, when it ran, its engine, and the paths in the bundle of what is about it."""

    set: str
    started: str
    finished: str
    engine: str
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What a description says of the whole: whose evidence, of when (ISO text), made by which version, which runs."""

    project: str
    moment: str
    tool: str
    runs: tuple[RunAction, ...]


def crate(files: Mapping[str, bytes], about: About) -> bytes:
    """The description of a bundle; `files` are all but itself. The same bundle gives the same bytes."""
    names = sorted(name for name in files if name != CRATE)
    engines = sorted({run.engine for run in about.runs})
    graph: list[dict[str, Any]] = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "name": "Description of this bundle",
            "conformsTo": {"@id": PROFILE},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Evidence of anonymization runs of {about.project}",
            "description": "Specs, plans, approvals, metrics, reports, statements and the audit log of anonymization "
            "runs. It holds no data, neither original nor anonymized.",
            "datePublished": about.moment,
            "license": {"@id": LICENCE},
            "creator": {"@id": "#tool"},
            "hasPart": [{"@id": quote(name)} for name in names],
            "mentions": [{"@id": _action(run)} for run in about.runs],
        },
        {
            "@id": LICENCE,
            "@type": "CreativeWork",
            "name": "No licence",
            "description": "Evidence for whoever audits these runs; no right beyond that is granted.",
        },
        _application("#tool", "pypi", *about.tool.split(" ", 1)),
        *(_application(_engine(name), "generic", *name.split("/", 1)) for name in engines),
        *([COMPLETED] if about.runs else []),
        *(_run(run) for run in about.runs),
        *(_file(name, files[name]) for name in names),
    ]
    content = {"@context": [CONTEXT, {"sha256": SHA256}], "@graph": graph}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _application(identity: str, kind: str, name: str, version: str = UNKNOWN) -> dict[str, Any]:
    """A program by its package URL (https://github.com/package-url/purl-spec), since not every one has a page."""
    url = f"pkg:{kind}/{quote(name, safe='')}" + ("" if version == UNKNOWN else f"@{quote(version, safe='')}")
    return {"@id": identity, "@type": "SoftwareApplication", "name": name, "version": version, "url": url}


def _engine(name: str) -> str:
    return f"#engine-{quote(name)}"


def _action(run: RunAction) -> str:
    return f"#run-{quote(run.set)}"


def _run(run: RunAction) -> dict[str, Any]:
    return {
        "@id": _action(run),
        "@type": "CreateAction",
        "name": f"Anonymization run of {run.set}",
        "startTime": run.started,
        "endTime": run.finished,
        "actionStatus": {"@id": COMPLETED["@id"]},
        "instrument": {"@id": _engine(run.engine)},
        "result": [{"@id": quote(name)} for name in run.results],
    }


def _file(name: str, content: bytes) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "@id": quote(name),
        "@type": "File",
        "name": name,
        "description": purpose(name),
        "encodingFormat": TYPES.get(PurePosixPath(name).suffix, "text/plain"),
    }
    if listed(name):
        entity |= {"contentSize": str(len(content)), "sha256": hashlib.sha256(content).hexdigest()}
    return entity


def _fits(said: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a file is described as it is; the words for its purpose may be those of another version, or absent."""
    return {**said, "description": None} == {**wanted, "description": None}


def check(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """What a description says that its bundle does not hold, and what it leaves out."""
    try:
        content = json.loads(files[CRATE])
        entities = {item["@id"]: item for item in content["@graph"]}
        descriptor, root = entities[CRATE], entities["./"]
        parts = [part["@id"] for part in root["hasPart"]]
        profile, kinds = descriptor["conformsTo"]["@id"], root["@type"]
        about = descriptor["about"]["@id"]
    except (KeyError, TypeError, ValueError, RecursionError):
        yield Finding(CRATE, "it is not the description of an RO-Crate")
        return
    if content.get("@context") != [CONTEXT, {"sha256": SHA256}] or profile != PROFILE or about != "./":
        yield Finding(CRATE, "it does not say that it is an RO-Crate 1.2")
    if len(entities) != len(content["@graph"]) or kinds != "Dataset" or len(parts) != len(set(parts)):
        yield Finding(CRATE, "it describes something twice, or its root is no dataset")
    missing_words = [word for word in ("name", "description", "datePublished", "license") if not root.get(word)]
    if missing_words:
        yield Finding(CRATE, f"its root does not say {', '.join(missing_words)}")
    here = {quote(name): name for name in files if name != CRATE}
    described = {name for name, item in entities.items() if item.get("@type") == "File"}
    for name in sorted((set(parts) | described) - here.keys()):
        yield Finding(CRATE, f"it describes {name}, which is not in the bundle")
    for name in sorted(here.keys() - (set(parts) & described)):
        yield Finding(CRATE, f"it does not describe {here[name]}")
    for name in sorted(here.keys() & described):
        if not _fits(entities[name], _file(here[name], files[here[name]])):
            yield Finding(CRATE, f"what it says of {here[name]} is not so")
