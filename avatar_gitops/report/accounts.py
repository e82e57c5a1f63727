"""Users, keys and organizations of the embedded platform, as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from avatar_gitops.report.values import safe


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user; `state` is active, unconfirmed or disabled."""

    id: str
    email: str
    role: str
    organization: str
    state: str
    has_password: bool
    keys: int


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One API key, without its secret; `state` is valid, expired or revoked."""

    id: str
    name: str
    state: str
    expires_at: str
    last_used_at: str | None


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """One organization and how many users it has."""

    id: str
    name: str
    users: int


def users_text(rows: Sequence[UserRow]) -> str:
    """One line for each user, oldest first."""
    return _table(
        ("EMAIL", "ROLE", "ORGANIZATION", "STATE", "PASSWORD", "VALID KEYS"),
        [
            (row.email, row.role, row.organization, row.state, "yes" if row.has_password else "no", str(row.keys))
            for row in rows
        ],
    )


def keys_text(rows: Sequence[KeyRow]) -> str:
    """One line for each key, oldest first."""
    if not rows:
        return "The user has no API keys."
    return _table(
        ("ID", "NAME", "STATE", "EXPIRES", "LAST USED"),
        [(row.id, row.name, row.state, row.expires_at[:10], (row.last_used_at or "never")[:10]) for row in rows],
    )


def organizations_text(rows: Sequence[OrganizationRow]) -> str:
    """One line for each organization, by name."""
    return _table(("NAME", "USERS", "ID"), [(row.name, str(row.users), row.id) for row in rows])


def to_json(kind: str, rows: Sequence[UserRow | KeyRow | OrganizationRow]) -> str:
    """The same as one JSON document; `kind` is users, keys or organizations."""
    found: list[dict[str, Any]] = [asdict(row) for row in rows]
    content = {"format": f"avatar-gitops/{kind}", "version": "1.0", kind: found}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    shown = [head, *(tuple(safe(cell) for cell in row) for row in rows)]
    widths = [max(len(row[index]) for row in shown) for index in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown
    )
