"""Bodies in `aws-chunked` framing, and the signature of each chunk where the client signs them.

Source: "Signature calculations for the authorization header: transferring payload in multiple chunks" of the S3 manual.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.signature import Signature

MAXIMUM_FRAME_HEADER: Final = 4096
MAXIMUM_TRAILERS: Final = 16_384
EMPTY: Final = hashlib.sha256(b"").hexdigest()
TRAILER_SIGNATURE: Final = "x-amz-trailer-signature"


class ChunkSignatures:
    """The chain of signatures of a body: each chunk's signature covers the one before it."""

    def __init__(self, seed: Signature) -> None:
        self._seed = seed
        self._before = seed.value

    def check(self, digest: str, claimed: str) -> None:
        """Compare the signature of the next chunk, given the SHA-256 of its bytes.

        Raises:
            StorageFault: it is another one.
        """
        self._compare("AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY}\n{digest}", claimed)

    def check_trailer(self, trailers: dict[str, str], claimed: str) -> None:
        """Compare the signature of the trailers."""
        text = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
        self._compare("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode()).hexdigest(), claimed)

    def _compare(self, algorithm: str, what: str, claimed: str) -> None:
        text = f"{algorithm}\n{self._seed.timestamp}\n{self._seed.scope}\n{self._before}\n{what}"
        expected = hmac.new(self._seed.key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), claimed.encode()):
            raise StorageFault(403, "SignatureDoesNotMatch", "The signature of a chunk does not match its bytes.")
        self._before = expected


class AwsChunkedDecoder:
    """Strips the framing `hex-size[;chunk-signature=…] CRLF bytes CRLF … 0 CRLF trailers CRLF` piece by piece."""

    def __init__(self, signatures: ChunkSignatures | None = None, *, signed_trailer: bool = False) -> None:
        self._signatures = signatures
        self._signed_trailer = signed_trailer
        self._digest = hashlib.sha256()
        self._claimed = ""
        self._buffer = b""
        self._left = 0  # bytes of the present chunk that are still to come
        self._at_end_of_chunk = False
        self._in_trailers = False
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> bytes:
        """The content bytes that became known with this piece.

        Raises:
            StorageFault: the framing is damaged, or the signature of a chunk is wrong.
        """
        self._buffer += data
        content: list[bytes] = []
        while self._buffer and not self._in_trailers:
            if self._left:
                content.append(self._take_content())
            elif not self._read_frame_header():
                break
        if self._in_trailers and len(self._buffer) > MAXIMUM_TRAILERS:
            raise _damaged()
        return b"".join(content)

    def finish(self) -> None:
        """Read the trailers; the last chunk must have been seen."""
        if not self._in_trailers:
            raise _damaged()
        for line in self._buffer.split(b"\n"):
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                self.trailers[name.strip().lower()] = value.strip()
        claimed = self.trailers.pop(TRAILER_SIGNATURE, "")
        if self._signatures is not None and self._signed_trailer:
            self._signatures.check_trailer(self.trailers, claimed)

    def _take_content(self) -> bytes:
        piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        self._left -= len(piece)
        if self._signatures is not None:
            self._digest.update(piece)
        if self._left == 0:
            self._at_end_of_chunk = True
            self._check_chunk()
        return piece

    def _check_chunk(self) -> None:
        if self._signatures is not None:
            self._signatures.check(self._digest.hexdigest(), self._claimed)
            self._digest = hashlib.sha256()

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
        size, _, extension = self._buffer[start:end].partition(b";")
        try:
            self._left = int(size.strip(), 16)
        except ValueError:
            raise _damaged() from None
        if self._left < 0:
            raise _damaged()
        self._claimed = extension.strip().removeprefix(b"chunk-signature=").decode("latin-1")
        self._buffer = self._buffer[end + 2 :]
        self._at_end_of_chunk = False
        if self._left == 0:
            self._in_trailers = True
            self._check_chunk()
        return True


def _damaged() -> StorageFault:
    return StorageFault(400, "IncompleteBody", "The aws-chunked framing of the body is damaged.")
