"""The list of runs and the sessions in both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from avatar_gitops.server.accounts import Account, create_user
from avatar_gitops.server.database import create_tables, open_database, reading, sign_ins
from avatar_gitops.server.web.run_list import find_line, list_runs
from avatar_gitops.server.web.sessions import (
    count_sessions,
    end_other_sessions,
    end_session,
    find_session,
    open_session,
)
from avatar_gitops.server.web.words import RunState
from tests.server.web.story import many_runs
from tests.support.postgres import Cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A new database of each kind."""
    if request.param == "sqlite":
        made = open_database(tmp_path / "platform.sqlite3")
        create_tables(made)
        yield made
        made.dispose()
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    with postgres.database() as url:
        made = open_database(url)
        create_tables(made)
        yield made
        made.dispose()


@pytest.fixture
def owner(engine: sa.Engine) -> Account:
    return create_user(engine, "owner@example.org", "user")


def test_runs_are_counted_by_state_and_cut_into_pages(engine: sa.Engine, owner: Account) -> None:
    many_runs(engine, owner, 30)
    many_runs(engine, create_user(engine, "other@example.org", "user"), 3)
    found = list_runs(engine, owner.id, state=None, number=1)
    assert found.counts == {RunState.FINISHED: 16, RunState.FAILED: 7, RunState.CANCELLED: 7}
    assert (found.total, found.last, len(found.lines), found.first_line) == (30, 2, 25, 1)
    assert [line.name for line in found.lines[:2]] == ["cohort-029", "cohort-028"]
    failed = list_runs(engine, owner.id, search="COHORT-0", state=RunState.FAILED, number=9)
    assert (failed.number, failed.found, {line.state for line in failed.lines}) == (1, 7, {RunState.FAILED})
    line = found.lines[0]
    assert find_line(engine, owner.id, line.id) == line
    assert (line.percent, line.took, line.jobs) == (100, "1m 00s", 1)


@pytest.mark.parametrize("search", ["%", "_", "\\", "cohort_0", "0%"])
def test_signs_of_patterns_mean_themselves(engine: sa.Engine, owner: Account, search: str) -> None:
    many_runs(engine, owner, 2)
    assert list_runs(engine, owner.id, search=search, state=None, number=1).lines == ()


def test_sessions_open_and_end(engine: sa.Engine, owner: Account) -> None:
    first, second = (open_session(engine, owner) for _ in range(2))
    session = find_session(engine, first)
    assert session is not None and session.account.id == owner.id
    assert count_sessions(engine, owner.id) == 2
    end_other_sessions(engine, session)
    assert find_session(engine, second) is None and find_session(engine, first) is not None
    end_session(engine, first)
    assert find_session(engine, first) is None
    with reading(engine) as connection:
        assert connection.execute(sa.select(sign_ins)).first() is None, "nothing is left behind"
