"""One call of the object storage: who makes it, on which key, and its body on the way to disk."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server.accounts import Account, account_of_access_key, storage_key
from avatar_gitops.server.checksums import HEADER, Declared, declared_checksum
from avatar_gitops.server.chunked import AwsChunkedDecoder, ChunkSignatures
from avatar_gitops.server.digits import number_in
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.objects import RESULTS_FOLDER, Condition, Storage
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.receiving import Received, Receiver, refuse_large
from avatar_gitops.server.signature import UNSIGNED_PAYLOAD, Signature, SignedRequest, verify
from avatar_gitops.wire.routes import STORAGE_PREFIX

MAXIMUM_XML: Final = 4 << 20
MAXIMUM_KEY_BYTES: Final = 1024
UNSIGNED_TRAILER: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER: Final = f"{SIGNED_CHUNKS}-TRAILER"


@dataclass(slots=True, frozen=True)
class Call:
    """One signed call: who, on which key, with which parameters."""

    storage: Storage
    request: Request
    signature: Signature
    bucket: str
    key: str
    query: Mapping[str, str]
    maximum_bytes: int
    protected_prefix: str
    on_all_buckets: bool = False

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers


def authorized(request: Request) -> Call:
    """The call, once its signature is verified and its bucket is the caller's own.

    Raises:
        StorageFault: it is not.
    """
    platform: Platform = request.app.state.platform
    raw_path = request.scope["raw_path"].decode("ascii")
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw]
    signed = SignedRequest(request.method, raw_path, request.url.query, headers)
    signer: Account | None = None

    def secret_of(access_key_id: str) -> str | None:
        nonlocal signer
        signer = account_of_access_key(platform.engine, access_key_id)
        if signer is None or signer.credential is None:
            return None
        return storage_key(platform.installation_secret, signer.credential).secret_access_key

    signature = verify(signed, secret_of, datetime.now(UTC))
    bucket, _, raw_key = raw_path.removeprefix(STORAGE_PREFIX).lstrip("/").partition("/")
    if signer is None or bucket not in {signer.id, ""}:
        raise StorageFault(403, "AccessDenied", "This bucket belongs to someone else or does not exist.")
    protected = f"{platform.retention_prefix}/{RESULTS_FOLDER}/"
    where = (signer.id, decoded_key(raw_key), signed.query())
    limits = (platform.maximum_object_bytes, protected, not bucket)
    return Call(platform.storage, request, signature, *where, *limits)


def decoded_key(raw_key: str) -> str:
    """Percent-decode exactly once; a plus sign stays a plus sign.

    Raises:
        StorageFault: it is no key.
    """
    decoded = unquote_to_bytes(raw_key)
    if len(decoded) > MAXIMUM_KEY_BYTES:
        raise StorageFault(400, "KeyTooLongError", f"A key may have at most {MAXIMUM_KEY_BYTES} bytes.")
    try:
        key = decoded.decode("utf-8")
    except UnicodeDecodeError:
        raise StorageFault(400, "InvalidURI", "The key is not UTF-8.") from None
    if "\0" in key:
        raise StorageFault(400, "InvalidURI", "A key cannot have a NUL character.")
    return key


def refuse_protected(call: Call, key: str | None = None) -> None:
    """Raise StorageFault for a key that only jobs write."""
    if (call.key if key is None else key).startswith(call.protected_prefix):
        raise StorageFault(403, "AccessDenied", "Results are written by jobs and removed with them.")


def write_condition(call: Call) -> Condition:
    """What the headers of a conditional write ask for; forms that S3 does not take are refused as S3 refuses them."""
    absent, wanted = call.headers.get("if-none-match"), call.headers.get("if-match")
    if absent not in {None, "*"}:
        raise StorageFault(501, "NotImplemented", "If-None-Match of a write can only be *.")
    return Condition(absent == "*", None if wanted is None else wanted.strip().strip('"'))


async def receive(
    call: Call, limit: int | None = None, algorithm: str | None = None, *, compare_checksum: bool = True
) -> Received:
    """Stream the body to a file and compare it with everything that the client declared about it.

    The result has the checksum that was declared, or else that of `algorithm`. `compare_checksum` False: the checksum
    of the headers is that of something else.
    """
    maximum = limit or call.maximum_bytes
    declared = declared_checksum(call.headers) if compare_checksum else None
    if declared is not None and algorithm is not None and declared.algorithm != algorithm:
        raise StorageFault(400, "InvalidRequest", f"The upload was begun with the checksum {algorithm}.")
    payload = call.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    decoder = _decoder(call, payload)
    _refuse_declared_length(call, maximum)
    wanted = algorithm if declared is None else declared.algorithm
    receiver = Receiver(call.storage.state.incoming, maximum, wanted)
    try:
        async for piece in call.request.stream():
            receiver.write(decoder.feed(piece) if decoder else piece)
        if decoder:
            decoder.finish()
        received = await run_in_threadpool(receiver.finish)
        _compare(call, received, payload, (declared, decoder.trailers if decoder else {}))
    except BaseException:
        receiver.discard()
        raise
    return received


def _decoder(call: Call, payload: str) -> AwsChunkedDecoder | None:
    if payload == UNSIGNED_TRAILER:
        return AwsChunkedDecoder()
    if payload in {SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER}:
        return AwsChunkedDecoder(ChunkSignatures(call.signature), signed_trailer=payload == SIGNED_CHUNKS_TRAILER)
    if payload != UNSIGNED_PAYLOAD and not re.fullmatch(r"[0-9a-f]{64}", payload):
        raise StorageFault(501, "NotImplemented", "This form of x-amz-content-sha256 is not offered.")
    return None


def _refuse_declared_length(call: Call, maximum: int) -> None:
    for name in ("x-amz-decoded-content-length", "content-length"):
        size = number_in(call.headers.get(name, ""), maximum + 1)
        if size is not None:
            refuse_large(size, maximum)
            return


def _compare(call: Call, received: Received, payload: str, said: tuple[Declared | None, Mapping[str, str]]) -> None:
    declared, trailers = said
    if re.fullmatch(r"[0-9a-f]{64}", payload) and payload != received.sha256:
        raise StorageFault(400, "XAmzContentSHA256Mismatch", "The body does not have the signed digest.")
    if declared is None and any(name.startswith(HEADER) for name in trailers):
        raise StorageFault(400, "MalformedTrailerError", "A trailer has to be declared in x-amz-trailer.")
    if declared is not None:
        value = trailers.get(f"{HEADER}{declared.algorithm}") if declared.value is None else declared.value
        if value != received.checksum:
            raise StorageFault(400, "BadDigest", f"The body does not have the declared {declared.algorithm} checksum.")
    md5 = call.headers.get("content-md5")
    if md5 is not None and _hexadecimal(md5) != received.md5:
        raise StorageFault(400, "BadDigest", "The body does not have the declared Content-MD5.")
    length = call.headers.get("x-amz-decoded-content-length")
    if length is not None and length != str(received.size):
        raise StorageFault(400, "IncompleteBody", "The body does not have the declared length.")


def _hexadecimal(md5: str) -> str:
    try:
        value = base64.b64decode(md5, validate=True)
    except ValueError:
        value = b""
    if len(value) != 16:
        raise StorageFault(400, "InvalidDigest", "Content-MD5 is not the base64 of 16 bytes.")
    return value.hex()


async def small_body(call: Call, *, compare_checksum: bool = True) -> bytes:
    """A body that is a document."""
    received = await receive(call, MAXIMUM_XML, compare_checksum=compare_checksum)
    body = received.path.read_bytes()
    received.path.unlink()
    return body


def parsed(body: bytes) -> ElementTree.Element:
    """An XML body; declarations are refused, so there are no entities to expand.

    Raises:
        StorageFault: it is not XML.
    """
    try:
        if b"<!" not in body and b"\0" not in body:  # no NUL: not UTF-16, where a declaration looks different
            return ElementTree.fromstring(body)  # noqa: S314  (see above)
    except (ElementTree.ParseError, LookupError, ValueError):  # the two others: an encoding that is not known
        pass
    raise StorageFault(400, "MalformedXML", "The body is not XML that this storage reads.")
