"""The history of applies: how each ended, what did not end well, what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from avatar_gitops.report.history import Entry, render, to_json

CALM = Entry(
    begun="2026-09-17T09:02:11.123456+00:00",
    plan="sha256:" + "ab12cd34" * 8,
    server="prod",
    commit="4f2a91c0ffee",
    sets={"ants": "published", "bees": "deleted"},
    actions={"ants": "launch", "bees": "delete"},
    outcome={"published": 1, "deleted": 1},
)
BAD = replace(
    CALM,
    begun="2026-09-18T09:02:11+00:00",
    commit="",
    sets={"ants": "gate_failed", "bees": "not ended", "cats": "published"},
    outcome={"gate_failed": 1, "not ended": 1, "published": 1},
    force="site B closes, OPS-88",
)


def test_history(golden: Callable[[str, str], None]) -> None:
    golden("cli/history.txt", render([BAD, CALM]) + "\n" + render([]))
    golden("cli/history.json", to_json([BAD, CALM]))
    assert render([BAD], ascii_only=True).isascii()


def test_what_comes_next_depends_on_the_last_apply() -> None:
    assert "Next:" not in render([CALM, BAD])
    failed = replace(CALM, sets={"ants": "failed"}, outcome={"failed": 1})
    assert "Next: avatar-gitops retry" in render([failed])
    assert "Next: avatar-gitops resume" in render([BAD])
