"""Headers, coarse sizes and digests of local data files, read as streams; no value of a table leaves this module."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from avatar_gitops.csv_ending import HINT as CLOSE
from avatar_gitops.csv_ending import MESSAGE as OPEN
from avatar_gitops.csv_ending import ends_open, tail_of
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.spec.facts import REMOTE_SCHEMES, UNKNOWN_ROWS, InputFacts, Shape, bucket, scheme

__all__ = [
    "REMOTE_SCHEMES",
    "InputFacts",
    "InputUnreadable",
    "Shape",
    "bucket",
    "csv_rows",
    "file_digest",
    "local_facts",
    "local_path",
    "read_shape",
    "remote_facts",
    "scheme",
]

DELIMITERS: Final = (",", ";", "\t", "|")
PARQUET_MAGIC: Final = b"PAR1"
MAX_HEADER: Final = 1 << 20
CHUNK_BYTES: Final = 1 << 20


Stamp = tuple[int, ...]


def _stamp(path: Path) -> Stamp:
    """What changes when a file does: many specs may name one file, which is read once while it stays the same."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class InputUnreadable(AvatarGitOpsError):
    """A data file cannot be used as a table; the message names the reason and no value."""


def local_path(root: Path, uri: str) -> Path | None:
    """The file that a path in a spec means, relative to the project root; None if `..` or a symlink leaves the root."""
    if "\0" in uri:
        return None
    target = root / uri
    try:
        if target.name in {"", ".."} or target.is_symlink():
            target = Path(os.path.realpath(target))
        else:
            target = Path(_real(target.parent), target.name)
    except OSError:
        return None
    base = _real(root)
    return target if str(target) == base or str(target).startswith(base.rstrip(os.sep) + os.sep) else None


@lru_cache(maxsize=1024)
def _real(folder: Path) -> str:
    """A folder without links; a project asks for the same few folders for every file."""
    return os.path.realpath(folder)


def local_facts(table: str, uri: str, path: Path, key: bytes | None = None) -> InputFacts:
    """Facts about a local CSV or Parquet file; the digest is an HMAC if a key is given. Reads it twice, as a stream."""
    shape = read_shape(path)
    return InputFacts(
        table=table,
        uri=uri,
        columns=shape.safe_columns,
        rows_bucket=bucket(shape.rows),
        bytes=path.stat().st_size,
        digest=file_digest(path, key),
    )


def remote_facts(table: str, uri: str, digest: str) -> InputFacts:
    """Facts about a source that is not opened here: only what the spec declares."""
    return InputFacts(table=table, uri=uri, columns=(), rows_bucket=UNKNOWN_ROWS, bytes=0, digest=digest)


def file_digest(path: Path, key: bytes | None = None) -> str:
    """`sha256:…` of the bytes of a file, or `hmac-sha256:…` with a key."""
    return _digest(path, _stamp(path), key)


@lru_cache(maxsize=4096)
def _digest(path: Path, stamp: Stamp, key: bytes | None) -> str:
    state = hmac.new(key, digestmod=hashlib.sha256) if key is not None else hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            state.update(chunk)
    return f"{'hmac-sha256' if key is not None else 'sha256'}:{state.hexdigest()}"


def read_shape(path: Path, max_rows: int | None = None) -> Shape:
    """Header and row count of a CSV or Parquet file; counting a CSV stops at `max_rows`. Raises InputUnreadable."""
    try:
        stamp = _stamp(path)
    except OSError as error:
        raise InputUnreadable(f"the file cannot be opened ({error.strerror or 'unknown reason'})") from None
    return _shape(path, stamp, max_rows)


@lru_cache(maxsize=4096)
def _shape(path: Path, stamp: Stamp, max_rows: int | None) -> Shape:
    try:
        with path.open("rb") as stream:
            start = stream.read(len(PARQUET_MAGIC))
    except OSError as error:
        raise InputUnreadable(f"the file cannot be opened ({error.strerror or 'unknown reason'})") from None
    if start == PARQUET_MAGIC:
        return _parquet_shape(path)
    if not start:
        raise InputUnreadable("the file is empty")
    return _csv_shape(path, max_rows)


def _parquet_shape(path: Path) -> Shape:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise InputUnreadable(
            "reading Parquet needs pyarrow", hint="pip install 'avatar-gitops[local]'", code="parquet"
        ) from None
    try:
        footer = pq.read_metadata(path)
        names = tuple(str(name) for name in footer.schema.to_arrow_schema().names)
    except Exception as error:  # pyarrow raises many types, and their texts may quote data
        raise InputUnreadable(f"the file starts like Parquet but is damaged ({type(error).__name__})") from None
    return Shape(columns=names, rows=int(footer.num_rows))


def _csv_shape(path: Path, max_rows: int | None) -> Shape:
    with csv_rows(path) as rows:
        header = last = next(rows, [])
        count = 0
        for row in rows:
            count += bool(row)
            last = row or last
            if max_rows is not None and count >= max_rows:
                break
        else:
            if last and ends_open(last[-1].encode(), partial(tail_of, path)):
                raise InputUnreadable(OPEN, hint=CLOSE)
    if not any(header):
        raise InputUnreadable("the first line holds no column names")
    return Shape(columns=tuple(header), rows=count)


@contextmanager
def csv_rows(path: Path) -> Iterator[Iterator[list[str]]]:
    """The rows of a CSV, its header first, as fields. Raises InputUnreadable."""
    with _csv_text(path) as text:
        first = text.readline(MAX_HEADER)
        if "\0" in first:
            raise InputUnreadable("the file is neither CSV nor Parquet")
        if len(first) == MAX_HEADER:
            raise InputUnreadable("the first line is longer than 1 MiB")
        text.seek(0)
        yield csv.reader(text, delimiter=sniff(first))


@contextmanager
def _csv_text(path: Path) -> Iterator[io.TextIOWrapper]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError:
        raise InputUnreadable("the file is not UTF-8 text", hint="save it as UTF-8") from None
    except csv.Error:
        raise InputUnreadable("the file is not a readable CSV", hint="check its quotation marks") from None
    except OSError as error:
        raise InputUnreadable(f"the file cannot be opened ({error.strerror or 'unknown reason'})") from None


def sniff(header: str) -> str:
    """Delimiter of a CSV: the one most frequent in the header outside quotes, comma if there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=lambda mark: (bare.count(mark), -DELIMITERS.index(mark)))
