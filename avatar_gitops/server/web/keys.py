"""The visitor's API keys: which there are, a new one that is shown once, the end of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from fastapi.responses import Response

from avatar_gitops.server.accounts import EXPIRATION_DAYS, issue_key, list_keys, revoke_keys
from avatar_gitops.server.database import now_text
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import note, public_origin, take
from avatar_gitops.server.throttle import MANAGEMENT, Claim
from avatar_gitops.server.web.visit import Visit
from avatar_gitops.server.web.words import Word

LONGEST_NAME: Final = 255
NO_NAME: Final = f"Give the key a name of at most {LONGEST_NAME} characters, so that you know it again."
NO_DAYS: Final = "Choose how long the key is valid."
DEFAULT_DAYS: Final = 120
VALID: Final = Word("✔", "Valid", "good")
EXPIRED: Final = Word("–", "Expired", "idle")
REVOKED: Final = Word("✘", "Revoked", "bad")


def show(visit: Visit) -> Response:
    """All keys without their secrets, and the form for a new one."""
    return _page(visit)


def create(visit: Visit) -> Response:
    """A new key. Its text stands in this one answer and nowhere else."""
    take(visit.request, [Claim(MANAGEMENT, visit.account.id)])
    name, days = visit.form.get("name", "").strip(), visit.form.get("days", "")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return _page(visit, status=422, wrong="name", why=NO_NAME)
    if days not in {str(known) for known in EXPIRATION_DAYS}:
        return _page(visit, status=422, wrong="days", why=NO_DAYS)
    key, text = issue_key(visit.platform.engine, visit.account.id, name, int(days))
    note(visit.request, visit.account, "create", ("api_key", key["id"]))
    return visit.page("key_created.html", key=key, text=text, origin=public_origin(visit.request))


def ask_revoke(visit: Visit) -> Response:
    """What revoking the key means."""
    return visit.page("key_revoke.html", key=_find(visit), own=_is_own(visit))


def revoke(visit: Visit) -> Response:
    """Revoke the key; a session that was opened with it is over by that."""
    key, own = _find(visit), _is_own(visit)
    take(visit.request, [Claim(MANAGEMENT, visit.account.id)])
    revoke_keys(visit.platform.engine, visit.account.id, key["id"])
    note(visit.request, visit.account, "delete", ("api_key", key["id"]))
    return visit.go("/sign-in" if own else "/keys", done="revoked")


def _find(visit: Visit) -> dict[str, Any]:
    found = [key for key in list_keys(visit.platform.engine, visit.account.id) if key["id"] == visit.path["key_id"]]
    if not found or found[0]["revoked_at"] is not None:
        raise ApiFault(404, "There is no such key, or it is revoked already.")
    return found[0]


def _is_own(visit: Visit) -> bool:
    """Whether the visitor's session was opened with the key of the path."""
    return visit.account.api_key_id == visit.path["key_id"]


def _page(visit: Visit, status: int = 200, wrong: str = "", why: str = "") -> Response:
    keys = [{**key, "word": _word(key)} for key in list_keys(visit.platform.engine, visit.account.id)]
    keys.sort(key=lambda key: (key["word"] is not VALID, -datetime.fromisoformat(key["created_at"]).timestamp()))
    return visit.page(
        "keys.html",
        status=status,
        keys=keys,
        choices=EXPIRATION_DAYS,
        chosen=visit.form.get("days") or str(DEFAULT_DAYS),
        name=visit.form.get("name", "")[:LONGEST_NAME],
        own=visit.account.api_key_id,
        wrong=wrong,
        why=why,
        done=visit.asked("done"),
    )


def _word(key: dict[str, Any]) -> Word:
    if key["revoked_at"] is not None:
        return REVOKED
    return VALID if key["expires_at"] > now_text() else EXPIRED
