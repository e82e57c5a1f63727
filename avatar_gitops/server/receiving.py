"""Bodies on their way to disk: digests, size limit, removal of the `aws-chunked` framing."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from avatar_gitops.server.faults import StorageFault

MAXIMUM_FRAME_HEADER: Final = 4096


@dataclass(slots=True, frozen=True)
class Received:
    """A complete body in a file of its own."""

    path: Path
    size: int
    md5: str
    sha256: str
    crc32: str  # base64 of the big-endian value, as S3 writes it


class Receiver:
    """Writes a body to a new file while it arrives and computes what clients let us compare."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._path = folder / uuid.uuid4().hex
        self._file: IO[bytes] = self._path.open("xb")
        self._limit = limit
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)  # what S3 calls ETag
        self._sha256 = hashlib.sha256()
        self._crc32 = 0

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            StorageFault: the body is larger than this platform accepts.
        """
        self._size += len(data)
        if self._size > self._limit:
            raise StorageFault(400, "EntityTooLarge", f"An object may have at most {self._limit} bytes.")
        self._md5.update(data)
        self._sha256.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self._file.write(data)

    def finish(self) -> Received:
        """Make the file durable and describe it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        crc32 = base64.b64encode(self._crc32.to_bytes(4, "big")).decode("ascii")
        return Received(self._path, self._size, self._md5.hexdigest(), self._sha256.hexdigest(), crc32)

    def discard(self) -> None:
        """Forget the body."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class AwsChunkedDecoder:
    """Strips the framing `hex-size CRLF bytes CRLF … 0 CRLF trailers CRLF` piece by piece."""

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0  # bytes of the present chunk that are still to come
        self._at_end_of_chunk = False
        self._in_trailers = False
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> bytes:
        """The content bytes that became known with this piece.

        Raises:
            StorageFault: the framing is damaged.
        """
        self._buffer += data
        content: list[bytes] = []
        while self._buffer and not self._in_trailers:
            if self._left:
                piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
                self._left -= len(piece)
                self._at_end_of_chunk = self._left == 0
                content.append(piece)
            elif not self._read_frame_header():
                break
        return b"".join(content)

    def finish(self) -> None:
        """Read the trailers; the last chunk must have been seen."""
        if not self._in_trailers:
            raise _damaged()
        for line in self._buffer.split(b"\r\n"):
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                self.trailers[name.strip().lower()] = value.strip()

    def _read_frame_header(self) -> bool:
        """Take the next chunk header from the buffer; False when it has not arrived completely."""
        start = 2 if self._at_end_of_chunk else 0
        end = self._buffer.find(b"\r\n", start)
        if end < 0:
            if len(self._buffer) > MAXIMUM_FRAME_HEADER:
                raise _damaged()
            return False
        if start and not self._buffer.startswith(b"\r\n"):
            raise _damaged()
        size = self._buffer[start:end].split(b";")[0].strip()
        try:
            self._left = int(size, 16)
        except ValueError:
            raise _damaged() from None
        self._buffer = self._buffer[end + 2 :]
        self._at_end_of_chunk = False
        self._in_trailers = self._left == 0
        return True


def _damaged() -> StorageFault:
    return StorageFault(400, "IncompleteBody", "The aws-chunked framing of the body is damaged.")


def describe_file(path: Path) -> Received:
    """Make a file that was written here durable and describe it like a received one."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    size = crc32 = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            crc32 = zlib.crc32(piece, crc32)
            md5.update(piece)
            sha256.update(piece)
        os.fsync(file.fileno())
    encoded = base64.b64encode(crc32.to_bytes(4, "big")).decode("ascii")
    return Received(path, size, md5.hexdigest(), sha256.hexdigest(), encoded)
