"""Bundles as files: one archive with the same bytes for the same content, read so that no archive can do harm.

Entries are stored, not compressed: compressed bytes differ between versions of zlib, and what is not compressed cannot
unfold into more than the file holds. An archive is one that `packed` writes, byte for byte, or it is told where not.
"""

from __future__ import annotations

import io
import os
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from avatar_gitops.errors import UsageError

MOST_FILES: Final = 50_000
MOST_BYTES: Final = 1 << 30
LONGEST_NAME: Final = 400
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
REGULAR: Final = 0o100644
FORBIDDEN: Final = frozenset('\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written: the file, and what is wrong with it; no value of any data."""

    file: str
    message: str


def guarded(file: str, checks: Iterator[Finding]) -> Iterator[Finding]:
    """What checks find; where a document is of a form that they do not expect, that is a finding of its own."""
    try:
        yield from checks
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        yield Finding(file, "it does not have the form in which avatar-gitops writes it")


@dataclass(frozen=True, slots=True)
class Opened:
    """The files of a bundle by their path, what is wrong with its wrapping, and the bytes of the archive, if it is one.

    `fatal` = it must not be read any further.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    archive: bytes | None = None
    fatal: bool = False


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of some files: sorted, stored, without times, owners and rights of a machine."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = REGULAR << 16
            archive.writestr(entry, files[name])
    return target.getvalue()


def opened(path: Path) -> Opened:
    """The files of a bundle, an archive or a folder. Raises UsageError when there is nothing that can be read."""
    if not path.exists():
        raise UsageError(
            f"{path} does not exist", hint="name a bundle: a .zip file, or the folder that it was unpacked to"
        )
    try:
        return _folder(path) if path.is_dir() else _archive(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or 'unknown reason'})") from None


def bad_name(name: str) -> str:
    """Why a path may not stand in a bundle; empty when it may."""
    parts = name.split("/")
    if len(name) > LONGEST_NAME:
        return "its path is too long"
    if any(part in {"", ".", ".."} for part in parts):
        return "its path leaves the bundle, or does not name a file inside of it"
    if any(letter in FORBIDDEN or unicodedata.category(letter)[0] == "C" for letter in name):
        return "its path has signs that do not mean the same on every machine"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "its path has blanks or dots at an end, which some machines drop"
    return "" if unicodedata.normalize("NFC", name) == name else "its path can be written in several ways"


def collisions(names: Iterator[str]) -> Iterator[Finding]:
    """Paths that are one file on machines that do not tell capitals."""
    seen: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", name.casefold())
        if folded in seen:
            yield Finding(name, f"on some machines it is the same file as {seen[folded]}")
        seen[folded] = name


def _archive(path: Path) -> Opened:
    if path.stat().st_size > MOST_BYTES:
        return _fatal(path.name, f"it is larger than {MOST_BYTES >> 20} MiB, which no bundle is")
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            refused = list(_refusals(archive, len(content)))
            if refused:
                return Opened(findings=tuple(refused), archive=content, fatal=True)
            files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as problem:
        return _damaged(path.name, content, problem)
    return Opened(files, tuple(_rewritten(path.name, content, files)), content)


def _refusals(archive: zipfile.ZipFile, size: int) -> Iterator[Finding]:
    """Why an archive is not unpacked at all."""
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        yield Finding(entries[0].filename, f"the archive has more than {MOST_FILES} entries")
        return
    seen: set[str] = set()
    for entry in entries:
        why = bad_name(entry.filename)
        mode = entry.external_attr >> 16
        if entry.filename in seen:
            why = "the archive has it twice"
        elif entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            why = "it is compressed; in a bundle nothing is, so that nothing can unfold"
        elif entry.flag_bits & 0x1:
            why = "it is encrypted"
        elif mode and mode & 0o170000 not in {0, 0o100000}:
            why = "it is no regular file"
        if why:
            yield Finding(_shown(entry.filename), why)
        seen.add(entry.filename)
    if sum(entry.file_size for entry in entries) > size:
        yield Finding(_shown(entries[0].filename), "entries of the archive overlap: they say to be larger than it is")
    yield from collisions(iter(dict.fromkeys(entry.filename for entry in entries)))


def _rewritten(name: str, content: bytes, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Where an archive is not the one that is made of its own files."""
    expected = packed(files)
    if content == expected:
        return
    at = next(
        (place for place, (one, other) in enumerate(zip(content, expected, strict=False)) if one != other),
        min(len(content), len(expected)),
    )
    inside = _entry_at(expected, at)
    place = f"around its entry {inside}" if inside else "behind its last entry"
    text = f"the archive itself was changed at byte {at}, {place}; unpack it and verify the folder to judge its files"
    yield Finding(inside or name, text)


def _entry_at(archive: bytes, at: int) -> str:
    """The entry whose header or content is at a place; empty behind the last."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        before = [entry for entry in found.infolist() if entry.header_offset <= at < found.start_dir]
        return before[-1].filename if before else ""


def _damaged(name: str, content: bytes, problem: Exception) -> Opened:
    """An archive that cannot be read; the entry is named when the reader knows it."""
    text = str(problem)
    inside = text.partition("'")[2].rpartition("'")[0] if "CRC" in text else ""
    why = "its bytes are not those that the archive was made of" if inside else "it is not a whole archive"
    return Opened(findings=(Finding(_shown(inside) or name, why),), archive=content, fatal=True)


def _folder(root: Path) -> Opened:
    files: dict[str, bytes] = {}
    found: list[Finding] = []
    total = 0
    for place, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(place) / name
            shown = path.relative_to(root).as_posix()
            why = "it is no regular file" if path.is_symlink() or not path.is_file() else bad_name(shown)
            if why:
                found.append(Finding(_shown(shown), why))
                continue
            total += path.stat().st_size
            if total > MOST_BYTES or len(files) >= MOST_FILES:
                return _fatal(_shown(shown), "the folder is larger than any bundle")
            files[shown] = path.read_bytes()
    found += collisions(iter(files))
    return Opened(files, tuple(found))


def _fatal(name: str, message: str) -> Opened:
    return Opened(findings=(Finding(name, message),), fatal=True)


def _shown(name: str) -> str:
    """A path of unknown origin without signs that a terminal would obey."""
    return "".join(letter if unicodedata.category(letter)[0] != "C" else "?" for letter in name)[:LONGEST_NAME]
