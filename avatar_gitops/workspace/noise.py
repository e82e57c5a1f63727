"""Noise files `NAME.noise.yaml`, beside each spec: how much the metrics of a set moved over repeated seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.noise import Family, NoiseBand, Spread
from avatar_gitops.spec import emit
from avatar_gitops.workspace import records
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.locks import lock_path

VERSION: Final = 1
HEADER: Final = "# written by avatar-gitops noise; do not edit, commit it together with the spec\n"
MAX_BYTES: Final = 4 << 20
LOCK_SUFFIX: Final = ".lock.yaml"
SUFFIX: Final = ".noise.yaml"
REBUILD: Final = "measure it again: avatar-gitops noise NAME, or remove the file"

Digest = Annotated[str, Field(pattern=r"^(sha256|hmac-sha256):[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Spread(_Part):
    mean: FiniteFloat
    sd: FiniteFloat = Field(ge=0)
    n: int = Field(ge=1)


class _File(_Part):
    version: int
    set: str
    standard_digest: Digest
    metrics_digest: Digest
    input_digest: Digest
    engine: str
    seeds: list[int]
    metrics: dict[str, dict[str, _Spread]]


def noise_path(root: Path, spec_path: str, one_of: str = "") -> Path:
    """The noise file beside the spec at this path, which is relative to the project root; it is called like the lock.

    `one_of` is the name of the set when the spec makes several.
    """
    lock = lock_path(root, spec_path, one_of)
    return lock.with_name(lock.name.removesuffix(LOCK_SUFFIX) + SUFFIX)


def noise_text(band: NoiseBand) -> str:
    """Text of a noise file; equal bands give equal bytes. Six digits are kept of each number."""
    content = _File(
        version=VERSION,
        set=band.set,
        standard_digest=band.family.standard,
        metrics_digest=band.family.metrics,
        input_digest=band.family.input,
        engine=band.engine,
        seeds=list(band.seeds),
        metrics={
            table: {name: _spread(one) for name, one in sorted(of.items())}
            for table, of in sorted(band.metrics.items())
        },
    )
    return HEADER + emit.documents([content.model_dump(mode="json")])


def write_noise(root: Path, spec_path: str, band: NoiseBand, *, one_of_many: bool = False) -> Path:
    """Write the band beside its spec in one step and return the path."""
    path = noise_path(root, spec_path, band.set if one_of_many else "")
    write_atomic(path, noise_text(band))
    return path


def read_noise(root: Path, spec_path: str, name: str = "") -> NoiseBand | None:
    """The band that was measured for a set (`name`) of a spec; None when there is none. Raises IntegrityError."""
    for path in dict.fromkeys((noise_path(root, spec_path, name), noise_path(root, spec_path))):
        band = _read(root, path)
        if band is not None and name in {"", band.set}:
            return band
    return None


def _read(root: Path, path: Path) -> NoiseBand | None:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IntegrityError(f"{name} cannot be read ({error.strerror or 'unknown reason'})") from None
    if len(content) > MAX_BYTES:
        raise IntegrityError(f"{name} is too large to be a noise file", hint=REBUILD)
    return parse_noise(content, name)


def parse_noise(content: bytes, name: str) -> NoiseBand:
    """A band from the bytes of its file. Raises IntegrityError, which names the file and no value in it."""
    try:
        found = _File.model_validate(records.load(content))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise IntegrityError(f"{name} is damaged at {place or 'its top'} ({first['type']})", hint=REBUILD) from None
    except ValueError:
        raise IntegrityError(f"{name} is not a readable noise file", hint=REBUILD) from None
    if found.version != VERSION:
        raise IntegrityError(f"{name} has a version that this avatar-gitops does not know", hint=REBUILD)
    return NoiseBand(
        set=found.set,
        family=Family(found.standard_digest, found.metrics_digest, found.input_digest),
        engine=found.engine,
        seeds=tuple(found.seeds),
        metrics={
            table: {name: Spread(one.mean, one.sd, one.n) for name, one in of.items()}
            for table, of in found.metrics.items()
        },
    )


def _spread(one: Spread) -> _Spread:
    return _Spread(mean=_short(one.mean), sd=_short(one.sd), n=one.n)


def _short(value: float) -> float:
    return float(f"{value:.6g}")
