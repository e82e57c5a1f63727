"""Where database and objects of a platform are: the state folder, or a PostgreSQL database and a bucket by URL.

Options name the places; secrets come from the environment only, `AVATAR_GITOPS_DATABASE` (a URL that may hold a
password) or PostgreSQL's own variables, and the AWS variables for the bucket. Workers get the environment.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from avatar_gitops.errors import RemoteUnavailable, UsageError
from avatar_gitops.server.blobs import BucketBlobs
from avatar_gitops.server.database import create_tables, installation, objects, open_database, writing
from avatar_gitops.server.objects import Storage
from avatar_gitops.server.state import StateFolder, write_private

DATABASE: Final = "AVATAR_GITOPS_DATABASE"
BUCKET: Final = "AVATAR_GITOPS_BUCKET"
ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
PROBE: Final = "avatar-gitops.probe"


@dataclass(slots=True, frozen=True)
class Places:
    """`database` None: SQLite in the state folder; `bucket` None: files in the state folder."""

    database: sa.URL | None = field(default=None, repr=False)
    bucket: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The places as variables for a process that is started."""
        found = {}
        if self.database is not None:
            found[DATABASE] = self.database.render_as_string(hide_password=False)
        if self.bucket is not None:
            found[BUCKET] = self.bucket
        return found


def find_places(database: str | None, bucket: str | None, environment: Mapping[str, str] | None = None) -> Places:
    """The places of the options, or else of the environment.

    Raises:
        UsageError: a URL is none that this platform can use, or an option holds a password.
    """
    said = os.environ if environment is None else environment
    if database is not None and urlsplit(database).password is not None:
        raise UsageError(
            "--database holds a password, which every user of this machine can read in the list of processes.",
            hint=f"Put the URL into {DATABASE}, or the password into PGPASSWORD or a PGPASSFILE.",
        )
    url = _database_url(database or said.get(DATABASE, ""))
    return Places(url, _bucket_url(bucket or said.get(BUCKET, "")))


def _database_url(text: str) -> sa.URL | None:
    if not text.strip():
        return None
    try:
        url = sa.make_url(text.strip())
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in {"postgresql", "postgres", "postgresql+psycopg"} or not url.database:
        raise UsageError(
            "The database URL is not of the form postgresql://user@host:port/database.",
            hint="Leave it out for SQLite in the state folder.",
        )
    return url


def _bucket_url(text: str) -> str | None:
    if not text.strip():
        return None
    parts = urlsplit(text.strip())
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "The bucket URL is not of the form s3://bucket/prefix.",
            hint="Endpoint and keys come from AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return f"s3://{parts.netloc}{parts.path.rstrip('/')}"


def open_storage(state: StateFolder, places: Places) -> Storage:
    """Database and blobs, without a look at either."""
    if places.database is not None:
        try:
            import psycopg  # noqa: F401 - shows whether the extra is installed
        except ImportError:
            raise UsageError(
                "The PostgreSQL driver is not installed.", hint="pip install 'avatar-gitops[local,postgres]'"
            ) from None
    engine = open_database(places.database or state.database)
    return Storage(engine, state, None if places.bucket is None else _open_bucket(places.bucket))


def prepare(storage: Storage, places: Places) -> None:
    """Bring the tables up to date, see that the bucket answers and is the one that belongs to the database.

    Raises:
        RemoteUnavailable: database or bucket do not answer.
        UsageError: a newer version has written the database, or its objects are somewhere else.
    """
    try:
        create_tables(storage.engine)
    except sa.exc.DatabaseError as error:
        if places.database is None:
            raise UsageError(
                f"The database in {storage.state.root} cannot be used: {_reason(error)}.",
                hint="See that there is space and that this user may write there, or restore it from a backup.",
            ) from None
        raise RemoteUnavailable(
            f"The database does not answer: {_reason(error)}.",
            hint=f"Check host, name and user in --database or {DATABASE}, and the password in PGPASSWORD.",
        ) from None
    if isinstance(storage.bucket, BucketBlobs):
        _probe(storage.bucket)
    _belong_together(storage, places)


def installation_secret(storage: Storage) -> bytes:
    """The secret that storage keys are derived from: one per database, so that all its servers agree."""
    if storage.engine.dialect.name == "sqlite":
        return storage.state.storage_secret()
    return bytes.fromhex(_shared(storage.engine, "storage_secret", secrets.token_hex(32)))


def _shared(engine: sa.Engine, name: str, value: str) -> str:
    """The value that all servers over this database share: the one that is there, or else this one from now on."""
    with writing(engine) as connection:
        found = connection.execute(sa.select(installation.c.value).where(installation.c.name == name)).scalar()
        if found is None:
            connection.execute(installation.insert().values(name=name, value=value))
        return value if found is None else str(found)


def _belong_together(storage: Storage, places: Places) -> None:
    here = places.bucket or _folder_name(storage.state, places)
    with writing(storage.engine) as connection:
        query = sa.select(installation.c.value).where(installation.c.name == "objects")
        there = connection.execute(query).scalar()
        if there is None and places.bucket is not None and connection.execute(sa.select(objects).limit(1)).first():
            there = "folder"  # written before there were buckets
        if there is None:
            connection.execute(installation.insert().values(name="objects", value=here))
    if there not in {None, here}:
        is_bucket = str(there).startswith("s3://")
        where = f"in the bucket {there}" if is_bucket else "in the state folder that it was begun with"
        raise UsageError(
            f"The objects of this database are {where}.",
            hint=f"Start with --bucket {there}." if is_bucket else "Use that state folder, without --bucket.",
        )


def _folder_name(state: StateFolder, places: Places) -> str:
    """A database of many servers must know whose folder it is; the one in the folder moves with it."""
    if places.database is None:
        return "folder"
    mark = state.root / "objects.id"
    if not mark.exists():
        write_private(mark, uuid.uuid4().hex)
    return f"folder {mark.read_text(encoding='ascii')}"


def _open_bucket(url: str) -> BucketBlobs:
    from obstore.store import S3Store

    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    store = S3Store.from_url(
        url,
        client_options={"allow_http": (endpoint or "").startswith("http://"), "timeout": timedelta(minutes=5)},
        retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
        config=None if endpoint is None else {"endpoint": endpoint},
    )
    return BucketBlobs(store)


def _probe(bucket: BucketBlobs) -> None:
    try:
        bucket.probe(PROBE)
    except OSError as error:
        raise RemoteUnavailable(
            f"The bucket cannot be used: {error}.",
            hint="Check its name, AWS_ENDPOINT_URL, AWS_REGION and the AWS keys, and that these keys may read,"
            " write, list and delete there.",
        ) from None


def _reason(error: sa.exc.DatabaseError) -> str:
    """The first line of the driver's own words, which name host and user but never a password."""
    return str(error.orig).strip().partition("\n")[0].rstrip(".")
