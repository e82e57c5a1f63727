"""The checksums that S3 clients send beside a body, by the names of their headers."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.server.faults import StorageFault

HEADER: Final = "x-amz-checksum-"
LENGTHS: Final[Mapping[str, int]] = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
FULL: Final = "FULL_OBJECT"
COMPOSITE: Final = "COMPOSITE"


class Checksum:
    """One checksum of bytes that arrive piece by piece."""

    def __init__(self, algorithm: str) -> None:
        self._crc: Callable[[bytes, int], int] | None = None
        self._sum: Any = 0
        self._length = LENGTHS[algorithm]
        if algorithm in {"sha1", "sha256"}:
            self._sum = hashlib.new(algorithm, usedforsecurity=False)
        else:
            self._crc = _crc(algorithm)

    def update(self, data: bytes) -> None:
        """Add bytes."""
        if self._crc is None:
            self._sum.update(data)
        else:
            self._sum = self._crc(data, self._sum)

    def text(self) -> str:
        """Base64 of the big-endian value, as S3 writes it."""
        value = self._sum.digest() if self._crc is None else self._sum.to_bytes(self._length, "big")
        return base64.b64encode(value).decode("ascii")


def _crc(algorithm: str) -> Callable[[bytes, int], int]:
    if algorithm == "crc32":
        return zlib.crc32
    from awscrt import checksums  # AWS's own: the other two are not in the standard library

    found: Callable[[bytes, int], int] = checksums.crc32c if algorithm == "crc32c" else checksums.crc64nvme
    return found


@dataclass(slots=True, frozen=True)
class Declared:
    """A checksum that a client declared: its algorithm and, unless it follows in a trailer, its value."""

    algorithm: str
    value: str | None


def declared_checksum(headers: Mapping[str, str]) -> Declared | None:
    """The checksum that the headers of a body declare.

    Raises:
        StorageFault: there are several, or one that S3 does not know.
    """
    found = {
        name.removeprefix(HEADER): value
        for name, value in headers.items()
        if name.startswith(HEADER) and name.removeprefix(HEADER) not in {"mode", "type", "algorithm"}
    }
    trailers = [name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",") if name.strip()]
    wanted: dict[str, str | None] = {**found, **{name.removeprefix(HEADER): None for name in trailers}}
    if len(wanted) > 1:
        raise StorageFault(400, "InvalidRequest", "Expecting a single x-amz-checksum- header.")
    for algorithm, value in wanted.items():
        if algorithm not in LENGTHS:
            raise StorageFault(400, "InvalidRequest", f"The checksum can be one of {', '.join(LENGTHS)}.")
        if value is not None and not _is_value(value, LENGTHS[algorithm]):
            raise StorageFault(400, "InvalidRequest", f"Value for {HEADER}{algorithm} header is invalid.")
        return Declared(algorithm, value)
    return None


def _is_value(text: str, length: int) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == length
    except ValueError:
        return False


def composite(algorithm: str, values: Iterable[str]) -> str:
    """The checksum of an object of several parts: that of the checksums of its parts, and how many these are."""
    parts = [base64.b64decode(value) for value in values]
    joined = Checksum(algorithm)
    joined.update(b"".join(parts))
    return f"{joined.text()}-{len(parts)}"
