"""Measured noise on paper."""

from __future__ import annotations

import json
from collections.abc import Callable

from avatar_gitops.plan.noise import Family, NoiseBand, Spread
from avatar_gitops.report.noise import as_data, render, to_json

BAND = NoiseBand(
    set="patients",
    family=Family("", "", ""),
    engine="avatar-gitops-engine/0.1.0",
    seeds=(1, 2, 3, 4),
    metrics={"patients": {"hellinger_mean": Spread(0.0621, 0.0031, 4), "hidden_rate": Spread(91.2, 0.9, 2)}},
)


def test_text_and_json(golden: Callable[[str, str], None]) -> None:
    golden("preview/noise.txt", render(BAND))
    golden("preview/noise.json", to_json([as_data(BAND, "configs/patients.noise.yaml")]) + "\n")
    assert render(BAND, ascii_only=True).isascii()
    assert (
        json.loads(to_json([as_data(BAND, "x")]))["sets"][0]["metrics"]["patients"]["hidden_rate"]["tolerance"] is None
    )


def test_several_tables_are_told_apart() -> None:
    two = NoiseBand("s", BAND.family, "", (1, 2, 3), {name: {"hidden_rate": Spread(1, 0, 3)} for name in ("a", "b")})
    assert "a.hidden_rate" in render(two)
    assert "b.hidden_rate" in render(two)
    assert "engine unknown" in render(two)
