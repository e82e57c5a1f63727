"""The ledger as people and machines read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from avatar_gitops.plan.ledger import Ledger, Release
from avatar_gitops.report.ledger import markdown, render, to_json
from avatar_gitops.spec.policies import LedgerLimits

Golden = Callable[[str, str], None]
FIRST = Release(
    set="patients-2025",
    table="patients",
    source="data/patients.csv",
    data="sha256:1",
    rows="1k-10k",
    columns=("age", "sex", "ward"),
    recipient="internal",
    method="k 20",
    epsilon=None,
    parameters="sha256:p",
    run="4f2a91c0-0000",
    job="j1",
    avatars="sha256:a1",
    when="2025-11-02T10:00:00+00:00",
)
LEDGER = Ledger(
    (
        FIRST,
        replace(
            FIRST,
            set="patients-open",
            source="data/copy-of-patients.csv",
            recipient="opendata",
            method="open_dp epsilon 6",
            epsilon=6.0,
            columns=("age", "sex"),
            run="77aa10b3-0000",
            avatars="sha256:a2",
            when="2026-02-01T10:00:00+00:00",
        ),
        replace(
            FIRST,
            set="patients-open",
            data="sha256:2",
            recipient="opendata",
            method="open_dp epsilon 6",
            epsilon=6.0,
            run="90bb10b3-0000",
            avatars="sha256:a3",
            when="2026-05-01T10:00:00+00:00",
        ),
        replace(FIRST, source="data/wards<b>.csv", data="sha256:9", avatars="sha256:a4", run="1111aaaa-0000"),
    ),
    limits=LedgerLimits(max_releases=2),
)


def test_the_ledger_in_all_its_forms(golden: Golden) -> None:
    golden("policy/ledger.txt", render(LEDGER))
    golden("policy/ledger.md", markdown(LEDGER))
    golden("policy/ledger.json", to_json(LEDGER))
    assert render(LEDGER, ascii_only=True).isascii()
    assert "<b>" not in markdown(LEDGER)


def test_a_project_that_released_nothing_says_so() -> None:
    assert render(Ledger()) == "Nothing was released yet.\n"
    assert "Nothing was released yet." in markdown(Ledger())
    assert json.loads(to_json(Ledger()))["sources"] == []
