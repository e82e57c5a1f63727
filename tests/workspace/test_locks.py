"""Lock files: written the same for the same lock, read strictly."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.plan.lock import Applied, GateResult, Lock
from avatar_gitops.workspace.locks import lock_path, lock_text, parse_lock, read_lock, remove_lock, write_lock
from tests.support.planning import a_lock, a_version, wish

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=15)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=15)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def sample() -> Lock:
    item = wish(seed=1, gates={"hidden_rate": ">= 90"})
    return replace(
        a_lock(item, a_version(item)),
        outputs={"summary.md": "sha256:" + "1" * 64, "avatars/patients.csv": "sha256:" + "2" * 64},
        metrics={"patients": {"hidden_rate": 93.1, "hellinger_mean": 0.062}},
        gates=(GateResult("hidden_rate", ">= 90", 93.1, True), GateResult("x", "> 1", None, False)),
    )


def test_the_text_of_a_lock(golden: Callable[[str, str], None]) -> None:
    golden("workspace/patients.lock.yaml", lock_text(sample()))


def test_a_lock_is_written_beside_its_spec_and_read_back(tmp_path: Path) -> None:
    path = write_lock(tmp_path, sample())
    assert path == tmp_path / "configs" / "patients.lock.yaml" == lock_path(tmp_path, "configs/patients.yaml")
    assert read_lock(tmp_path, "configs/patients.yaml") == sample()


def test_each_set_of_a_matrix_has_a_lock_of_its_own_and_there_is_never_a_second_one(tmp_path: Path) -> None:
    first, second = (replace(sample(), set=name) for name in ("patients-k5", "patients-k10"))
    for lock in (first, second):
        path = write_lock(tmp_path, lock, one_of_many=True)
        assert path.name == f"patients.{lock.set}.lock.yaml"
        assert path == lock_path(tmp_path, "configs/patients.yaml", lock.set)
    assert write_lock(tmp_path, first).name == "patients.lock.yaml"
    names = sorted(path.name for path in (tmp_path / "configs").iterdir())
    assert names == ["patients.lock.yaml", "patients.patients-k10.lock.yaml"]
    assert not remove_lock(tmp_path, "configs/patients.yaml", "other")
    assert remove_lock(tmp_path, "configs/patients.yaml", "patients-k10")
    assert remove_lock(tmp_path, "configs/patients.yaml", "patients-k5")
    assert list((tmp_path / "configs").iterdir()) == []


def test_there_may_be_no_lock(tmp_path: Path) -> None:
    assert read_lock(tmp_path, "configs/patients.yaml") is None


def test_noise_is_kept_and_takes_no_line_when_nobody_measured_it() -> None:
    assert "noise" not in lock_text(sample())
    noisy = replace(sample(), noise={"patients": {"hidden_rate": 0.9}})
    assert parse_lock(lock_text(noisy).encode(), "patients.lock.yaml") == noisy


def test_who_allowed_it_is_kept_and_takes_no_line_when_nobody_had_to() -> None:
    assert "applied" not in lock_text(sample())
    plain = replace(sample(), applied=Applied("sha256:" + "3" * 64))
    assert parse_lock(lock_text(plain).encode(), "patients.lock.yaml") == plain
    allowed = Applied("sha256:" + "3" * 64, ("dpo-lead",), ("P044 dpo-lead until 2026-12-31",), ("k 20 -> 15",))
    whole = replace(sample(), applied=allowed)
    assert parse_lock(lock_text(whole).encode(), "patients.lock.yaml") == whole


def reverse(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(reversed(list(values.items())))


def test_the_order_of_maps_does_not_change_the_text() -> None:
    lock = sample()
    turned = replace(
        lock,
        outputs=reverse(lock.outputs),
        jobs=reverse(lock.jobs),
        spec=reverse(lock.spec),
        metrics={table: reverse(values) for table, values in lock.metrics.items()},
    )
    assert lock_text(turned) == lock_text(lock)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(NAMES, st.lists(TEXT, max_size=3), max_size=3),
    st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS, max_size=3), max_size=2),
    st.dictionaries(NAMES, st.none() | TEXT | NUMBERS | st.booleans() | st.lists(TEXT, max_size=2), max_size=3),
    TEXT,
)
def test_every_lock_survives_the_file(
    tables: dict[str, list[str]], metrics: dict[str, dict[str, float]], spec: dict[str, Any], text: str
) -> None:
    inputs = tuple(
        TableInput(name, "sha256:" + "3" * 64, 5, tuple(columns), text) for name, columns in sorted(tables.items())
    )
    lock = replace(sample(), inputs=inputs, metrics=metrics, spec=spec, engine=text, commit=text, path=f"{text}.yaml")
    assert parse_lock(lock_text(lock).encode(), "x.lock.yaml") == lock


def change(**changes: Any) -> bytes:
    content = YAML(typ="safe", pure=True).load(lock_text(sample()))
    content.update(changes)
    kept = {key: value for key, value in content.items() if value is not None}
    out = io.StringIO()
    YAML(pure=True).dump(kept, out)
    return out.getvalue().encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "x.lock.yaml is not a lock file"),
        (b"- 1\n", "x.lock.yaml is not a lock file"),
        (b"a: [1\n", "x.lock.yaml is not a readable lock file"),
        (b"a: 1\na: 2\n", "x.lock.yaml is not a readable lock file"),
        (b"\xff\xfe", "x.lock.yaml is not a readable lock file"),
        (b"<<<<<<< HEAD\nversion: 1\n", "x.lock.yaml is not a readable lock file"),
        (change(version=None), "x.lock.yaml does not say its version"),
        (change(version="1"), "x.lock.yaml does not say its version"),
        (
            change(version=2),
            "x.lock.yaml was written by a newer avatar-gitops (version 2 of lock files, this one knows 1)",
        ),
        (change(version=0), "x.lock.yaml has version 0 of lock files, which never existed"),
        (change(engine=None), "x.lock.yaml is damaged at engine (missing)"),
        (change(surprise="CELL"), "x.lock.yaml is damaged at surprise (extra_forbidden)"),
        (change(digests={"spec": "CELL"}), "x.lock.yaml is damaged at digests.spec (string_pattern_mismatch)"),
        (
            change(metrics={"t": {"hidden_rate": float("nan")}}),
            "x.lock.yaml is damaged at metrics.t.hidden_rate (finite_number)",
        ),
    ],
)
def test_damage_is_named_with_its_file_and_place_and_no_value(content: bytes, says: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        parse_lock(content, "x.lock.yaml")
    assert str(caught.value) == says
    assert caught.value.hint
    assert "CELL" not in str(caught.value)


def test_a_newer_lock_asks_for_an_update(tmp_path: Path) -> None:
    path = lock_path(tmp_path, "configs/patients.yaml")
    path.parent.mkdir()
    path.write_bytes(change(version=7))
    with pytest.raises(IntegrityError, match=r"configs/patients.lock.yaml was written by a newer") as caught:
        read_lock(tmp_path, "configs/patients.yaml")
    assert "update avatar-gitops" in str(caught.value.hint)


def test_an_endless_file_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_gitops.workspace.locks.MAX_BYTES", 10)
    with pytest.raises(IntegrityError, match="too large"):
        parse_lock(b"#" * 11, "x.lock.yaml")
