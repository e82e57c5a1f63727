"""Annotations of a version, read from its documents; documents of others may hold anything and are not trusted."""

from __future__ import annotations

from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from avatar_gitops.plan.observed import PREFIX
from avatar_gitops.wire.documents import DocumentKind


def annotations_of(documents: str) -> Mapping[str, str]:
    """Annotations of AvatarMetadata; empty when nobody of ours wrote the documents or they cannot be read."""
    if PREFIX not in documents:
        return {}
    try:
        found = [part for part in YAML(typ="safe", pure=True).load_all(documents) if isinstance(part, dict)]
    except (YAMLError, ValueError, RecursionError):
        return {}
    for part in found:
        if part.get("kind") == DocumentKind.METADATA and isinstance(part.get("annotations"), dict):
            return {str(name): str(value) for name, value in part["annotations"].items() if value is not None}
    return {}
