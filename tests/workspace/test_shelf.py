"""The shelf of a project: private, out of git, and never a reason to fail."""

from __future__ import annotations

import stat
from pathlib import Path

from avatar_gitops.workspace.shelf import MAX_BYTES, FolderShelf


def test_what_is_kept_is_read_back_by_its_owner_and_stays_out_of_git(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    assert shelf.read("a.json") is None
    shelf.write("a.json", b"content")
    shelf.write("a.json", b"newer")
    assert FolderShelf(tmp_path).read("a.json") == b"newer"
    assert stat.S_IMODE((tmp_path / ".avatar" / "cache" / "a.json").stat().st_mode) == 0o600
    assert (tmp_path / ".avatar" / ".gitignore").read_text() == "*\n"


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".avatar").write_text("a file where the folder should be")
    shelf = FolderShelf(tmp_path)
    shelf.write("a.json", b"content")
    assert shelf.read("a.json") is None


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    shelf.write("a.json", b"")
    with (tmp_path / ".avatar" / "cache" / "a.json").open("r+b") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert shelf.read("a.json") is None
