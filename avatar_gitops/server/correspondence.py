"""Which letter goes to whom: each is written when its turn comes, with the token that it carries."""

from __future__ import annotations

from dataclasses import replace

from avatar_gitops.server import letters
from avatar_gitops.server.accounts import Account, Purpose, find_users, issue_mail_token
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.mail import Letter, Postman, mail_settings
from avatar_gitops.server.platform import Platform


def open_post_office(platform: Platform, base_url: str) -> Postman | None:
    """The sender of letters, when the environment has an SMTP server; letters name `base_url` if nothing else is set.

    Raises:
        UsageError: a setting cannot be.
    """
    settings = mail_settings()
    if settings is None:
        return None
    known = replace(settings, public_url=settings.public_url or base_url)
    return Postman(known, lambda: platform.audit_log.write(Entry("mail", "failed")))


def send_reset(platform: Platform, postman: Postman, email: str) -> None:
    """A reset token for whoever has that address; nothing for an address that nobody has. Returns before either."""

    def write() -> Letter | None:
        found = find_users(platform.engine, email=email)
        if not found:
            return None
        token, until = issue_mail_token(platform.engine, found[0].id, Purpose.RESET)
        platform.audit_log.write(Entry("password.token", actor=found[0].id))
        return letters.reset_letter(found[0].email, postman.settings.public_url, token, until)

    postman.post(write)


def send_welcome(platform: Platform, account: Account, *, has_password: bool) -> None:
    """To a new user: the link that confirms the address, or the token to set a first password."""
    postman = platform.postman
    if postman is None:
        return
    purpose = Purpose.VERIFY if has_password else Purpose.RESET
    compose = letters.verification_letter if has_password else letters.invitation_letter

    def write() -> Letter:
        token, until = issue_mail_token(platform.engine, account.id, purpose)
        return compose(account.email, postman.settings.public_url, token, until)

    postman.post(write)


def send_changed(platform: Platform, account: Account) -> None:
    """That the password was changed."""
    postman = platform.postman
    if postman is not None:
        postman.post(lambda: letters.changed_letter(account.email, postman.settings.public_url))
