"""What models of evidence have in common: strict parts, digests, moments, and what several documents say alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from avatar_gitops.wire.environment import Environment

Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Digest = Annotated[str, Field(pattern=r"^(sha256|hmac-sha256):[0-9a-f]{64}$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")]


class Part(BaseModel):
    """Nothing but what is written here."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Hashed(Part):
    """The digest of a subject."""

    sha256: Hex


class Subject(Part):
    """A file that a statement is about: its path inside `out/<set>/`, or inside a bundle."""

    name: str
    digest: Hashed


class Input(Part):
    """A data file: its digest, keyed when the project has a digest key, and how many rows it has, coarsely."""

    name: str
    digest: Digest
    rows: str


class Engine(Part):
    """What computed the run, with which seed, and on what; null is what nobody told."""

    name: str
    seed: int | None
    environment: Environment | None


class Gate(Part):
    """A gate of the spec and the worst value that was measured."""

    metric: str
    condition: str
    value: FiniteFloat | None
    passed: bool
