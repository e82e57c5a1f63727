"""Bodies on their way to disk: digests, size limit, what their sender declared."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from avatar_gitops.server.checksums import Checksum
from avatar_gitops.server.faults import StorageFault

COPY_BUFFER: Final = 1 << 20


@dataclass(slots=True, frozen=True)
class Received:
    """A complete body in a file of its own; `checksum` is of the algorithm that was asked for, "" when of none."""

    path: Path
    size: int
    md5: str
    sha256: str
    checksum: str = ""


class Receiver:
    """Writes a body to a new file while it arrives and computes what clients let us compare."""

    def __init__(self, folder: Path, limit: int, algorithm: str | None = None) -> None:
        self._path = folder / uuid.uuid4().hex
        self._file: IO[bytes] = self._path.open("xb")
        self._limit = limit
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)  # what S3 calls ETag
        self._sha256 = hashlib.sha256()
        self._checksum = None if algorithm is None else Checksum(algorithm)

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            StorageFault: the body is larger than this platform accepts.
        """
        self._size += len(data)
        refuse_large(self._size, self._limit)
        self._md5.update(data)
        self._sha256.update(data)
        if self._checksum is not None:
            self._checksum.update(data)
        self._file.write(data)

    def finish(self) -> Received:
        """Make the file durable and describe it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        checksum = "" if self._checksum is None else self._checksum.text()
        return Received(self._path, self._size, self._md5.hexdigest(), self._sha256.hexdigest(), checksum)

    def discard(self) -> None:
        """Forget the body."""
        try:
            self._file.close()
        except OSError:
            pass  # a full disk: what was buffered cannot be written, and is not wanted
        finally:
            self._path.unlink(missing_ok=True)


def refuse_large(size: int, limit: int) -> None:
    """Raise StorageFault for a body that is larger than this platform accepts."""
    if size > limit:
        raise StorageFault(400, "EntityTooLarge", f"An object may have at most {limit} bytes.")


def describe_file(path: Path, algorithm: str | None = None) -> Received:
    """Make a file that was written here durable and describe it like a received one."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    checksum = None if algorithm is None else Checksum(algorithm)
    size = 0
    with path.open("rb") as file:
        while piece := file.read(COPY_BUFFER):
            size += len(piece)
            md5.update(piece)
            sha256.update(piece)
            if checksum is not None:
                checksum.update(piece)
        os.fsync(file.fileno())
    return Received(path, size, md5.hexdigest(), sha256.hexdigest(), "" if checksum is None else checksum.text())
