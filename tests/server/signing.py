"""Signs S3 requests for the tests, written apart from the verification that it tests."""

from __future__ import annotations

import hashlib
import hmac
import http.client
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.server.api import Api


def signed(
    method: str,
    url: str,
    keys: Mapping[str, str],
    *,
    payload: str = "UNSIGNED-PAYLOAD",
    when: datetime | None = None,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Headers of a signed request without a body digest (query parameters must be sorted and encoded).

    `more` are further headers, of which those of AWS are signed, too.
    """
    moment = (when or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    extra = {name.lower(): value for name, value in (more or {}).items() if name.lower().startswith("x-amz-")}
    headers = {"host": parts.netloc, "x-amz-content-sha256": payload, "x-amz-date": moment, **extra}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    query = "&".join(item if "=" in item else f"{item}=" for item in parts.query.split("&") if item)
    canonical = f"{method}\n{parts.path}\n{query}\n{lines}\n{names}\n{payload}"
    scope = f"{moment[:8]}/eu-west-3/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    key = ("AWS4" + keys["secret_access_key"]).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"Credential={keys['access_key_id']}/{scope}"
    headers |= more or {}
    headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    return headers


def call(api: Api, method: str, path: str, *, query: str = "", **options: Any) -> httpx.Response:
    """A signed call on `/storage/<path>`; `path` is sent as it is, of `headers` those of AWS are signed."""
    url = f"{api.base_url}/storage/{path}{'?' + query if query else ''}"
    payload = options.pop("payload", "UNSIGNED-PAYLOAD")
    headers = signed(method, url, api.credentials(), payload=payload, more=options.pop("headers", {}))
    return api.http.request(method, url, headers=headers, **options)


def raw_call(api: Api, method: str, path: str, content: bytes = b"") -> tuple[int, bytes]:
    """A signed call whose path reaches the server exactly as written, dots included."""
    parts = urlsplit(api.base_url)
    headers = signed(method, f"{api.base_url}/storage/{path}", api.credentials())
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        connection.request(method, f"/storage/{path}", body=content, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
