"""Archives and folders that are made to harm whoever opens them, or that are not as they were written."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_gitops.app.verifying import verify_bundle
from avatar_gitops.audit import archive
from tests.support.evidence import BUNDLE, OUT, TRUSTED, named


def archived(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content)
    return target.getvalue()


def linked() -> bytes:
    entry = zipfile.ZipInfo("SHA256SUMS")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return archived((entry, b"/etc/passwd"))


def overlapping() -> bytes:
    """Two entries of the list that are the same bytes of the file."""
    content = bytearray(archived(("a.md", b"x" * 4096), ("b.md", b"y" * 4096)))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as found:
        start = found.start_dir
    second = content.index(b"PK\x01\x02", start + 4)
    content[second + 24 : second + 28] = content[second + 20 : second + 24] = struct.pack("<I", 1 << 28)
    return bytes(content)


def marked(at: int, value: int) -> bytes:
    """An entry that asks for something of the ZIP format: `value` at that place of its header and of the list."""
    content = bytearray(archived(("a.md", b"x")))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as found:
        start = found.start_dir
    content[4 + at] = value
    content[start + 6 + at] = value
    return bytes(content)


HARMFUL: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "traversal": (lambda: archived(("../outside.md", b"x")), "../outside.md", "leaves the bundle"),
    "absolute": (lambda: archived(("/etc/outside", b"x")), "/etc/outside", "leaves the bundle"),
    "backslash": (lambda: archived(("a\\..\\b.md", b"x")), "a\\..\\b.md", "every machine"),
    "drive": (lambda: archived(("C:/a.md", b"x")), "C:/a.md", "every machine"),
    "blank": (lambda: archived(("a .md /b", b"x")), "a .md /b", "some machines drop"),
    "unicode": (lambda: archived(("e\u0301.md", b"x")), "e\u0301.md", "several ways"),
    "folder": (lambda: archived(("a/", b"")), "a/", "no regular file"),
    "collision": (lambda: archived(("A.md", b"x"), ("a.md", b"y")), "a.md", "the same file as A.md"),
    "bomb": (lambda: archived(("a.md", b"\0" * (1 << 20)), method=zipfile.ZIP_DEFLATED), "a.md", "it is compressed"),
    "link": (linked, "SHA256SUMS", "no regular file"),
    "overlap": (overlapping, "b.md", ""),
    "patched": (lambda: marked(2, 1 << 5), "bundle.zip", "not a whole archive"),
    "encrypted strongly": (lambda: marked(2, 1 << 6), "bundle.zip", "not a whole archive"),
    "of a later format": (lambda: marked(0, 99), "bundle.zip", "not a whole archive"),
    "noise": (lambda: b"PK\x03\x04" + b"x" * 100, "bundle.zip", "not a whole archive"),
    "empty": (lambda: b"", "bundle.zip", "not a whole archive"),
}


@pytest.mark.parametrize("case", HARMFUL)
def test_a_harmful_archive_is_refused(case: str, tmp_path: Path) -> None:
    content, name, why = HARMFUL[case]
    path = tmp_path / "bundle.zip"
    path.write_bytes(content())
    found = verify_bundle(path, TRUSTED)
    assert found.exit_code(allow_unsigned=True) == 1
    assert any(why in one.message for one in found.findings if name in {one.file, "b.md"}), found.findings
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(archived(("a.md", b"x"), ("a.md", b"y")))
    assert [one.message for one in verify_bundle(path, {}).findings] == ["the archive has it twice"]


def test_bytes_before_or_behind_the_archive_are_found(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    for content in (b"#!/bin/sh\n" + BUNDLE.read_bytes(), BUNDLE.read_bytes() + b"\0"):
        path.write_bytes(content)
        assert not verify_bundle(path, TRUSTED).whole


def test_a_folder_is_read_without_following_links(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    with zipfile.ZipFile(BUNDLE) as found:
        found.extractall(folder)
    assert verify_bundle(folder, TRUSTED).exit_code(allow_unsigned=False) == 0
    summary = folder / OUT / "summary.md"
    shutil.move(summary, tmp_path / "summary.md")
    summary.symlink_to(tmp_path / "summary.md")
    assert f"{OUT}/summary.md" in named(verify_bundle(folder, TRUSTED))


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    assert "which no bundle is" in verify_bundle(BUNDLE, TRUSTED).findings[0].message
