"""Sessions of the web application: random 256-bit ids, stored as hashes, with an idle and an absolute end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.accounts import Account
from avatar_gitops.server.accounts.keys import find_key
from avatar_gitops.server.accounts.sign_ins import find_sign_in
from avatar_gitops.server.database import api_keys, reading, sign_ins, text_of, web_sessions, writing

IDLE: Final = timedelta(hours=1)
ABSOLUTE: Final = timedelta(hours=12)
SEEN_RESOLUTION: Final = timedelta(minutes=1)


@dataclass(slots=True, frozen=True)
class Session:
    """A valid session; `token` is the secret of the cookie. The account's `credential` says how it was opened."""

    token: str = field(repr=False)
    account: Account


def new_token() -> str:
    """A random id of 256 bits."""
    return secrets.token_urlsafe(32)


def form_token(token: str) -> str:
    """The token that every form of a session carries: derived, so nothing more is stored and no form tells the id."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def open_session(engine: sa.Engine, account: Account) -> str:
    """A new session for a user who was found by an API key, or else has just given a password; returns its token.

    One with a password hangs on a sign-in, which a new password or a disabled account ends. Old sessions are removed.
    """
    token, now = new_token(), datetime.now(UTC)
    row = {"user_id": account.id, "created_at": text_of(now), "seen_at": text_of(now)}
    with writing(engine) as connection:
        over = sa.select(web_sessions.c.sign_in_id).where(~_alive(now), web_sessions.c.sign_in_id.is_not(None))
        connection.execute(sign_ins.delete().where(sign_ins.c.id.in_(over)))  # which takes its session with it
        connection.execute(web_sessions.delete().where(~_alive(now)))
        if account.api_key_id is None:
            row["sign_in_id"] = str(uuid.uuid4())
            times = {"created_at": text_of(now), "expires_at": text_of(now + ABSOLUTE)}
            connection.execute(sign_ins.insert().values(id=row["sign_in_id"], user_id=account.id, **times))
        else:
            row["api_key_id"] = account.api_key_id
        connection.execute(web_sessions.insert().values(id_hash=_hash(token), **row))
    return token


def find_session(engine: sa.Engine, token: str, *, seen: bool = True) -> Session | None:
    """The session of a cookie, or None when it is unknown, over, or what it was opened with is no longer valid.

    `seen` is false for requests that a page makes by itself: they must not keep a session alive.
    """
    now = datetime.now(UTC)
    query = sa.select(web_sessions).where(web_sessions.c.id_hash == _hash(token), _alive(now))
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        key, sign_in = row.api_key_id, row.sign_in_id
        account = find_key(connection, key) if key is not None else find_sign_in(connection, sign_in)
    if account is None:
        return None
    if seen and now - datetime.fromisoformat(row.seen_at) > SEEN_RESOLUTION:
        with writing(engine) as connection:
            mine = web_sessions.update().where(web_sessions.c.id_hash == row.id_hash)
            connection.execute(mine.values(seen_at=text_of(now)))
    return Session(token, account)


def end_session(engine: sa.Engine, token: str) -> None:
    """Sign out."""
    mine = web_sessions.c.id_hash == _hash(token)
    with writing(engine) as connection:
        opened = sa.select(web_sessions.c.sign_in_id).where(mine).scalar_subquery()
        connection.execute(sign_ins.delete().where(sign_ins.c.id == opened))
        connection.execute(web_sessions.delete().where(mine))


def end_other_sessions(engine: sa.Engine, session: Session) -> None:
    """End every session of the user but this one, and every sign-in of programs with the password."""
    user_id, mine = session.account.id, web_sessions.c.id_hash == _hash(session.token)
    with writing(engine) as connection:
        connection.execute(web_sessions.delete().where(web_sessions.c.user_id == user_id, ~mine))
        opened = connection.execute(sa.select(web_sessions.c.sign_in_id).where(mine)).scalar()
        connection.execute(sign_ins.delete().where(sign_ins.c.user_id == user_id, sign_ins.c.id != (opened or "")))


def count_sessions(engine: sa.Engine, user_id: str) -> int:
    """How many sessions of the user are valid."""
    now = datetime.now(UTC)
    keys = sa.select(api_keys.c.id).where(api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > text_of(now))
    opened = sa.or_(web_sessions.c.api_key_id.is_(None), web_sessions.c.api_key_id.in_(keys))
    query = sa.select(sa.func.count()).where(web_sessions.c.user_id == user_id, _alive(now), opened)
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def _alive(now: datetime) -> sa.ColumnElement[bool]:
    opened, seen = text_of(now - ABSOLUTE), text_of(now - IDLE)
    return (web_sessions.c.created_at > opened) & (web_sessions.c.seen_at > seen)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
