"""What a server says when it refuses: found in the body by the rules of the official client, made safe to show."""

from __future__ import annotations

from typing import Any, Final

import httpx

MAX_MESSAGE: Final = 800


def server_message(response: httpx.Response) -> str:
    """The explanation in an error answer, whatever the shape of its body."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return response.text.strip() or "no message available"
    if (message := _first_with(body, "message")) is not None:
        return str(message["message"])
    if (found := _first_with(body, "msg")) is not None:
        place = found.get("loc")
        return f"{found['msg']}: {place[-1]}" if isinstance(place, list) and place else f"Bad Request: {found['msg']}"
    if body.get("detail"):
        return str(body["detail"])
    return f"Internal error: {response.text.strip()}"


def _first_with(node: Any, key: str, depth: int = 8) -> dict[str, Any] | None:
    """The map that holds `key`, going down into the first value of a map or the first element of a list only."""
    if depth == 0 or not node:
        return None
    if isinstance(node, dict):
        if key in node:
            return node
        return _first_with(next(iter(node.values())), key, depth - 1)
    return _first_with(node[0], key, depth - 1) if isinstance(node, list) else None


def clean(text: str, secret: str | None = None) -> str:
    """Text of a server on one line, without control characters, without our key, at most `MAX_MESSAGE` characters."""
    line = " ".join((text.replace(secret, "***") if secret else text).split())
    shown = "".join(sign if sign.isprintable() else "?" for sign in line)
    return shown if len(shown) <= MAX_MESSAGE else shown[: MAX_MESSAGE - 1] + "…"
