"""Forgotten passwords, new passwords, and addresses that are confirmed, all by tokens that were sent by mail."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from avatar_gitops.server.accounts import WeakPassword, reset_password, verify_email
from avatar_gitops.server.answers import Message, answers
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.correspondence import send_changed, send_reset
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import CurrentPlatform, address_of, audit, note, take
from avatar_gitops.server.throttle import TOKENS_BY_ADDRESS, Claim, mail_claims
from avatar_gitops.wire.models import Text

SENT: Final = "If there is an account with this address, a mail with a token is on its way."
NO_MAIL: Final = (
    "This platform sends no mail. Ask your administrator for a token: avatar-gitops account reset-password EMAIL."
)
NOT_VALID: Final = (
    "The token is not valid for this address: it was used, is older than 24 hours, or was replaced by a newer one."
)

router = APIRouter(tags=["passwords"])


class ForgottenPassword(BaseModel):
    """Body of `POST /login/forgotten_password`."""

    email: Text = Field(max_length=254)


class NewPassword(BaseModel):
    """Body of `POST /login/reset_password`."""

    email: Text = Field(max_length=254)
    new_password: Text = Field(repr=False)
    new_password_repeated: Text = Field(repr=False)
    token: Text


class Confirmation(BaseModel):
    """Body of `POST /login/verify_email`."""

    token: Text


@router.post("/login/forgotten_password", **answers(Message, 429, 501))
def forgotten_password(request: Request, platform: CurrentPlatform, body: ForgottenPassword) -> dict[str, str]:
    """Send a token to set a new password with; the answer and its time are the same when nobody has the address."""
    take(request, mail_claims(address_of(request), body.email))
    audit(request, Entry("password.forgotten", subject=platform.audit_log.subject(body.email)))
    if platform.postman is None:
        raise ApiFault(501, NO_MAIL)
    send_reset(platform, platform.postman, body.email)
    return {"message": SENT}


@router.post("/login/reset_password", **answers(Message, 400, 429))
def new_password(request: Request, platform: CurrentPlatform, body: NewPassword) -> dict[str, str]:
    """Set a password with a token, which is used up by it; everybody who was signed in with the old one is not."""
    take(request, [Claim(TOKENS_BY_ADDRESS, f"token {address_of(request)}")])
    if body.new_password != body.new_password_repeated:
        raise ApiFault(422, "The two passwords are not equal.")
    try:
        account = reset_password(platform.engine, body.email, body.token, body.new_password)
    except WeakPassword as error:
        raise ApiFault(422, str(error)) from None
    if account is None:
        audit(request, Entry("user.update", "failed", subject=platform.audit_log.subject(body.email)))
        raise ApiFault(400, NOT_VALID)
    note(request, account, "update", ("user", account.id))
    send_changed(platform, account)
    return {"message": "The password is set. Sign in with it."}


@router.post("/login/verify_email", **answers(Message, 400, 429))
def confirm(request: Request, platform: CurrentPlatform, body: Confirmation) -> dict[str, str]:
    """Confirm an address with the token that was sent to it."""
    take(request, [Claim(TOKENS_BY_ADDRESS, f"token {address_of(request)}")])
    account = verify_email(platform.engine, body.token)
    if account is None:
        audit(request, Entry("email.confirm", "failed"))
        raise ApiFault(400, "The token is not valid: it was used, is older than 24 hours, or was replaced.")
    audit(request, Entry("email.confirm", actor=account.id))
    return {"message": "Your address is confirmed. You can sign in."}
