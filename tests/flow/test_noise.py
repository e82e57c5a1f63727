"""Noise through the command line: measured on the embedded platform, kept beside the spec, nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from avatar_gitops.app.loading import load
from avatar_gitops.plan.noise import family
from avatar_gitops.workspace.noise import read_noise
from tests.support.flow import Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]


def test_the_band_of_a_set_is_measured_and_belongs_to_its_parameters(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name = unique("noise")
    cli.spec(name)
    made = cli("noise", name, "--seeds", "3")
    assert made.code == 0, made.text
    assert "3 seeds" in made.out
    assert f"Next: git add configs/{name}.noise.yaml" in made.out
    assert "3 of 3 runs" in made.err
    band = read_noise(cli.root, f"configs/{name}.yaml", name)
    assert band is not None
    (item,) = load(cli.root).desired
    assert band.family == family(item)
    assert band.engine
    assert 7 in band.seeds
    spread = band.spread("people", "local_cloaking")
    assert spread is not None
    assert spread.n == 3
    assert spread.sd > 0
    assert platform.jobs(name) == []
    assert cli("validate").code == 0

    again = cli("noise", name, "--seeds", "3", "--format", "json", "-q", "--server", "env")
    assert again.code == 0, again.text
    (one,) = json.loads(again.out)["sets"]
    assert one["metrics"]["people"]["local_cloaking"]["sd"] == pytest.approx(spread.sd, rel=1e-5)
    assert platform.jobs(name) == []


def test_a_set_without_spec_and_a_run_that_fails_are_told(cli: Cli, unique: Unique) -> None:
    name = unique("badnoise")
    cli.spec(name, more="      columns: {city: {type: datetime}}\n")
    unknown = cli("noise", name[:-1])
    assert unknown.code == 64
    assert f"did you mean `{name}`?" in unknown.err
    failed = cli("noise", name, "--seeds", "3")
    assert failed.code == 1
    assert f"{name}: could not be measured: standard failed" in failed.err
    assert not (cli.root / "configs" / f"{name}.noise.yaml").exists()
