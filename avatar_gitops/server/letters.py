"""The letters of the platform, word for word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from avatar_gitops.server.mail import Letter

HOW: Final = """\
Your token: {token}

It is valid once, until {until} UTC. Give it, with the new password, to the page

    {url}/reset

or to the Python client, version 1.25 or older:

    manager.reset_password("{email}", "new password", "new password", "{token}")

"""

RESET: Final = f"""\
Somebody asked for a new password of your account {{email}} on the Avatar platform at {{url}}.

{HOW}If it was not you, do nothing: without the token your password stays what it is.
"""

INVITATION: Final = f"""\
An account was made for you on the Avatar platform at {{url}}: {{email}}. It has no password yet.

{HOW}After that you get another token at {{url}}/forgotten, or from your administrator.
"""

CHANGED: Final = """\
The password of your account {email} on the Avatar platform at {url} was changed.

Everybody who was signed in with the old one is signed out. API keys stay valid; revoke those that you do not know.

If it was not you, ask your administrator at once to disable the account.
"""

VERIFY: Final = """\
An account was made for you on the Avatar platform at {url}: {email}

Confirm on this page that mail reaches you, once, until {until} UTC:

    {url}/confirm?token={token}

Then you can sign in with the password that your administrator gave you.

If you do not know what this is about, do nothing.
"""


def reset_letter(email: str, url: str, token: str, until: datetime) -> Letter:
    """The token to set a new password with."""
    return Letter(email, "Reset your password", _filled(RESET, email, url, token, until))


def invitation_letter(email: str, url: str, token: str, until: datetime) -> Letter:
    """The same for an account that is new and has no password."""
    return Letter(email, "Your account on the Avatar platform", _filled(INVITATION, email, url, token, until))


def verification_letter(email: str, url: str, token: str, until: datetime) -> Letter:
    """The link that confirms an address."""
    return Letter(email, "Confirm your e-mail address", _filled(VERIFY, email, url, token, until))


def changed_letter(email: str, url: str) -> Letter:
    """That a password was changed."""
    return Letter(email, "Your password was changed", CHANGED.format(email=email, url=url))


def _filled(text: str, email: str, url: str, token: str, until: datetime) -> str:
    return text.format(email=email, url=url, token=token, until=f"{until.astimezone(UTC):%Y-%m-%d %H:%M}")
