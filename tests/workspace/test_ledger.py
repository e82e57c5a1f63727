"""Ledger and noise files: what is written is read again, what is damaged is named, nothing is written twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.ledger import Ledger, Release
from avatar_gitops.plan.noise import Family, NoiseBand, Spread
from avatar_gitops.workspace.ledger import append_releases, ledger_path, parse_ledger, read_ledger
from avatar_gitops.workspace.noise import noise_path, parse_noise, read_noise, write_noise

D = "sha256:" + "a" * 64
RELEASE = Release(
    set="people",
    table="people",
    source="data/people.csv",
    data=D,
    rows="1k-10k",
    columns=("age", "ward"),
    recipient="opendata",
    method="open_dp epsilon 1.5",
    epsilon=1.5,
    parameters=D,
    run="r1",
    job="j1",
    avatars=D,
    when="2026-05-01T10:00:00+00:00",
    commit="c" * 40,
    approved_by=("dpo",),
)
BAND = NoiseBand(
    "people", Family(D, D, D), "engine 1", (1, 2, 3), {"people": {"hidden_rate": Spread(93.123456, 0.5, 3)}}
)


def test_releases_are_read_as_they_were_written_one_file_per_source(tmp_path: Path, golden: object) -> None:
    other = replace(RELEASE, source="s3://bucket/Ward Data.parquet", epsilon=None, approved_by=())
    append_releases(tmp_path, [RELEASE, other])
    assert set(read_ledger(tmp_path)) == {RELEASE, other}
    names = sorted(path.name for path in (tmp_path / "ledger").iterdir())
    assert [name[:-14] for name in names] == ["Ward-Data", "people"]
    assert callable(golden)
    golden("workspace/ledger.yaml", ledger_path(tmp_path, RELEASE.source).read_text(encoding="utf-8"))


def test_the_same_release_again_changes_nothing_and_another_one_is_added(tmp_path: Path) -> None:
    append_releases(tmp_path, [RELEASE])
    path = ledger_path(tmp_path, RELEASE.source)
    before = path.read_bytes()
    append_releases(tmp_path, [replace(RELEASE, run="r2", when="2026-06-01T10:00:00+00:00")])
    assert path.read_bytes() == before
    append_releases(tmp_path, [replace(RELEASE, avatars="sha256:" + "b" * 64, run="r2")])
    assert len(read_ledger(tmp_path)) == 2
    assert path.read_text(encoding="utf-8").startswith(before.decode())


def test_the_same_avatars_for_somebody_else_are_on_record_and_no_release_more(tmp_path: Path) -> None:
    append_releases(tmp_path, [RELEASE, replace(RELEASE, recipient="internal")])
    releases = read_ledger(tmp_path)
    assert [release.recipient for release in releases] == ["opendata", "internal"]
    (source,) = Ledger(releases).sources()
    assert (len(source.distinct), source.epsilon) == (1, 1.5)


def test_a_project_without_releases_has_none(tmp_path: Path) -> None:
    assert read_ledger(tmp_path) == ()


@pytest.mark.parametrize("parse", [parse_ledger, parse_noise])
@pytest.mark.parametrize("content", [b"", b"[", b"version: 1\nsource: SECRET\n", b"\xff", b"- SECRET\n"])
def test_a_damaged_file_is_named_and_not_quoted(parse: object, content: bytes) -> None:
    assert callable(parse)
    with pytest.raises(IntegrityError, match="some/file") as raised:
        parse(content, "some/file.yaml")
    assert "SECRET" not in str(raised.value)


def test_a_band_is_read_as_it_was_written(tmp_path: Path, golden: object) -> None:
    (tmp_path / "configs").mkdir()
    assert read_noise(tmp_path, "configs/people.yaml", "people") is None
    path = write_noise(tmp_path, "configs/people.yaml", BAND)
    assert path == noise_path(tmp_path, "configs/people.yaml") == tmp_path / "configs" / "people.noise.yaml"
    read = read_noise(tmp_path, "configs/people.yaml", "people")
    assert read is not None
    assert read.spread("people", "hidden_rate") == Spread(93.1235, 0.5, 3)
    assert replace(read, metrics=BAND.metrics) == BAND
    assert callable(golden)
    golden("workspace/noise.yaml", path.read_text(encoding="utf-8"))
