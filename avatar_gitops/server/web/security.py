"""What protects the web application in a browser: content policy, headers, cookies, origin of forms, safe returns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from avatar_gitops.server.requests import public_origin
from avatar_gitops.wire.routes import API_PREFIX, STORAGE_PREFIX

# Nothing inline, nothing from elsewhere. Figures are the only frames, and their own policy is below.
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A figure carries its library and compiles its expressions, so it runs in an origin of its own that can reach nothing.
FIGURE_POLICY: Final = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval';"
    " style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": PAGE_POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not `no-referrer`: with it browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

SESSION_COOKIE: Final = "avatar_session"
FORM_COOKIE: Final = "avatar_form"
HOST_PREFIX: Final = "__Host-"
HOME: Final = "/"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
UNSAFE_PATH: Final = re.compile(r"[\x00-\x20\x7f\\]")


def is_secure(request: Request) -> bool:
    """Whether the browser speaks HTTPS, to us or to the proxy before us."""
    return public_origin(request).startswith("https:")


def cookie_name(request: Request, name: str) -> str:
    """Over HTTPS the name carries the prefix that lets no subdomain and no plain HTTP page set the cookie."""
    return f"{HOST_PREFIX}{name}" if is_secure(request) else name


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """A cookie that ends with the browser; that of forms is never sent from elsewhere, a session's only by links."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict" if name == FORM_COOKIE else "lax",
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Remove a cookie."""
    response.delete_cookie(
        cookie_name(request, name), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def is_from_here(request: Request) -> bool:
    """Whether a form was sent by one of our own pages; a request that says nothing of it depends on its token alone.

    The scheme is not compared, so that a proxy which does not pass it on breaks no form.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    sender = _host(origin)
    return sender is not None and sender == _host(public_origin(request))


def _host(origin: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(origin)
        port = None if parts.port == DEFAULT_PORTS.get(parts.scheme) else parts.port
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def safe_return(path: str | None) -> str:
    """A path of this application to go to after signing in; anything else becomes the list of runs."""
    if not path or not path.startswith("/") or path.startswith("//") or UNSAFE_PATH.search(path):
        return HOME
    return HOME if path.startswith((f"{API_PREFIX}/", f"{STORAGE_PREFIX}/")) else path
