"""Annotations of a version, read from its documents; documents of others may hold anything and are not trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from avatar_gitops.plan.observed import PREFIX
from avatar_gitops.wire.documents import DocumentKind
from avatar_gitops.wire.stated import STATED

SEPARATOR: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
OURS: Final = re.compile(r"\n?kind: AvatarMetadata\n(?: *[a-z_]+:.*\n)*annotations:\n((?:  .+\n)+)\n*")
LINE: Final = re.compile(r"  ([a-z_/-]+): (?:(\".*\")|([A-Za-z][A-Za-z0-9_./ -]*))")


def annotations_of(documents: str) -> Mapping[str, str]:
    """Our annotations of AvatarMetadata; empty when nobody of ours wrote the documents or they cannot be read.

    Only documents that hold our prefix are parsed, and those that we wrote ourselves line by line: YAML is slow, and a
    server may list hundreds of versions.
    """
    for text in SEPARATOR.split(documents):
        if PREFIX not in text:
            continue
        found = _as_we_write(text) or _as_yaml(text)
        if found is not None:
            marks = {str(name): str(value) for name, value in found.items() if value is not None}
            return {name: value for name, value in marks.items() if name.startswith(PREFIX) and name != STATED}
    return {}


def _as_we_write(text: str) -> Mapping[str, str] | None:
    """Annotations in exactly the form of `spec.emit`; None for any other form."""
    document = OURS.fullmatch(text)
    if document is None:
        return None
    found: dict[str, str] = {}
    for text_line in document[1].splitlines():
        line = LINE.fullmatch(text_line)
        if line is None:
            return None
        try:
            found[line[1]] = json.loads(line[2]) if line[2] else line[3]
        except ValueError:
            return None
    return found


def _as_yaml(text: str) -> Mapping[object, object] | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("kind") != DocumentKind.METADATA:
        return None
    annotations = document.get("annotations")
    return annotations if isinstance(annotations, dict) else None
