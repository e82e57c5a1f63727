"""Sign-ins with a password: short-lived access tokens, refresh tokens that change at each use, both stored as hashes.

A refresh token that comes back after its use means that two parties have it: the sign-in ends for both
(RFC 9700, 4.14.2). Clients that repeat a call because the answer was lost have `GRACE` to do so.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.accounts.keys import hash_secret
from avatar_gitops.server.accounts.users import Account, account_of_row
from avatar_gitops.server.database import now_text, reading, sign_in_tokens, sign_ins, text_of, users, writing

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=30)  # after which the password is asked for again
GRACE: Final = timedelta(minutes=2)  # the official clients repeat a call for some 90 seconds
TOKEN: Final = re.compile(r"avatar_(access|refresh)\.[A-Za-z0-9_-]{43}")


class TokenKind(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(slots=True, frozen=True)
class Tokens:
    """What a sign-in or a refresh gives to the client."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class ExpiredToken(Exception):
    """The access token was valid once; its sign-in can be refreshed."""


def open_sign_in(engine: sa.Engine, user_id: str) -> Tokens:
    """Tokens for a user who has just given the right password. Sign-ins that are over are removed."""
    now = datetime.now(UTC)
    row = {"id": str(uuid.uuid4()), "created_at": text_of(now), "expires_at": text_of(now + LONGEST)}
    with writing(engine) as connection:
        connection.execute(sign_ins.delete().where(sign_ins.c.expires_at <= text_of(now)))
        connection.execute(sign_ins.insert().values(**row, user_id=user_id))
        return _issue(connection, row["id"], now)


def refresh_sign_in(engine: sa.Engine, token: str) -> tuple[Account, Tokens] | None:
    """New tokens for a valid refresh token, which is used up by it; None for any other text."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        row = _find(connection, token, TokenKind.REFRESH)
        if row is None or row.token_expires_at <= text_of(now):
            return None
        if row.used_at is not None and now - datetime.fromisoformat(row.used_at) > GRACE:
            connection.execute(sign_ins.delete().where(sign_ins.c.id == row.sign_in_id))
            return None
        if row.used_at is None:
            mine = sign_in_tokens.update().where(sign_in_tokens.c.hash == hash_secret(token))
            connection.execute(mine.values(used_at=text_of(now)))
        return account_of_row(row, f"sign-in:{row.sign_in_id}"), _issue(connection, row.sign_in_id, now)


def account_of_token(engine: sa.Engine, token: str) -> Account | None:
    """The user whose valid access token this is, or None.

    Raises:
        ExpiredToken: it was one until it expired.
    """
    with reading(engine) as connection:
        row = _find(connection, token, TokenKind.ACCESS)
    if row is None:
        return None
    if row.token_expires_at <= now_text():
        raise ExpiredToken
    return account_of_row(row, f"sign-in:{row.sign_in_id}")


def find_sign_in(connection: sa.Connection, sign_in_id: str) -> Account | None:
    """The active user of a sign-in that is not over."""
    query = sa.select(users).join_from(sign_ins, users).where(sign_ins.c.id == sign_in_id, *_alive())
    row = connection.execute(query).one_or_none()
    return None if row is None else account_of_row(row, f"sign-in:{sign_in_id}")


def end_sign_in(engine: sa.Engine, sign_in_id: str) -> None:
    """Sign out: the tokens of the sign-in are worth nothing from now on."""
    with writing(engine) as connection:
        connection.execute(sign_ins.delete().where(sign_ins.c.id == sign_in_id))


def end_sign_ins(connection: sa.Connection, user_id: str) -> None:
    """Sign a user out everywhere, inside a transaction."""
    connection.execute(sign_ins.delete().where(sign_ins.c.user_id == user_id))


def _find(connection: sa.Connection, token: str, kind: TokenKind) -> sa.Row[Any] | None:
    match = TOKEN.fullmatch(token)
    if match is None or match[1] != kind:
        return None
    query = (
        sa.select(
            users,
            sign_in_tokens.c.sign_in_id,
            sign_in_tokens.c.used_at,
            sign_in_tokens.c.expires_at.label("token_expires_at"),
        )
        .join_from(sign_in_tokens, sign_ins)
        .join(users)
        # Looked up by the hash of 256 random bits: the time of the look-up tells nothing about a valid token.
        .where(sign_in_tokens.c.hash == hash_secret(token), sign_in_tokens.c.kind == kind, *_alive())
    )
    return connection.execute(query).one_or_none()


def _alive() -> tuple[sa.ColumnElement[bool], ...]:
    return sign_ins.c.expires_at > now_text(), users.c.disabled_at.is_(None)


def _issue(connection: sa.Connection, sign_in_id: str, now: datetime) -> Tokens:
    """A new pair of tokens; those of the sign-in that ended long ago are removed."""
    tokens = Tokens(*(f"avatar_{kind}.{secrets.token_urlsafe(32)}" for kind in TokenKind))
    stale = sign_in_tokens.c.expires_at <= text_of(now - REFRESH_LIFETIME)
    connection.execute(sign_in_tokens.delete().where(sign_in_tokens.c.sign_in_id == sign_in_id, stale))
    for kind, token, lifetime in (
        (TokenKind.ACCESS, tokens.access, ACCESS_LIFETIME),
        (TokenKind.REFRESH, tokens.refresh, REFRESH_LIFETIME),
    ):
        row = {"hash": hash_secret(token), "kind": kind, "expires_at": text_of(now + lifetime)}
        connection.execute(sign_in_tokens.insert().values(**row, sign_in_id=sign_in_id))
    return tokens
