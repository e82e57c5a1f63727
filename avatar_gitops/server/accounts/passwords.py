"""Passwords: hashed with Argon2id, checked with the same work for addresses that nobody has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from avatar_gitops.characters import SURROGATE
from avatar_gitops.server.accounts.users import Account, account_of_row
from avatar_gitops.server.database import now_text, passwords, reading, users, writing
from avatar_gitops.server.faults import TooManyRequests

FEWEST_CHARACTERS: Final = 12
FEWEST_DIFFERENT: Final = 6
MOST_BYTES: Final = 1024
MASK: Final = "*" * 10
MASKED_ADVICE: Final = (
    "Your client sends ten asterisks in place of the password (versions 1.20 to 1.25 do), so nobody can sign in so."
    " Sign in with an API key instead: Manager(api_key=...). Your administrator makes one with"
    " `avatar-gitops account key create EMAIL`; the first one is in the file client.env of the server's state folder."
)

# Each check takes 64 MiB for its time. Some more wait; others are asked to come back, so that a flood of guesses leaves
# threads for everybody else.
HASHES_AT_ONCE: Final = 4
WAITING: Final = 12
# Hash of a random text that nobody kept, with the parameters of `_hasher`: what unknown addresses are compared with.
NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$Q4o54vK2msPtr7VPmsDtYg$h9p4NMKvRvR25Rbuj7/f9y7ytXZN67nNA09JMxJpJjI"

_hasher: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_turns: Final = BoundedSemaphore(HASHES_AT_ONCE)
_line: Final = BoundedSemaphore(HASHES_AT_ONCE + WAITING)


@dataclass(slots=True, frozen=True)
class Checked:
    """A user who gave the right password; until the address is confirmed, that alone does not sign in."""

    account: Account
    is_verified: bool


class WeakPassword(ValueError):
    """The text says what a password must be; it never repeats what was given."""


def check_password(engine: sa.Engine, email: str, password: str) -> Checked | None:
    """The active user with this address and password, or None; takes as long when there is no such user.

    Raises:
        TooManyRequests: too many passwords are being checked already.
    """
    query = (
        sa.select(users, passwords.c.hash)
        .join_from(users, passwords)
        .where(sa.func.lower(users.c.email) == email.strip().lower(), users.c.disabled_at.is_(None))
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    right = _matches(NOBODY if row is None else row.hash, password)
    if row is None or not right:
        return None
    if _hasher.check_needs_rehash(row.hash):
        hashed = _hashed(password)
        with writing(engine) as connection:
            store_password(connection, row.id, hashed)
    return Checked(account_of_row(row), row.verified_at is not None)


def account_by_password(engine: sa.Engine, email: str, password: str) -> Account | None:
    """The user who may sign in with this address and password, or None; takes as long when there is no such user.

    Raises:
        TooManyRequests: too many passwords are being checked already.
    """
    found = check_password(engine, email, password)
    return found.account if found is not None and found.is_verified else None


def hash_new_password(password: str) -> str:
    """The hash of a password to store; it takes a while, so never inside a transaction.

    Raises:
        WeakPassword: it is too short, too long, or the mask of a client.
    """
    refuse_weak(password)
    return _hashed(password)


def refuse_weak(password: str) -> None:
    """Raise WeakPassword unless the text can be a password."""
    if password == MASK:
        raise WeakPassword(MASKED_ADVICE)
    if len(password) < FEWEST_CHARACTERS or len(set(password)) < FEWEST_DIFFERENT:
        raise WeakPassword(
            f"A password has at least {FEWEST_CHARACTERS} characters, among them {FEWEST_DIFFERENT} different ones."
        )
    if SURROGATE.search(password):  # what was not UTF-8; no form could send it again
        raise WeakPassword("A password is text in UTF-8.")
    if len(_bytes(password)) > MOST_BYTES:
        raise WeakPassword(f"A password has at most {MOST_BYTES} bytes.")


def store_password(connection: sa.Connection, user_id: str, hashed: str) -> None:
    """Store a hash in place of the one before, inside a transaction."""
    connection.execute(passwords.delete().where(passwords.c.user_id == user_id))
    connection.execute(passwords.insert().values(user_id=user_id, hash=hashed, changed_at=now_text()))


@contextmanager
def _turn() -> Iterator[None]:
    if not _line.acquire(blocking=False):
        raise TooManyRequests(1)
    try:
        with _turns:
            yield
    finally:
        _line.release()


def _hashed(password: str) -> str:
    with _turn():
        return _hasher.hash(_bytes(password))


def _matches(hashed: str, password: str) -> bool:
    text = _bytes(password)
    try:
        with _turn():
            return _hasher.verify(hashed, text[:MOST_BYTES]) and len(text) <= MOST_BYTES
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """The same bytes for the same text, however a keyboard composes its letters (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
