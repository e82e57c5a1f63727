"""Input files on their way to the server: local files stay in place, remote ones pass through a temporary file."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from avatar_gitops.errors import AvatarGitOpsError, UsageError
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.spec.models import Source

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

CHUNK_BYTES: Final = 1 << 20
PLAIN_HTTP: Final = ("allow_http", "aws_allow_http", "google_allow_http", "azure_allow_http")
RETRIES: Final[RetryConfig] = {"max_retries": 3}
BUCKETS: Final = frozenset({"s3", "gs", "az"})


class InputMoved(AvatarGitOpsError):
    """A data file is not, or no longer, what the plan was made from."""


class SourceUnreadable(AvatarGitOpsError):
    """A remote data file cannot be read; says nothing about the Avatar server."""


@contextmanager
def opened(root: Path, source: str | Source, expected: TableInput) -> Iterator[Path]:
    """The data file as a local path for as long as it is needed. Raises InputMoved when it is not the planned one."""
    told = source if isinstance(source, Source) else Source(uri=source)
    if "://" not in told.uri:
        yield _local(root, told.uri, expected)
        return
    with tempfile.TemporaryDirectory(prefix="avatar-gitops-") as folder:
        path = Path(folder) / "input"
        with path.open("wb") as out:
            digest = _fetch(told, out, expected.table)
        if expected.digest.startswith("sha256:") and expected.digest != digest:
            raise InputMoved(f"the data of {expected.table} is not what the digest in the spec says", hint=_PLAN_AGAIN)
        yield path


_PLAN_AGAIN: Final = "plan again"


def _local(root: Path, uri: str, expected: TableInput) -> Path:
    path = (root / uri).resolve()
    if not path.is_relative_to(root.resolve()):
        raise UsageError(f"the data file of {expected.table} is outside the project", hint="move it into the project")
    if not path.is_file():
        raise InputMoved(f"the data file of {expected.table} is no longer there", hint=_PLAN_AGAIN)
    if path.stat().st_size != expected.bytes:
        raise InputMoved(f"the data file of {expected.table} changed since the plan", hint=_PLAN_AGAIN)
    return path


def _fetch(source: Source, out: IO[bytes], table: str) -> str:
    """Stream a remote file to disk and return its digest; errors name the table and the scheme, never a credential."""
    scheme = urlsplit(source.uri).scheme.lower()
    state = hashlib.sha256()
    try:
        for chunk in _bucket(source, table) if scheme in BUCKETS else _https(source.uri, scheme, table):
            state.update(chunk)
            out.write(chunk)
    except (AvatarGitOpsError, OSError):
        raise
    except Exception as error:  # the stores raise many types, whose texts may quote signed addresses
        kind = type(error).__name__
        raise SourceUnreadable(f"the data of {table} cannot be read over {scheme} ({kind})", hint=_SOURCE) from None
    return f"sha256:{state.hexdigest()}"


_SOURCE: Final = "check the address, and the credentials in `options` or in the environment"


def _https(uri: str, scheme: str, table: str) -> Iterator[bytes]:
    if scheme != "https":
        raise UsageError(f"the data of {table} has an address of an unknown kind ({scheme})")
    with httpx.stream("GET", uri, timeout=60.0, follow_redirects=False) as answer:
        if answer.status_code != 200:
            raise SourceUnreadable(
                f"the data of {table} cannot be read over https (status {answer.status_code})", hint=_SOURCE
            )
        yield from answer.iter_bytes(CHUNK_BYTES)


def _bucket(source: Source, table: str) -> Iterator[bytes]:
    import obstore

    place, _, key = source.uri.rpartition("/")
    options = {name: _secret(value, table) for name, value in source.options.items()}
    try:
        stream = obstore.get(_store(place, options, table), key).stream(min_chunk_size=CHUNK_BYTES)
    except FileNotFoundError:
        raise InputMoved(f"the data of {table} is not at its address", hint=_SOURCE) from None
    for chunk in stream:
        yield bytes(chunk)


def _store(place: str, options: dict[str, str], table: str) -> ObjectStore:
    from obstore.store import from_url

    plain_http = {options.pop(name, "false").lower() for name in PLAIN_HTTP}
    client: ClientConfig = {"allow_http": True} if "true" in plain_http else {}
    try:
        return from_url(place, config=options, client_options=client, retry_config=RETRIES)  # type: ignore[call-overload,no-any-return]
    except BaseException as error:
        # The library panics on some option names, which is no Exception.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise UsageError(f"the address or the `options` of {table} are not valid", hint=_SOURCE) from None
        raise


def _secret(value: str, table: str) -> str:
    """Value of an option; `env/NAME` is read from the environment, `env/NAME/DEFAULT` has a default."""
    if not value.startswith("env/"):
        return value
    name, _, default = value.removeprefix("env/").partition("/")
    found = os.environ.get(name, default)
    if not found:
        raise UsageError(f"the data of {table} needs the environment variable {name}")
    return found
