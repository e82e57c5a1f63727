"""New passwords and confirmed addresses, by tokens that are valid once, for a day, for one purpose."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.accounts.keys import hash_secret
from avatar_gitops.server.accounts.passwords import hash_new_password, refuse_weak, store_password
from avatar_gitops.server.accounts.sign_ins import end_sign_ins
from avatar_gitops.server.accounts.users import Account, account_of_row
from avatar_gitops.server.database import mail_tokens, now_text, reading, text_of, users, writing

LIFETIME: Final = timedelta(hours=24)


class Purpose(StrEnum):
    """What a token is good for."""

    RESET = "reset"
    VERIFY = "verify"


def issue_mail_token(engine: sa.Engine, user_id: str, purpose: Purpose) -> tuple[str, datetime]:
    """A new token and its end; it takes the place of an earlier one for the same purpose. Tokens that are over go."""
    token, now = str(uuid.uuid4()), datetime.now(UTC)
    row = {"hash": hash_secret(token), "user_id": user_id, "purpose": purpose, "expires_at": text_of(now + LIFETIME)}
    same = (mail_tokens.c.user_id == user_id) & (mail_tokens.c.purpose == purpose)
    with writing(engine) as connection:
        connection.execute(mail_tokens.delete().where(same | (mail_tokens.c.expires_at <= text_of(now))))
        connection.execute(mail_tokens.insert().values(**row))
    return token, now + LIFETIME


def reset_password(engine: sa.Engine, email: str, token: str, password: str) -> Account | None:
    """Use a token up to give its user a password; None when the token is not valid for this address.

    The user has shown to read the mail, so the address counts as confirmed; every sign-in of before is over.
    API keys stay, because they are no password: they are revoked by themselves.

    Raises:
        WeakPassword: the text cannot be a password; the token stays valid.
    """
    refuse_weak(password)
    with reading(engine) as connection:
        if _find(connection, token, Purpose.RESET, email) is None:
            return None
    hashed = hash_new_password(password)
    with writing(engine) as connection:
        account = _find(connection, token, Purpose.RESET, email)  # again: somebody else may have used it meanwhile
        if account is None:
            return None
        _use_up(connection, token, account)
        store_password(connection, account.id, hashed)
        end_sign_ins(connection, account.id)
    return account


def replace_password(engine: sa.Engine, user_id: str, password: str) -> None:
    """Give a user a password, in place of the one before; every sign-in of before is over.

    Raises:
        WeakPassword: the text cannot be a password.
    """
    hashed = hash_new_password(password)
    with writing(engine) as connection:
        store_password(connection, user_id, hashed)
        end_sign_ins(connection, user_id)
        connection.execute(_confirmed(user_id))


def verify_email(engine: sa.Engine, token: str) -> Account | None:
    """Use a token up to confirm its user's address; None when the token is not valid."""
    with writing(engine) as connection:
        account = _find(connection, token, Purpose.VERIFY)
        if account is not None:
            _use_up(connection, token, account)
    return account


def _find(connection: sa.Connection, token: str, purpose: Purpose, email: str | None = None) -> Account | None:
    try:
        text = str(uuid.UUID(token))
    except ValueError:
        return None
    query = (
        sa.select(users)
        .join_from(mail_tokens, users)
        .where(mail_tokens.c.hash == hash_secret(text), mail_tokens.c.purpose == purpose)
        .where(mail_tokens.c.expires_at > now_text(), users.c.disabled_at.is_(None))
    )
    if email is not None:
        query = query.where(sa.func.lower(users.c.email) == email.strip().lower())
    row = connection.execute(query).one_or_none()
    return None if row is None else account_of_row(row)


def _use_up(connection: sa.Connection, token: str, account: Account) -> None:
    used = hash_secret(str(uuid.UUID(token)))
    connection.execute(mail_tokens.delete().where(mail_tokens.c.hash == used))
    connection.execute(_confirmed(account.id))


def _confirmed(user_id: str) -> sa.Update:
    return users.update().where(users.c.id == user_id, users.c.verified_at.is_(None)).values(verified_at=now_text())
