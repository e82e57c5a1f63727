"""Secrets that were written into a file instead of being referred to as `env/NAME`."""

from __future__ import annotations

import re
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.spec.nodes import Document, Path
from avatar_gitops.spec.schema import Kind
from avatar_gitops.spec.secrets import is_reference, is_secret_key, secret_in

KINDS: Final = (("pass", "a password"), ("pwd", "a password"), ("token", "an access token"), ("key", "a key"))
DEFAULTED: Final = re.compile(r"env/([A-Za-z_][A-Za-z0-9_]*)/")
SOURCE_KEYS: Final = frozenset({"source", "avatars", "holdout", "sample"})


def find_secrets(document: Document, kind: Kind) -> list[Diagnostic]:
    """One finding per text that looks like a secret, by its key or by itself; no finding holds the text."""
    texts: list[tuple[Path, str]] = []
    _gather(document.data, (), texts)
    return [_finding(document, path, what) for path, value in texts if (what := _secret(path, value, kind)) is not None]


def _gather(data: Any, path: Path, texts: list[tuple[Path, str]]) -> None:
    if isinstance(data, str):
        texts.append((path, data))
    elif isinstance(data, dict):
        for key, value in data.items():
            _gather(value, (*path, key), texts)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _gather(value, (*path, index), texts)


def _secret(path: Path, value: str, kind: Kind) -> str | None:
    if kind == "project" or not SOURCE_KEYS.isdisjoint(path):
        key = _key(path)
        if is_secret_key(key) and value and not is_reference(value):
            return next((name for part, name in KINDS if part in key.lower()), "a secret")
    return secret_in(value)


def _key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _finding(document: Document, path: Path, what: str) -> Diagnostic:
    key = _key(path)
    raw = document.plain.get(path, "")
    if found := DEFAULTED.match(raw):
        fix = f"{key}: env/{found[1]}"
    elif "URL" in what:
        fix = "take it out of the URL; credentials are read from the environment"
    elif not is_secret_key(key):
        fix = "remove it from the file; programs read secrets from environment variables"
    else:
        name = re.sub(r"[^A-Z0-9]+", "_", key.upper()).strip("_") or "SECRET"
        fix = f"{key}: env/{name if name.startswith('AVATAR') else 'AVATAR_' + name}"
    return Diagnostic(
        code="S020",
        message=f"this looks like {what}",
        span=document.locate(path),
        path=path,
        label="hidden; it is already in your file, so change it at the server",
        fix=fix,
        hide_source=True,
    )
