"""What a spec states for the documents that a server writes: one annotation of AvatarMetadata, one line of JSON.

Nothing is computed from it, so that a version with it and one without it hold the same avatars and metrics; a server
that does not know it loses a few lines of its reports. It names columns and files, and holds no value of the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, ValidationError

from avatar_gitops.wire.documents import Part

STATED: Final = "avatar-gitops/stated"
STATED_FIELDS: Final = ("owner", "purpose", "controller", "legal_basis", "retention")

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class Stated(Part):
    """What a spec says about the processing, beside the four values that AvatarMetadata has a place for.

    `direct_identifiers` maps a table to the columns of the output that name a person, `input_digests` a data file to
    its digest, `sources` a field to its place in the spec.
    """

    owner: Words | None = None
    purpose: Words | None = None
    controller: Words | None = None
    legal_basis: Words | None = None
    retention: Words | None = None
    direct_identifiers: dict[str, tuple[Words, ...]] = Field(default_factory=dict)
    input_digests: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)

    def annotation(self) -> Mapping[str, str]:
        """The annotation that says it; none when there is nothing to say."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        return {STATED: json.dumps(said, ensure_ascii=False, sort_keys=True)} if said else {}


def stated(annotations: Mapping[str, str]) -> Stated:
    """What the annotations of a version state; nothing for versions of others, of earlier programs, or damaged ones."""
    try:
        return Stated.model_validate_json(annotations.get(STATED, "{}"))
    except ValidationError:
        return Stated()
