"""Annotations of a version, read from its documents; documents of others may hold anything and are not trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from avatar_gitops.plan.observed import PREFIX
from avatar_gitops.wire.documents import DocumentKind

SEPARATOR: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)


def annotations_of(documents: str) -> Mapping[str, str]:
    """Annotations of AvatarMetadata; empty when nobody of ours wrote the documents or they cannot be read.

    Only documents that hold our prefix are parsed, so that a long list of versions is read fast.
    """
    for text in SEPARATOR.split(documents):
        found = _annotations(text) if PREFIX in text else None
        if found is not None:
            return {str(name): str(value) for name, value in found.items() if value is not None}
    return {}


def _annotations(text: str) -> Mapping[object, object] | None:
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("kind") != DocumentKind.METADATA:
        return None
    annotations = document.get("annotations")
    return annotations if isinstance(annotations, dict) else None
