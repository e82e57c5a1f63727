"""The schema: new databases, those of the first release, those of a later one; on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from avatar_gitops.errors import UsageError
from avatar_gitops.server import migrations, start
from avatar_gitops.server.database import create_tables, metadata, open_database, reading, users, writing
from avatar_gitops.server.state import StateFolder
from tests.server.api import Api, people
from tests.support.postgres import Cluster

FIRST_RELEASE = Path(__file__).parent / "data" / "first_release.sql"
INPUT_BLOB = "37e0c3e41876449faa8a006f54e9faad"
RESULT_BLOB = "002e8c8dc95740c086c7ab7453679b4d"
RESULT = b"r" * 354


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        engine = open_database(tmp_path / "platform.sqlite3")
        yield engine
        engine.dispose()
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    with postgres.database() as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def config(connection: sa.Connection) -> Config:
    made = Config()
    made.set_main_option("script_location", migrations.LOCATION)
    made.attributes["connection"] = connection
    return made


def differences(engine: sa.Engine) -> list[object]:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def revision(engine: sa.Engine) -> object:
    with reading(engine) as connection:
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def test_the_revisions_from_the_first_to_the_newest_make_the_tables_of_the_metadata(empty: sa.Engine) -> None:
    with writing(empty) as connection:
        command.upgrade(config(connection), "head")
    assert differences(empty) == []
    assert revision(empty) == migrations.HEAD


def test_a_new_database_has_the_tables_and_the_revision_at_once(empty: sa.Engine) -> None:
    create_tables(empty)
    create_tables(empty)
    assert differences(empty) == []
    assert revision(empty) == migrations.HEAD


def test_the_newest_revision_is_the_one_that_the_server_stamps() -> None:
    made = Config()
    made.set_main_option("script_location", migrations.LOCATION)
    assert ScriptDirectory.from_config(made).get_heads() == [migrations.HEAD]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty: sa.Engine) -> None:
    create_tables(empty)
    with writing(empty) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="'9999', which this version of avatar-gitops does not know"):
        create_tables(empty)
    assert revision(empty) == "9999"


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: sa.Engine) -> None:
    with writing(empty) as connection:
        command.upgrade(config(connection), migrations.BASELINE)
        connection.execute(sa.text("CREATE TABLE installation (name VARCHAR)"))  # in the way of the last step
    with pytest.raises(sa.exc.DatabaseError):
        create_tables(empty)
    assert revision(empty) == migrations.BASELINE
    with reading(empty) as connection:
        assert "passwords" not in sa.inspect(connection).get_table_names()


@pytest.fixture
def first_release(tmp_path: Path) -> StateFolder:
    """A state folder that the first release has written: a user, a finished job, its input and one of its results."""
    state = StateFolder(tmp_path / "state")
    state.create()
    with sqlite3.connect(state.database) as connection:
        connection.executescript(FIRST_RELEASE.read_text(encoding="utf-8"))
    connection.close()
    for blob, content in ((INPUT_BLOB, people(12)), (RESULT_BLOB, RESULT)):
        (state.blobs / blob[:2]).mkdir(exist_ok=True)
        (state.blobs / blob[:2] / blob).write_bytes(content)
    return state


def test_a_state_folder_of_the_first_release_is_upgraded_in_place(first_release: StateFolder) -> None:
    with start(first_release.root) as server, Api(server.base_url, server.api_key) as api:
        (job,) = api.get("/jobs")["jobs"]
        assert (job["display_name"], job["status"]) == ("old-set", "finished")
        assert api.files(job["name"]) == {"people.shuffled-0.csv": RESULT}
        assert bytes(api.store().get("3650d/people.csv").bytes()) == people(12)
        again = api.launch(job["set_name"], "standard")
        assert api.wait(again)["status"] == "finished"
    engine = open_database(first_release.database)
    assert differences(engine) == []
    with reading(engine) as connection:
        assert connection.execute(sa.select(users.c.role)).scalars().all() == ["admin"]
    engine.dispose()


def test_a_database_that_is_up_to_date_needs_no_alembic(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from avatar_gitops.server.database import create_tables, open_database\n"
        f"for _ in 'ab': create_tables(open_database(Path({str(tmp_path / 'db')!r})))\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
