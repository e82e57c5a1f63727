"""The audit log: a chain in which every change of the files is found, and which crashes do not break."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.audit.entry import Entry, Override, Phase
from avatar_gitops.audit.log import append
from avatar_gitops.audit.verify import verify

BEGIN = datetime(2026, 10, 30, 12, tzinfo=UTC)
Files = dict[str, bytes]


def entry(number: int) -> Entry:
    return Entry(
        phase=Phase.BEGUN,
        command="apply",
        run=f"run-{number}",
        actor="ana",
        project="clinic",
        plan="sha256:" + f"{number:064x}",
        sets={f"set-{number}": "launch"},
        overrides=(Override("--force", reason=f"reason {number}"),),
    )


def written(root: Path, count: int = 6) -> Path:
    """A log of some lines over two months."""
    for number in range(count):
        append(root, entry(number), BEGIN + timedelta(hours=12 * number))
    return root


def files(root: Path) -> Files:
    return {path.name: path.read_bytes() for path in sorted((root / "audit").iterdir())}


def restore(root: Path, content: Files) -> None:
    for name, data in content.items():
        (root / "audit" / name).write_bytes(data)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("log"))


def test_what_is_written_is_whole(log: Path) -> None:
    found = verify(log)
    assert found.ok
    assert found.notes == ()
    assert [line["seq"] for line in found.entries] == [1, 2, 3, 4, 5, 6]
    assert sorted(files(log)) == ["2026-10.jsonl", "2026-11.jsonl", "head.json"]
    assert found.entries[2]["overrides"] == [{"option": "--force", "value": "", "reason": "reason 2"}]


def test_no_log_is_an_empty_log(tmp_path: Path) -> None:
    assert verify(tmp_path).ok
    assert verify(tmp_path).entries == ()


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10**9), other=st.integers(1, 255))
def test_any_changed_byte_is_found(log: Path, place: int, other: int) -> None:
    content = files(log)
    names = sorted(content)
    name = names[place % len(names)]
    at = (place // len(names)) % len(content[name])
    changed = bytearray(content[name])
    changed[at] = (changed[at] + other) % 256
    try:
        (log / "audit" / name).write_bytes(changed)
        assert not verify(log).ok, (name, at)
    finally:
        restore(log, content)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 10**9), new=st.none() | st.binary(min_size=1, max_size=3))
def test_any_removed_or_added_byte_is_found(log: Path, place: int, new: bytes | None) -> None:
    content = files(log)
    names = sorted(content)
    name = names[place % len(names)]
    data = content[name]
    at = (place // len(names)) % len(data)
    try:
        (log / "audit" / name).write_bytes(data[:at] + (new or b"") + data[at + (new is None) :])
        assert not verify(log).ok, (name, at)
    finally:
        restore(log, content)


Change = Callable[[list[bytes]], list[bytes]]
CHANGES: dict[str, Change] = {
    "first line removed": lambda lines: lines[1:],
    "line in the middle removed": lambda lines: lines[:1] + lines[2:],
    "two lines swapped": lambda lines: [lines[1], lines[0], *lines[2:]],
    "line repeated": lambda lines: [*lines[:1], lines[0], *lines[1:]],
    "empty line": lambda lines: [*lines[:1], b"\n", *lines[1:]],
    "text": lambda lines: [*lines[:1], b"nothing to see\n", *lines[1:]],
    "empty file": lambda lines: [],
}


@pytest.mark.parametrize("name", ["2026-10.jsonl", "2026-11.jsonl"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_lines_that_are_removed_moved_or_added_are_found(log: Path, name: str, change: Change) -> None:
    content = files(log)
    try:
        lines = content[name].splitlines(keepends=True)
        (log / "audit" / name).write_bytes(b"".join(change(lines)))
        assert not verify(log).ok
    finally:
        restore(log, content)


@pytest.mark.parametrize("name", ["2026-10.jsonl", "2026-11.jsonl", "head.json"])
def test_a_removed_file_is_found(tmp_path: Path, name: str) -> None:
    (written(tmp_path) / "audit" / name).unlink()
    assert not verify(tmp_path).ok


def test_lines_cut_off_at_the_end_are_found(tmp_path: Path) -> None:
    path = written(tmp_path) / "audit" / "2026-11.jsonl"
    for _ in range(2):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
        found = verify(tmp_path)
        assert "head.json" in found.broken
        assert "removed at the end" in found.broken


def test_the_first_broken_line_is_named(tmp_path: Path) -> None:
    path = written(tmp_path) / "audit" / "2026-10.jsonl"
    path.write_text(path.read_text().replace("reason 1", "reason x").replace("reason 2", "reason x"))
    found = verify(tmp_path)
    assert found.broken.startswith("audit/2026-10.jsonl:2: it was changed")
    assert len(found.entries) == 1


def test_a_line_that_says_something_else_with_a_digest_of_its_own_is_found(tmp_path: Path) -> None:
    from avatar_gitops.audit.entry import line_bytes, line_digest

    path = written(tmp_path) / "audit" / "2026-10.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    forged = json.loads(lines[1]) | {"actor": "bob"}
    lines[1] = line_bytes(forged | {"digest": line_digest(forged)})
    path.write_bytes(b"".join(lines))
    assert verify(tmp_path).broken.startswith("audit/2026-10.jsonl:3:")


def test_a_line_torn_by_a_crash_at_any_byte_is_outlived(tmp_path: Path) -> None:
    before = files(written(tmp_path, 5))
    append(tmp_path, entry(5), BEGIN + timedelta(hours=60))
    after = files(tmp_path)
    new = after["2026-11.jsonl"][len(before["2026-11.jsonl"]) :]
    random.seed(4)
    for length in [*sorted(random.sample(range(1, len(new) - 1), 25)), len(new) - 1]:
        restore(tmp_path, before)
        (tmp_path / "audit" / "2026-11.jsonl").write_bytes(before["2026-11.jsonl"] + new[:length])
        assert not verify(tmp_path).ok
        append(tmp_path, entry(7), BEGIN + timedelta(hours=72))
        found = verify(tmp_path)
        assert found.ok, (length, found.broken)
        whole = length == len(new) - 1
        assert len(found.entries) == (7 if whole else 6)
        assert ("a crash tore this line" in " ".join(found.notes)) is not whole


def test_a_torn_line_at_the_end_of_a_month_is_outlived(tmp_path: Path) -> None:
    path = written(tmp_path, 3) / "audit" / "2026-10.jsonl"
    path.write_bytes(path.read_bytes() + b'{"actor":"an')
    append(tmp_path, entry(3), BEGIN + timedelta(days=3))
    found = verify(tmp_path)
    assert found.ok, found.broken
    assert found.notes[0].startswith("audit/2026-10.jsonl:4: a crash tore this line")


def test_a_crash_before_the_head_is_written_is_told_and_repaired(tmp_path: Path) -> None:
    head = written(tmp_path, 3) / "audit" / "head.json"
    old = head.read_bytes()
    append(tmp_path, entry(3), BEGIN + timedelta(hours=30))
    head.write_bytes(old)
    found = verify(tmp_path)
    assert found.ok
    assert "one line behind" in found.notes[0]
    append(tmp_path, entry(4), BEGIN + timedelta(hours=31))
    assert verify(tmp_path).notes == ()


HEADS = {
    "no-number": b'{"seq": NaN}',
    "canonical-form": b'{"digest":"","seq":NaN}\n',
    "deep": b"[" * 100_000,
    "deep-object": b'{"a":' * 900 + b"1" + b"}" * 900 + b"\n",
    "surrogate": b'{"digest":"\\ud800","seq":1}\n',
    "digits": b'{"seq": ' + b"9" * 5000 + b"}",
    "not-text": b"\xff\xfe",
    "list": b"[]\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_nobody_wrote_is_told_as_changed(tmp_path: Path, head: bytes) -> None:
    (written(tmp_path, 3) / "audit" / "head.json").write_bytes(head)
    assert "head.json: it does not name the last line" in verify(tmp_path).broken
    append(tmp_path, entry(3), BEGIN + timedelta(days=3))
    assert verify(tmp_path).ok, "the next line writes the head again"


LAST_LINES = {
    "object": b'{"a":1}',
    "no-number": b'{"a":NaN}',
    "number-of-no-line": b'{"digest":"sha256:' + b"0" * 64 + b'","seq":' + b"9" * 30 + b"}",
    "surrogate": b'{"digest":"\\ud800","seq":9}',
    "deep": b'{"a":' * 900 + b"1" + b"}" * 900,
}


@pytest.mark.parametrize("ending", [b"", b"\n"], ids=["open", "closed"])
@pytest.mark.parametrize("line", LAST_LINES.values(), ids=LAST_LINES.keys())
def test_a_last_line_that_nobody_wrote_stops_no_command_and_stays_found(
    tmp_path: Path, line: bytes, ending: bytes
) -> None:
    path = written(tmp_path, 3) / "audit" / "2026-10.jsonl"
    path.write_bytes(path.read_bytes() + line + ending)
    assert not verify(tmp_path).ok
    append(tmp_path, entry(3), BEGIN + timedelta(days=3))
    assert verify(tmp_path).broken.startswith("audit/2026-10.jsonl:4: it was changed")
