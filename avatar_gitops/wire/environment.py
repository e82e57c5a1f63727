"""What a run was computed with, as its metadata say it: enough to tell whether equal bytes can be expected elsewhere.

No host, no user, no path: only names and versions of software, and what the processor offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

KEY: Final = "environment"
DISTRIBUTIONS: Final = "distributions"
MOST_ENTRIES: Final = 2_000

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+:()-]{0,99}$")]


class _Part(BaseModel):
    """Nothing but names and versions, and no other fields: what stands in evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Blas(_Part):
    """A library of linear algebra; `architecture` names the kernels that it chose for this processor."""

    name: Word
    version: Word
    architecture: Word
    threads: Annotated[int, Field(ge=1)]


class Kernels(_Part):
    """The compiled kernels of the engine: `portable`, or an instruction set and the SHA-256 of the library."""

    variant: Word
    digest: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""


class Environment(_Part):
    """Interpreter, platform, numerics, processor. `distributions` are what the package requires for its engine."""

    python: Word
    platform: Word
    libraries: dict[Word, Word]
    blas: list[Blas]
    kernels: Kernels
    processor: list[Word]
    distributions: Annotated[dict[Word, Word], Field(max_length=MOST_ENTRIES)] = {}


def parsed(said: Any) -> Mapping[str, Any]:
    """The environment in a run's metadata as plain data, without fields that a newer server may add.

    Empty when there is none, or one that cannot be right.
    """
    try:
        return Environment.model_validate(said, extra="ignore").model_dump(mode="json")
    except ValidationError:
        return {}
