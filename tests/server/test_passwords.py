"""Passwords: hashing, what is refused, and that unknown users cost the same work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import argon2
import pytest
import sqlalchemy as sa
from argon2.low_level import Type

from avatar_gitops.server import accounts
from avatar_gitops.server.accounts import Account, WeakPassword, account_by_password, check_password, replace_password
from avatar_gitops.server.accounts import passwords as module
from avatar_gitops.server.database import create_tables, open_database, passwords, reading, users, writing
from avatar_gitops.server.faults import TooManyRequests
from tests.server.site import cheap_hashes

PASSWORD = "correct horse battery"
cheaply = pytest.mark.usefixtures("cheap")


@pytest.fixture(autouse=True)
def password_hasher() -> None:
    """The real one."""


@pytest.fixture
def cheap() -> Iterator[None]:
    """For what does not depend on the cost of a hash."""
    with cheap_hashes():
        yield


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    made = open_database(tmp_path_factory.mktemp("passwords") / "platform.sqlite3")
    create_tables(made)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def ada(engine: sa.Engine) -> Account:
    account = accounts.create_user(engine, "Ada@Example.org", "user", verified=True)
    replace_password(engine, account.id, PASSWORD)
    return account


def stored(engine: sa.Engine, account: Account) -> str:
    with reading(engine) as connection:
        return str(connection.execute(sa.select(passwords.c.hash).where(passwords.c.user_id == account.id)).scalar())


def change(engine: sa.Engine, account: Account, **values: str | None) -> None:
    with writing(engine) as connection:
        connection.execute(users.update().where(users.c.id == account.id).values(**values))


def test_the_right_password_finds_its_user_however_the_address_is_written(engine: sa.Engine, ada: Account) -> None:
    for email in ("ada@example.org", "ADA@example.org", " ada@example.org "):
        assert account_by_password(engine, email, PASSWORD) == ada


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "correct horse batterx"),
        ("ada@example.org", ""),
        ("ada@example.org", "**********"),
        ("ada@example.org", PASSWORD + "\0"),
        ("ada@example.org", "x" * 100_000),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", PASSWORD),
        ("ada@example.org", "\ud800 lone surrogate"),
    ],
)
def test_anything_else_finds_nobody(engine: sa.Engine, ada: Account, email: str, password: str) -> None:
    assert account_by_password(engine, email, password) is None


def test_a_password_longer_than_any_that_is_accepted_never_matches(engine: sa.Engine, ada: Account) -> None:
    longest = "0123456789abcdef" * (module.MOST_BYTES // 16)
    replace_password(engine, ada.id, longest)
    assert account_by_password(engine, ada.email, longest) is not None
    assert account_by_password(engine, ada.email, f"{longest}x") is None
    replace_password(engine, ada.id, PASSWORD)


@cheaply
def test_composed_and_decomposed_letters_are_the_same_password(engine: sa.Engine) -> None:
    account = accounts.create_user(engine, "zoe@example.org", "user", verified=True)
    replace_password(engine, account.id, "zo\u00eb's password")
    assert account_by_password(engine, account.email, "zoe\u0308's password") == account


def test_the_database_holds_an_argon2id_hash_and_a_salt_of_its_own(engine: sa.Engine, ada: Account) -> None:
    other = accounts.create_user(engine, "same@example.org", "user", verified=True)
    replace_password(engine, other.id, PASSWORD)
    assert stored(engine, ada).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert stored(engine, ada) != stored(engine, other)


def test_unknown_addresses_cost_the_work_of_a_known_one(
    engine: sa.Engine, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = argon2.extract_parameters(module.NOBODY)
    assert parameters == argon2.extract_parameters(stored(engine, ada))
    assert parameters.type is Type.ID
    compared: list[str] = []

    def matches(hashed: str, password: str) -> bool:
        compared.append(hashed)
        return True

    monkeypatch.setattr(module, "_matches", matches)
    without = accounts.create_user(engine, "without@example.org", "user", verified=True)
    assert account_by_password(engine, "nobody@example.org", PASSWORD) is None
    assert account_by_password(engine, without.email, PASSWORD) is None
    assert compared == [module.NOBODY, module.NOBODY], "and even a match of that hash signs nobody in"


@cheaply
def test_a_flood_of_guesses_takes_neither_all_memory_nor_all_threads(engine: sa.Engine, ada: Account) -> None:
    places = module.HASHES_AT_ONCE + module.WAITING
    with ExitStack() as stack:
        for _ in range(places):
            stack.enter_context(module._line)
        with pytest.raises(TooManyRequests):
            account_by_password(engine, "nobody@example.org", PASSWORD)
    with ThreadPoolExecutor(places) as pool:
        found = pool.map(lambda _: account_by_password(engine, "nobody@example.org", PASSWORD), range(places))
        assert set(found) == {None}


def test_a_weaker_hash_is_replaced_when_its_password_is_given(engine: sa.Engine, ada: Account) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with writing(engine) as connection:
        connection.execute(passwords.update().where(passwords.c.user_id == ada.id).values(hash=weak))
    assert account_by_password(engine, ada.email, "wrong password") is None
    assert stored(engine, ada) == weak
    assert account_by_password(engine, ada.email, PASSWORD) == ada
    assert stored(engine, ada).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@cheaply
def test_a_damaged_hash_signs_nobody_in(engine: sa.Engine) -> None:
    account = accounts.create_user(engine, "damaged@example.org", "user", verified=True)
    replace_password(engine, account.id, PASSWORD)
    with writing(engine) as connection:
        connection.execute(passwords.update().where(passwords.c.user_id == account.id).values(hash="plain"))
    assert account_by_password(engine, account.email, PASSWORD) is None


@cheaply
def test_disabled_and_unconfirmed_users_cannot_sign_in(engine: sa.Engine) -> None:
    hashed = accounts.hash_new_password(PASSWORD)
    account = accounts.create_user(engine, "new@example.org", "user", password_hash=hashed)
    assert account_by_password(engine, account.email, PASSWORD) is None
    found = check_password(engine, account.email, PASSWORD)
    assert found is not None and not found.is_verified
    change(engine, account, verified_at="2026-01-01T00:00:00.000000+00:00")
    assert account_by_password(engine, account.email, PASSWORD) == account
    change(engine, account, disabled_at="2026-01-01T00:00:00.000000+00:00")
    assert account_by_password(engine, account.email, PASSWORD) is None
    assert check_password(engine, account.email, PASSWORD) is None


@cheaply
@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 12 characters"),
        ("aaaaaaaaaaaaaaaa", "6 different"),
        ("**********", "API key"),
        ("0123456789abcdef" * 65, "at most 1024 bytes"),
    ],
)
def test_what_cannot_be_a_password_is_refused_without_repeating_it(
    engine: sa.Engine, ada: Account, password: str, said: str
) -> None:
    before = stored(engine, ada)
    with pytest.raises(WeakPassword, match=said) as refused:
        replace_password(engine, ada.id, password)
    assert password == "**********" or password not in str(refused.value)
    assert stored(engine, ada) == before


@pytest.mark.parametrize("email", ["", "ada", "a@", "@b", "a b@c", "a@b\nBcc: x@y", "a" * 65 + "@b", "a@" + "b" * 190])
def test_what_cannot_be_an_address_is_refused(engine: sa.Engine, email: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        accounts.create_user(engine, email, "user")


def test_an_address_belongs_to_one_user(engine: sa.Engine, ada: Account) -> None:
    with pytest.raises(accounts.EmailTaken):
        accounts.create_user(engine, "ADA@example.org", "user")


@cheaply
def test_the_file_of_the_database_holds_no_password(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "platform.sqlite3")
    create_tables(engine)
    account = accounts.create_user(engine, "ada@example.org", "user")
    replace_password(engine, account.id, PASSWORD)
    engine.dispose()
    assert not [path for path in tmp_path.iterdir() if PASSWORD.encode() in path.read_bytes()]
