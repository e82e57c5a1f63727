"""Access and refresh tokens: how long they live, how they change, what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from avatar_gitops.server import accounts
from avatar_gitops.server.accounts import Account, ExpiredToken, account_of_token, open_sign_in, refresh_sign_in
from avatar_gitops.server.accounts.keys import hash_secret
from avatar_gitops.server.accounts.sign_ins import GRACE, end_sign_ins
from avatar_gitops.server.database import (
    create_tables,
    open_database,
    reading,
    sign_in_tokens,
    sign_ins,
    text_of,
    users,
    writing,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_database(tmp_path / "platform.sqlite3")
    create_tables(made)
    yield made
    made.dispose()


@pytest.fixture
def ada(engine: sa.Engine) -> Account:
    return accounts.create_user(engine, "ada@example.org", "user")


def ago(**length: float) -> str:
    return text_of(datetime.now(UTC) - timedelta(**length))


def change(engine: sa.Engine, token: str, **values: str) -> None:
    with writing(engine) as connection:
        mine = sign_in_tokens.update().where(sign_in_tokens.c.hash == hash_secret(token))
        assert connection.execute(mine.values(**values)).rowcount == 1


def number_of(engine: sa.Engine, table: sa.Table) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_a_sign_in_gives_tokens_that_find_its_user(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    found = account_of_token(engine, tokens.access)
    assert found is not None and found.to_plain() == ada.to_plain()
    assert found.credential is not None and found.credential.startswith("sign-in:")
    assert tokens.access not in repr(tokens) and tokens.refresh not in repr(tokens)


def test_only_hashes_of_tokens_are_stored(engine: sa.Engine, ada: Account, tmp_path: Path) -> None:
    tokens = open_sign_in(engine, ada.id)
    for path in tmp_path.iterdir():
        assert tokens.access.encode() not in path.read_bytes()
        assert tokens.refresh.encode() not in path.read_bytes()


def test_one_kind_of_token_does_not_serve_as_the_other(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    assert account_of_token(engine, tokens.refresh) is None
    assert refresh_sign_in(engine, tokens.access) is None
    assert account_of_token(engine, tokens.refresh.replace("refresh", "access")) is None


@pytest.mark.parametrize("text", ["", "x", "avatar_access." + "A" * 43, "avatar_access." + "A" * 44, "é" * 50])
def test_any_other_text_finds_nobody(engine: sa.Engine, ada: Account, text: str) -> None:
    open_sign_in(engine, ada.id)
    assert account_of_token(engine, text) is None
    assert refresh_sign_in(engine, text) is None


def test_an_expired_access_token_says_so_and_its_sign_in_can_be_refreshed(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    change(engine, tokens.access, expires_at=ago(seconds=1))
    with pytest.raises(ExpiredToken):
        account_of_token(engine, tokens.access)
    refreshed = refresh_sign_in(engine, tokens.refresh)
    assert refreshed is not None
    account, newer = refreshed
    assert account_of_token(engine, newer.access) == account
    assert newer.refresh != tokens.refresh
    with pytest.raises(ExpiredToken):
        account_of_token(engine, tokens.access)


def test_a_refresh_that_is_repeated_because_its_answer_was_lost_works(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    first, again = refresh_sign_in(engine, tokens.refresh), refresh_sign_in(engine, tokens.refresh)
    assert first is not None and again is not None
    for _, newer in (first, again):
        assert account_of_token(engine, newer.access) is not None
        assert refresh_sign_in(engine, newer.refresh) is not None


def test_a_refresh_token_that_comes_back_later_ends_the_sign_in_for_everybody(engine: sa.Engine, ada: Account) -> None:
    stolen = open_sign_in(engine, ada.id)
    bystander = open_sign_in(engine, ada.id)
    refreshed = refresh_sign_in(engine, stolen.refresh)
    assert refreshed is not None
    change(engine, stolen.refresh, used_at=ago(seconds=GRACE.total_seconds() + 1))
    assert refresh_sign_in(engine, stolen.refresh) is None
    assert account_of_token(engine, refreshed[1].access) is None
    assert refresh_sign_in(engine, refreshed[1].refresh) is None
    assert account_of_token(engine, bystander.access) is not None


def test_an_expired_refresh_token_is_worth_nothing(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    change(engine, tokens.refresh, expires_at=ago(seconds=1))
    assert refresh_sign_in(engine, tokens.refresh) is None


def test_the_password_is_asked_for_again_after_the_longest_time(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    with writing(engine) as connection:
        connection.execute(sign_ins.update().values(expires_at=ago(seconds=1)))
    assert account_of_token(engine, tokens.access) is None
    assert refresh_sign_in(engine, tokens.refresh) is None


def test_sign_ins_that_are_over_leave_no_rows(engine: sa.Engine, ada: Account) -> None:
    for _ in range(3):
        open_sign_in(engine, ada.id)
    with writing(engine) as connection:
        connection.execute(sign_ins.update().values(expires_at=ago(seconds=1)))
    open_sign_in(engine, ada.id)
    assert (number_of(engine, sign_ins), number_of(engine, sign_in_tokens)) == (1, 2)


def test_refreshing_for_weeks_leaves_few_tokens(engine: sa.Engine, ada: Account) -> None:
    tokens = open_sign_in(engine, ada.id)
    for _ in range(5):
        with writing(engine) as connection:
            connection.execute(sign_in_tokens.update().values(expires_at=ago(days=8)))
        change(engine, tokens.refresh, expires_at=text_of(datetime.now(UTC) + timedelta(days=1)))
        refreshed = refresh_sign_in(engine, tokens.refresh)
        assert refreshed is not None
        tokens = refreshed[1]
    assert number_of(engine, sign_in_tokens) == 3


def test_signing_out_and_disabling_end_both_tokens(engine: sa.Engine, ada: Account) -> None:
    signed_out, everywhere = open_sign_in(engine, ada.id), open_sign_in(engine, ada.id)
    account = account_of_token(engine, signed_out.access)
    assert account is not None and account.credential is not None
    accounts.end_sign_in(engine, account.credential.partition(":")[2])
    assert account_of_token(engine, signed_out.access) is None
    assert refresh_sign_in(engine, signed_out.refresh) is None
    assert account_of_token(engine, everywhere.access) is not None
    with writing(engine) as connection:
        end_sign_ins(connection, ada.id)
    assert account_of_token(engine, everywhere.access) is None

    tokens = open_sign_in(engine, ada.id)
    with writing(engine) as connection:
        connection.execute(users.update().values(disabled_at=ago(seconds=1)))
    assert account_of_token(engine, tokens.access) is None
    assert refresh_sign_in(engine, tokens.refresh) is None
