"""Tables of the platform's database, and the two ways into it: `reading` and `writing`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.migrations import bring_up_to_date

metadata = sa.MetaData()

# Listings are in byte order, whatever the language of the database.
KEY: Final = sa.String().with_variant(sa.String(collation="C"), "postgresql")

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("created_at", sa.String, nullable=False),
)

# The address is stored in lower case. `verified_at`: when it was shown that the user reads mail sent there.
users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("organization_id", sa.String, nullable=False),
    sa.Column("email", sa.String, nullable=False, unique=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("verified_at", sa.String),
    sa.Column("disabled_at", sa.String),
)

# Apart from `users`, so that no query about people reads a hash.
passwords = sa.Table(
    "passwords",
    metadata,
    sa.Column("user_id", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("hash", sa.String, nullable=False),
    sa.Column("changed_at", sa.String, nullable=False),
)

# One sign-in with a password; its tokens die with it.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
)

sign_in_tokens = sa.Table(
    "sign_in_tokens",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("sign_in_id", sa.ForeignKey("sign_ins.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
    sa.Column("used_at", sa.String),
)

# Single-use tokens that are sent by mail.
mail_tokens = sa.Table(
    "mail_tokens",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("secret_hash", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
    sa.Column("revoked_at", sa.String),
    sa.Column("last_used_at", sa.String),
)

sets = sa.Table(
    "sets",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("display_name", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("documents", sa.Text, nullable=False),
)

# An object's bytes live in a blob that never changes; a key points at a blob. A snapshot is one more pointer.
objects = sa.Table(
    "objects",
    metadata,
    sa.Column("bucket", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("key", KEY, primary_key=True),
    sa.Column("blob", sa.String, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("etag", sa.String, nullable=False),
    sa.Column("content_type", sa.String, nullable=False),
    sa.Column("modified_at", sa.String, nullable=False),
    sa.Column("details", sa.Text),  # JSON: headers, checksum, sizes of parts
)

inputs = sa.Table(
    "inputs",
    metadata,
    sa.Column("set_id", sa.ForeignKey("sets.id"), primary_key=True),
    sa.Column("key", KEY, primary_key=True),
    sa.Column("blob", sa.String, nullable=False, index=True),
)

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("bucket", sa.ForeignKey("users.id"), nullable=False),
    sa.Column("key", KEY, nullable=False),
    sa.Column("content_type", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("details", sa.Text),
)

upload_parts = sa.Table(
    "upload_parts",
    metadata,
    sa.Column("upload_id", sa.ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("blob", sa.String, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("etag", sa.String, nullable=False),
    sa.Column("modified_at", sa.String),
    sa.Column("details", sa.Text),
)

# Blobs that are being written and that nothing points at yet; a writer that lives touches its row.
incoming_blobs = sa.Table(
    "incoming_blobs",
    metadata,
    sa.Column("blob", sa.String, primary_key=True),
    sa.Column("touched_at", sa.Float, nullable=False),
)

# What all servers over one database share.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("set_id", sa.ForeignKey("sets.id"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("parameters_name", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False, index=True),
    sa.Column("exception", sa.Text, nullable=False, default=""),
    sa.Column("progress", sa.Float),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("finished_at", sa.String),
    sa.Column("deleted_at", sa.String),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("lease_owner", sa.String),
    sa.Column("lease_expires", sa.Float),
    sa.Column("started_at", sa.Float),  # of the present attempt, in seconds since 1970 like the lease
    sa.Column("phase", sa.String),
    sa.Column("phase_done", sa.Integer),
    sa.Column("phase_total", sa.Integer),
)

job_parents = sa.Table(
    "job_parents",
    metadata,
    sa.Column("job", sa.ForeignKey("jobs.name"), primary_key=True),
    sa.Column("parent", sa.ForeignKey("jobs.name"), primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),
)

results = sa.Table(
    "results",
    metadata,
    sa.Column("job", sa.ForeignKey("jobs.name"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("key", KEY, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("verb", sa.String, nullable=False),
    sa.Column("object_id", sa.String),
    sa.Column("object_type", sa.String, nullable=False),
    sa.Column("created_at", sa.String, nullable=False),
)

# A session of the web application: the cookie holds a random id, the row only its hash. It ends with the API key or the
# sign-in that it was opened with.
web_sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("id_hash", sa.String, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("api_key_id", sa.ForeignKey("api_keys.id")),
    sa.Column("sign_in_id", sa.ForeignKey("sign_ins.id", ondelete="CASCADE")),
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("seen_at", sa.String, nullable=False),
)

WAIT_SECONDS: Final = 20  # for the write lock
WRITE_LOCK: Final = 0x61766174  # of the writers of one PostgreSQL database
POSTGRES_OPTIONS: Final = f"-c lock_timeout={WAIT_SECONDS}s -c idle_in_transaction_session_timeout=120s"


def open_database(where: Path | sa.URL) -> sa.Engine:
    """The database in the file, created when absent, or the PostgreSQL database of the URL; any number of processes
    may open it at once."""
    common: dict[str, Any] = {"hide_parameters": True, "pool_size": 8, "max_overflow": 64}  # no text holds user data
    if isinstance(where, sa.URL):
        engine = sa.create_engine(
            where.set(drivername="postgresql+psycopg"),
            connect_args={"options": POSTGRES_OPTIONS, "application_name": "avatar-gitops"},
            pool_pre_ping=True,  # a database that was started again in between is no error
            **common,
        )
        sa.event.listen(engine, "begin", _begin_postgres)
        return engine
    arguments = {"timeout": WAIT_SECONDS, "check_same_thread": False}
    engine = sa.create_engine(f"sqlite:///{where}", connect_args=arguments, **common)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def create_tables(engine: sa.Engine) -> None:
    """Create or upgrade the tables; WAL mode is a property of the file, so it is set here once.

    Raises:
        UsageError: a newer version of this software has written the database.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN")
    with writing(engine) as connection:
        bring_up_to_date(connection, metadata)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver must not start transactions by itself: `_begin_sqlite` decides between a reading and a writing one.
    dbapi_connection.isolation_level = None
    dbapi_connection.execute("PRAGMA foreign_keys = ON")
    dbapi_connection.execute("PRAGMA synchronous = NORMAL")


def _is_writing(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("avatar_write", False))


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later could fail half-way when another process wrote in between;
    # taking the write lock at the start makes it wait instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _is_writing(connection) else "BEGIN")


def _begin_postgres(connection: sa.Connection) -> None:
    # The same promise on PostgreSQL: writers come one after the other, each sees all that was committed before it, and
    # so there is nothing to deadlock on and no serialization failure to repeat. Readers never wait.
    if _is_writing(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A consistent view for reading."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the write lock from its start and commits at its end, or leaves no trace."""
    with engine.connect().execution_options(avatar_write=True) as connection, connection.begin():
        yield connection


def now_text() -> str:
    """The present moment as stored: ISO 8601 in UTC with a fixed width, so that text order is time order."""
    return text_of(datetime.now(UTC))


def text_of(moment: datetime) -> str:
    """A moment as stored."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
