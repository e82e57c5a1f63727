"""Verification of AWS Signature Version 4, the way S3 clients sign their requests."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

from avatar_gitops.server.faults import StorageFault

ALGORITHM: Final = "AWS4-HMAC-SHA256"
MAXIMUM_SKEW: Final = timedelta(minutes=15)
MUST_BE_SIGNED: Final = frozenset({"host", "x-amz-date", "x-amz-content-sha256"})
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
STREAMING_UNSIGNED: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
AUTHORIZATION: Final = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{{8}})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request\s*,\s*SignedHeaders=(?P<headers>[a-z0-9;.\-_]+)\s*,\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(slots=True, frozen=True)
class SignedRequest:
    """What a signature covers: the request line and headers exactly as they were sent."""

    method: str
    raw_path: str
    raw_query: str
    headers: Sequence[tuple[str, str]]  # names in lower case

    def header(self, name: str) -> str | None:
        """All values of a header joined by commas, or None."""
        values = [" ".join(value.split()) for key, value in self.headers if key == name]
        return ",".join(values) if values else None


def verify(request: SignedRequest, secret_of: Callable[[str], str | None], now: datetime) -> str:
    """The access key id that signed the request.

    Raises:
        StorageFault: there is no signature, it is wrong, or its clock is more than 15 minutes off.
    """
    match = AUTHORIZATION.fullmatch((request.header("authorization") or "").strip())
    if match is None:
        raise StorageFault(403, "AccessDenied", "The request has no AWS Signature Version 4.")
    signed_names = match["headers"].split(";")
    if match["service"] != "s3" or not MUST_BE_SIGNED.issubset(signed_names):
        raise StorageFault(403, "AccessDenied", "The signature does not cover the headers that it must cover.")
    stamp = _timestamp(request.header("x-amz-date"))
    if stamp.strftime("%Y%m%d") != match["date"] or abs(now - stamp) > MAXIMUM_SKEW:
        raise StorageFault(403, "RequestTimeTooSkewed", "The clocks of client and server differ too much.")
    secret = secret_of(match["key"])
    # An unknown key id is refused only after the same amount of work.
    expected = _signature(request, signed_names, secret or "", match)
    if not hmac.compare_digest(expected, match["signature"]) or secret is None:
        raise StorageFault(403, "SignatureDoesNotMatch", "The signature does not match the request.")
    return match["key"]


def canonical_request(request: SignedRequest, signed_names: Sequence[str]) -> str:
    """The text whose hash is signed; the path is taken as sent, including any prefix."""
    headers = "".join(f"{name}:{request.header(name) or ''}\n" for name in signed_names)
    payload = request.header("x-amz-content-sha256") or UNSIGNED_PAYLOAD
    query = _canonical_query(request.raw_query)
    return "\n".join([request.method, request.raw_path, query, headers, ";".join(signed_names), payload])


def _signature(request: SignedRequest, signed_names: Sequence[str], secret: str, match: re.Match[str]) -> str:
    scope = f"{match['date']}/{match['region']}/{match['service']}/aws4_request"
    hashed = hashlib.sha256(canonical_request(request, signed_names).encode()).hexdigest()
    text = "\n".join([ALGORITHM, request.header("x-amz-date") or "", scope, hashed])
    key = f"AWS4{secret}".encode()
    for part in (match["date"], match["region"], match["service"], "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _canonical_query(raw_query: str) -> str:
    pairs = []
    for item in raw_query.split("&"):
        if not item:
            continue
        name, _, value = item.partition("=")
        pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _timestamp(text: str | None) -> datetime:
    try:
        return datetime.strptime(text or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise StorageFault(403, "AccessDenied", "The request has no valid x-amz-date header.") from None
