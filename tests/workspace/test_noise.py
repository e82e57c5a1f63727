"""Noise files: written beside the spec in stable bytes, read back, and refused when somebody damaged them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.noise import Family, NoiseBand, Spread
from avatar_gitops.workspace.discover import is_spec_name
from avatar_gitops.workspace.noise import noise_path, noise_text, parse_noise, read_noise, write_noise

FAMILY = Family("sha256:" + "a" * 64, "sha256:" + "b" * 64, "hmac-sha256:" + "c" * 64)
BAND = NoiseBand(
    set="patients",
    family=FAMILY,
    engine="avatar-gitops-engine/0.1.0",
    seeds=(1, 20, 300),
    metrics={"patients": {"local_cloaking": Spread(14.0, 0.5, 3), "hidden_rate": Spread(91.23456789, 0.0, 3)}},
)


def test_the_file_stands_beside_the_spec_and_is_no_spec(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    path = write_noise(tmp_path, "configs/health/patients.yaml", BAND)
    assert path == tmp_path / "configs/health/patients.noise.yaml"
    assert not is_spec_name(path.name)
    golden("workspace/patients.noise.yaml", path.read_text(encoding="utf-8"))
    found = read_noise(tmp_path, "configs/health/patients.yaml")
    assert found is not None
    assert found.family == FAMILY
    assert found.metrics["patients"]["hidden_rate"] == Spread(91.2346, 0.0, 3)
    assert read_noise(tmp_path, "configs/health/others.yaml") is None


def test_a_spec_that_makes_several_sets_has_a_file_for_each(tmp_path: Path) -> None:
    for name in ("a-k5", "a-k9"):
        write_noise(tmp_path, "configs/a.yaml", replace(BAND, set=name), one_of_many=True)
    assert sorted(path.name for path in (tmp_path / "configs").iterdir()) == ["a.a-k5.noise.yaml", "a.a-k9.noise.yaml"]
    for name in ("a-k5", "a-k9"):
        found = read_noise(tmp_path, "configs/a.yaml", name)
        assert found is not None
        assert found.set == name
    write_noise(tmp_path, "configs/a.yaml", replace(BAND, set="before"))
    assert read_noise(tmp_path, "configs/a.yaml", "a-k7") is None


@given(
    values=st.dictionaries(
        st.sampled_from(["hidden_rate", "local_cloaking", "x_1"]),
        st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.integers(1, 100)),
    )
)
def test_writing_and_reading_changes_nothing_once_it_is_rounded(values: dict[str, tuple[float, float, int]]) -> None:
    band = replace(BAND, metrics={"t": {name: Spread(*spread) for name, spread in values.items()}})
    text = noise_text(band)
    again = parse_noise(text.encode(), "x")
    assert noise_text(again) == text
    assert again.family == FAMILY
    assert again.seeds == BAND.seeds


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "- a\n",
        lambda text: text + "\tx: [",
        lambda text: text.replace("version: 1", "version: 2"),
        lambda text: text.replace('"n": 3', '"n": 0'),
        lambda text: text.replace("sd: 0.5", "sd: -1"),
        lambda text: text.replace("a" * 64, "a" * 63),
        lambda text: text + "secret: 12345\n",
    ],
)
def test_a_damaged_file_is_named_and_not_quoted(damage: Callable[[str], str]) -> None:
    with pytest.raises(IntegrityError, match=r"configs/a\.noise\.yaml") as raised:
        parse_noise(damage(noise_text(BAND)).encode(), "configs/a.noise.yaml")
    assert "12345" not in raised.value.message
    assert raised.value.hint is not None
    assert "avatar-gitops noise" in raised.value.hint


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    noise_path(tmp_path, "a.yaml").mkdir()
    with pytest.raises(IntegrityError, match=r"a\.noise\.yaml cannot be read"):
        read_noise(tmp_path, "a.yaml")
    path = noise_path(tmp_path, "b.yaml")
    path.write_bytes(b"x" * ((4 << 20) + 1))
    with pytest.raises(IntegrityError, match="too large"):
        read_noise(tmp_path, "b.yaml")
