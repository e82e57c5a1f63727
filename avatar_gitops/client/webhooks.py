"""Posting a short message to an address that is itself a secret: few tries, short waits, no redirect, a signature."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from avatar_gitops import __version__
from avatar_gitops.client.transport import is_loopback
from avatar_gitops.ports import Clock

TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
PAUSES: Final = (1.0, 3.0)
TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
MAX_BODY_BYTES: Final = 64 << 10
DELIVERY: Final = "X-Avatar-Gitops-Delivery"
SIGNATURE: Final = "X-Avatar-Gitops-Signature"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post; only the host may be shown. `key` signs the body when it is not empty."""

    url: str = field(repr=False)
    key: bytes = field(default=b"", repr=False)

    @property
    def host(self) -> str:
        """The part of the address that is no secret."""
        return urlsplit(self.url).hostname or "?"

    @property
    def refusal(self) -> str:
        """Why nothing is posted there; empty when the address will do."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            return "it is no address that starts with https://"
        if parts.scheme == "http" and not is_loopback(self.url):
            return "http:// is only for this machine; use https://"
        return ""


def post(target: Target, body: bytes, delivery: str, *, clock: Clock) -> str:
    """Post JSON; why it was not delivered, or nothing. `delivery` is the same whenever the same is told again."""
    if target.refusal:
        return target.refusal
    if len(body) > MAX_BODY_BYTES:
        return "the message is too large"
    headers = {"Content-Type": "application/json", "User-Agent": f"avatar-gitops/{__version__}", DELIVERY: delivery}
    if target.key:
        headers[SIGNATURE] = "sha256=" + hmac.new(target.key, body, hashlib.sha256).hexdigest()
    trouble = ""
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=not is_loopback(target.url)) as http:
        for pause in (*PAUSES, None):
            trouble, again = _attempt(http, target.url, body, headers)
            if not trouble or not again or pause is None:
                break
            clock.sleep(pause)
    return trouble


def _attempt(http: httpx.Client, url: str, body: bytes, headers: dict[str, str]) -> tuple[str, bool]:
    """Why one try did not work, and whether another one might; what the receiver says is not read."""
    try:
        with http.stream("POST", url, content=body, headers=headers) as answer:
            status = answer.status_code
    except httpx.TimeoutException:
        return "no answer in time", True
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError):  # their texts may hold the address
        return "no connection", True
    if 200 <= status < 300:
        return "", False
    redirect = " (redirects are not followed)" if 300 <= status < 400 else ""
    return f"status {status}{redirect}", status in TRANSIENT
