"""The visitor's account: who they are, a new password, the end of their other sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import sqlalchemy as sa
from fastapi.responses import Response

from avatar_gitops.server.accounts import WeakPassword, check_password, replace_password
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.correspondence import send_changed
from avatar_gitops.server.database import passwords, reading
from avatar_gitops.server.requests import address_of, audit, note, take
from avatar_gitops.server.throttle import sign_in_claims
from avatar_gitops.server.web.security import SESSION_COOKIE, set_cookie
from avatar_gitops.server.web.sessions import count_sessions, end_other_sessions, end_session, open_session
from avatar_gitops.server.web.visit import Visit

WRONG: Final = "The present password is not right. Nothing was changed."
UNEQUAL: Final = "The two new passwords are not equal. Nothing was changed."


def show(visit: Visit) -> Response:
    """What the platform knows about the visitor."""
    return _page(visit)


def change_password(visit: Visit) -> Response:
    """A new password in place of the present one; every session and sign-in ends, and a new session goes on here."""
    engine, account = visit.platform.engine, visit.account
    assert visit.session is not None
    claims = sign_in_claims(address_of(visit.request), account.email)
    take(visit.request, claims)
    if check_password(engine, account.email, visit.form.get("present", "")) is None:
        audit(visit.request, Entry("user.update", "failed", actor=account.id))
        return _page(visit, status=422, wrong="present", why=WRONG)
    visit.platform.throttle.give_back(claims)
    password = visit.form.get("new", "")
    if password != visit.form.get("repeated", ""):
        return _page(visit, status=422, wrong="repeated", why=UNEQUAL)
    try:
        replace_password(engine, account.id, password)
    except WeakPassword as error:
        return _page(visit, status=422, wrong="new", why=str(error))
    end_other_sessions(engine, visit.session)
    end_session(engine, visit.session.token)
    note(visit.request, account, "update", ("user", account.id))
    send_changed(visit.platform, account)
    response = visit.go("/account", done="password-changed")
    by_password = replace(account, credential=None)
    set_cookie(visit.request, response, SESSION_COOKIE, open_session(engine, by_password))
    return response


def end_sessions(visit: Visit) -> Response:
    """End every session of the visitor but this one."""
    assert visit.session is not None
    end_other_sessions(visit.platform.engine, visit.session)
    note(visit.request, visit.account, "logout", ("user", visit.account.id))
    return visit.go("/account", done="sessions")


def _page(visit: Visit, status: int = 200, wrong: str = "", why: str = "") -> Response:
    engine, account = visit.platform.engine, visit.account
    with reading(engine) as connection:
        query = sa.select(passwords.c.changed_at).where(passwords.c.user_id == account.id)
        changed = connection.execute(query).scalar()
    return visit.page(
        "account.html",
        status=status,
        sessions=count_sessions(engine, account.id),
        changed=changed,
        by_key=visit.account.api_key_id is not None,
        wrong=wrong,
        why=why,
        done=visit.asked("done"),
    )
