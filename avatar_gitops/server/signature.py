"""Verification of AWS Signature Version 4, the way S3 clients sign their requests: in a header, or in the URL."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

from avatar_gitops.server.digits import number_in
from avatar_gitops.server.faults import StorageFault

ALGORITHM: Final = "AWS4-HMAC-SHA256"
MAXIMUM_SKEW: Final = timedelta(minutes=15)
MAXIMUM_VALIDITY: Final = timedelta(days=7)
SIGNED_IN_HEADER: Final = frozenset({"host", "x-amz-date", "x-amz-content-sha256"})
SIGNED_IN_URL: Final = frozenset({"host"})
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
CREDENTIAL: Final = r"(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
AUTHORIZATION: Final = re.compile(
    rf"{ALGORITHM}\s+Credential={CREDENTIAL}"
    r"\s*,\s*SignedHeaders=(?P<headers>[a-z0-9;.\-_]+)\s*,\s*Signature=(?P<signature>[0-9a-f]{64})"
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

    def query(self) -> dict[str, str]:
        """The parameters of the URL, decoded."""
        pairs = (item.partition("=") for item in self.raw_query.split("&") if item)
        return {unquote(name): unquote(value) for name, _, value in pairs}


@dataclass(slots=True, frozen=True)
class Signature:
    """A signature that was verified, with what the signatures of chunks are derived from."""

    access_key_id: str
    timestamp: str
    scope: str
    value: str
    key: bytes = field(repr=False)


@dataclass(slots=True, frozen=True)
class _Claim:
    """A signature as it was sent; `validity` is given for one in a URL."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_names: tuple[str, ...]
    signature: str
    timestamp: str
    validity: timedelta | None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def verify(request: SignedRequest, secret_of: Callable[[str], str | None], now: datetime) -> Signature:
    """The signature of the request.

    Raises:
        StorageFault: there is none, it is wrong or too old, or the clocks are more than 15 minutes apart.
    """
    claim = _claim(request)
    _check_coverage(request, claim)
    _check_time(claim, now)
    secret = secret_of(claim.access_key_id)
    # An unknown key id is refused only after the same amount of work.
    key = _signing_key(secret or "", claim)
    hashed = hashlib.sha256(canonical_request(request, claim.signed_names).encode()).hexdigest()
    text = "\n".join([ALGORITHM, claim.timestamp, claim.scope, hashed])
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()) or secret is None:
        raise StorageFault(403, "SignatureDoesNotMatch", "The signature does not match the request.")
    return Signature(claim.access_key_id, claim.timestamp, claim.scope, expected, key)


def _claim(request: SignedRequest) -> _Claim:
    query, authorization = request.query(), request.header("authorization")
    if "X-Amz-Algorithm" in query:
        if authorization is not None:
            raise StorageFault(400, "InvalidArgument", "Only one auth mechanism is allowed: the header or the URL.")
        return _claim_of_url(query)
    if "AWSAccessKeyId" in query or (authorization or "").startswith("AWS "):
        raise StorageFault(
            400, "InvalidRequest", f"Signatures of version 2 are not accepted. Please use {ALGORITHM} (s3v4)."
        )
    match = AUTHORIZATION.fullmatch((authorization or "").strip())
    if match is None:
        raise StorageFault(403, "AccessDenied", "The request has no AWS Signature Version 4.")
    return _claim_of(match, match["headers"], match["signature"], (request.header("x-amz-date") or "", None))


def _claim_of_url(query: Mapping[str, str]) -> _Claim:
    match = re.fullmatch(CREDENTIAL, query.get("X-Amz-Credential", ""))
    seconds = number_in(query.get("X-Amz-Expires", ""), 10**9)
    if query["X-Amz-Algorithm"] != ALGORITHM or match is None or seconds is None:
        raise StorageFault(400, "AuthorizationQueryParametersError", "The signature in the URL is not complete.")
    validity = timedelta(seconds=seconds)
    if not timedelta() < validity <= MAXIMUM_VALIDITY:
        raise StorageFault(400, "AuthorizationQueryParametersError", "X-Amz-Expires must be 1 to 604800 seconds.")
    signed, signature = query.get("X-Amz-SignedHeaders", ""), query.get("X-Amz-Signature", "")
    return _claim_of(match, signed, signature, (query.get("X-Amz-Date", ""), validity))


def _claim_of(match: re.Match[str], signed: str, signature: str, when: tuple[str, timedelta | None]) -> _Claim:
    scope = (match["date"], match["region"], match["service"])
    return _Claim(match["key"], *scope, tuple(signed.lower().split(";")), signature, *when)


def _check_coverage(request: SignedRequest, claim: _Claim) -> None:
    """Whoever holds a signature must not be able to add to what it says: every `x-amz-` header is covered."""
    needed = set(SIGNED_IN_HEADER if claim.validity is None else SIGNED_IN_URL)
    needed |= {name for name, _ in request.headers if name.startswith("x-amz-")}
    if claim.service != "s3" or not needed.issubset(claim.signed_names):
        raise StorageFault(403, "AccessDenied", "The signature does not cover the headers that it must cover.")


def _check_time(claim: _Claim, now: datetime) -> None:
    stamp = _timestamp(claim.timestamp)
    if claim.validity is not None and now - stamp > claim.validity:  # a sum may pass the last year
        raise StorageFault(403, "AccessDenied", "Request has expired.")
    skewed = stamp - now > MAXIMUM_SKEW if claim.validity is not None else abs(now - stamp) > MAXIMUM_SKEW
    if stamp.strftime("%Y%m%d") != claim.date or skewed:
        raise StorageFault(403, "RequestTimeTooSkewed", "The clocks of client and server differ too much.")


def canonical_request(request: SignedRequest, signed_names: Sequence[str]) -> str:
    """The text whose hash is signed; the path is taken as sent, including any prefix."""
    headers = "".join(f"{name}:{request.header(name) or ''}\n" for name in signed_names)
    payload = request.header("x-amz-content-sha256") or UNSIGNED_PAYLOAD
    query = _canonical_query(request.raw_query)
    return "\n".join([request.method, request.raw_path, query, headers, ";".join(signed_names), payload])


def _signing_key(secret: str, claim: _Claim) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claim.date, claim.region, claim.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _canonical_query(raw_query: str) -> str:
    pairs = []
    for item in raw_query.split("&"):
        name, _, value = item.partition("=")
        if item and unquote(name) != "X-Amz-Signature":
            pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _timestamp(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise StorageFault(403, "AccessDenied", "The request has no valid X-Amz-Date.") from None
