"""Signing in with a password or an API key, signing out, and passwords that were forgotten."""

from __future__ import annotations

from typing import Any, Final

from fastapi.responses import Response

from avatar_gitops.server.accounts import (
    Account,
    WeakPassword,
    account_of_key,
    check_password,
    note_use,
    reset_password,
    verify_email,
)
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.correspondence import send_changed, send_reset
from avatar_gitops.server.faults import ApiFault, TooManyRequests
from avatar_gitops.server.requests import address_of, audit, note, take
from avatar_gitops.server.throttle import BY_ADDRESS, TOKENS_BY_ADDRESS, Claim, mail_claims, sign_in_claims
from avatar_gitops.server.web.security import FORM_COOKIE, SESSION_COOKIE, drop_cookie, safe_return, set_cookie
from avatar_gitops.server.web.sessions import end_session, open_session
from avatar_gitops.server.web.visit import Visit

NOT_RIGHT: Final = "The e-mail address or the password is not right."
WRONG_KEY: Final = "This is no valid API key: it may be incomplete, revoked or expired."
UNCONFIRMED: Final = (
    "Confirm your e-mail address first, with the link in the mail that you got; or set a new password, which confirms"
    " it too."
)
OVER: Final = "it was used, is older than 24 hours, or was replaced by a newer one."
NOT_VALID: Final = f"The token is not valid: {OVER}"
NOT_FOR_IT: Final = f"The token is not valid for this address: {OVER}"
UNEQUAL: Final = "The two new passwords are not equal."


def show(visit: Visit) -> Response:
    """The sign-in page; somebody who is signed in already is sent on."""
    if visit.session is not None:
        return visit.go(safe_return(visit.request.query_params.get("next")))
    return _page(visit)


def sign_in(visit: Visit) -> Response:
    """Open a session for a right password or a valid API key; whatever session there was before is over."""
    by_key = bool(visit.form.get("key"))
    try:
        account = _by_key(visit) if by_key else _by_password(visit)
    except TooManyRequests:
        raise
    except ApiFault as fault:
        return _page(visit, status=fault.status, failed="key" if by_key else "password", why=str(fault.detail))
    engine = visit.platform.engine
    if visit.session is not None:
        end_session(engine, visit.session.token)
    token = open_session(engine, account)
    note(visit.request, account, "login", ("user", account.id))
    response = visit.go(safe_return(visit.form.get("next")))
    set_cookie(visit.request, response, SESSION_COOKIE, token)
    drop_cookie(visit.request, response, FORM_COOKIE)
    return response


def sign_out(visit: Visit) -> Response:
    """End the session."""
    assert visit.session is not None
    end_session(visit.platform.engine, visit.session.token)
    note(visit.request, visit.account, "logout", ("user", visit.account.id))
    response = visit.go("/sign-in", done="signed-out")
    drop_cookie(visit.request, response, SESSION_COOKIE)
    return response


def show_forgotten(visit: Visit) -> Response:
    """Where to ask for a token to set a new password with."""
    return visit.page("forgotten.html", mails=visit.platform.postman is not None, sent=False)


def forgotten(visit: Visit) -> Response:
    """Send a token; the page is the same when nobody has the address."""
    email = visit.form.get("email", "")[:254]
    take(visit.request, mail_claims(address_of(visit.request), email))
    audit(visit.request, Entry("password.forgotten", subject=visit.platform.audit_log.subject(email)))
    if visit.platform.postman is not None:
        send_reset(visit.platform, visit.platform.postman, email)
    return visit.page("forgotten.html", mails=visit.platform.postman is not None, sent=True)


def show_reset(visit: Visit) -> Response:
    """Where to set a new password with the token of the mail."""
    return visit.page("reset.html", email="", wrong="", why="")


def reset(visit: Visit) -> Response:
    """Set a password with a token, which is used up by it."""
    take(visit.request, [Claim(TOKENS_BY_ADDRESS, f"token {address_of(visit.request)}")])
    email, password = visit.form.get("email", "")[:254], visit.form.get("new", "")
    if password != visit.form.get("repeated", ""):
        return visit.page("reset.html", status=422, email=email, wrong="repeated", why=UNEQUAL)
    try:
        account = reset_password(visit.platform.engine, email, visit.form.get("secret", ""), password)
    except WeakPassword as error:
        return visit.page("reset.html", status=422, email=email, wrong="new", why=str(error))
    if account is None:
        audit(visit.request, Entry("user.update", "failed", subject=visit.platform.audit_log.subject(email)))
        return visit.page("reset.html", status=400, email=email, wrong="secret", why=NOT_FOR_IT)
    note(visit.request, account, "update", ("user", account.id))
    send_changed(visit.platform, account)
    return visit.go("/sign-in", done="password")


def show_confirm(visit: Visit) -> Response:
    """Where the link of a mail leads: a form, so that a mail scanner which opens links does not use the token up."""
    return visit.page("confirm.html", secret=visit.asked("token")[:64], why="")


def confirm(visit: Visit) -> Response:
    """Confirm an address with the token that was sent to it."""
    take(visit.request, [Claim(TOKENS_BY_ADDRESS, f"token {address_of(visit.request)}")])
    account = verify_email(visit.platform.engine, visit.form.get("secret", ""))
    if account is None:
        audit(visit.request, Entry("email.confirm", "failed"))
        return visit.page("confirm.html", status=400, secret="", why=NOT_VALID)
    audit(visit.request, Entry("email.confirm", actor=account.id))
    return visit.go("/sign-in", done="confirmed")


def _page(visit: Visit, status: int = 200, **failure: Any) -> Response:
    wanted = visit.form.get("next") or visit.request.query_params.get("next")
    context = {"failed": "", "why": "", **failure}
    return visit.page(
        "sign_in.html",
        status=status,
        next=safe_return(wanted),
        ended=visit.asked("ended") == "1",
        done=visit.asked("done"),
        email=visit.form.get("email", "")[:254],
        **context,
    )


def _by_password(visit: Visit) -> Account:
    """The user with this address and password, within the limits that the API's sign-in has.

    Raises:
        ApiFault: 401, or 429.
    """
    email, password = visit.form.get("email", "")[:254], visit.form.get("password", "")
    claims = sign_in_claims(address_of(visit.request), email)
    take(visit.request, claims)
    found = check_password(visit.platform.engine, email, password)
    if found is None:
        subject = visit.platform.audit_log.subject(email)
        audit(visit.request, Entry("user.login", "failed", subject=subject))
        raise ApiFault(401, NOT_RIGHT)
    if not found.is_verified:
        audit(visit.request, Entry("user.login", "failed", actor=found.account.id))
        raise ApiFault(401, UNCONFIRMED)
    visit.platform.throttle.give_back(claims)
    return found.account


def _by_key(visit: Visit) -> Account:
    """The user of a valid API key.

    Raises:
        ApiFault: 401, or 429.
    """
    take(visit.request, [Claim(BY_ADDRESS, f"sign-in {address_of(visit.request)}")])
    account = account_of_key(visit.platform.engine, visit.form.get("key", "").strip())
    if account is None:
        audit(visit.request, Entry("user.login", "failed"))
        raise ApiFault(401, WRONG_KEY)
    note_use(visit.platform.engine, account)
    return account
