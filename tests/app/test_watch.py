"""The rhythm of `watch`: one round after the other, longer pauses without a server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from avatar_gitops.app.watch import LONGEST_PAUSE, Rhythm, Round, watch
from avatar_gitops.errors import Locked, RemoteUnavailable, UsageError
from avatar_gitops.plan.drift import Drift, Finding, Kind
from avatar_gitops.plan.model import Action, Change, Plan, Reason
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.report.watch import ended, refused, waits
from tests.support.http import StillClock

DOWN = Round(error=RemoteUnavailable("no answer"))
LOCKED = Round(error=Locked("another apply", code="R008", hint="wait"))
CALM = Round()


def rounds(script: list[Round], rhythm: Rhythm) -> tuple[list[Round], list[float]]:
    """Do these rounds, then press Ctrl-C; what was told, and how long the pauses were."""
    told: list[Round] = []
    clock = StillClock()
    left = iter(script)

    def look() -> Round:
        try:
            return next(left)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        watch(look, rhythm, told.append, clock)
    return told, clock.slept


def test_pauses_get_longer_without_a_server_and_short_again_with_it() -> None:
    script = [CALM, DOWN, DOWN, DOWN, CALM, LOCKED, CALM]
    told, slept = rounds(script, Rhythm(300, 0))
    assert told == script
    assert slept == [300, 600, 1200, 2400, 300, 300, 300]
    _, long = rounds([DOWN] * 9, Rhythm(300, 0))
    assert max(long) == LONGEST_PAUSE
    _, longer = rounds([DOWN], Rhythm(2 * LONGEST_PAUSE, 0))
    assert longer == [2 * LONGEST_PAUSE]


def test_jitter_only_adds() -> None:
    _, slept = rounds([CALM] * 20, Rhythm(60, 30))
    assert all(60 <= pause <= 90 for pause in slept)
    assert len(set(slept)) > 1


def test_a_wrong_call_ends_at_once() -> None:
    with pytest.raises(UsageError):
        watch(lambda: Round(error=UsageError("no project")), Rhythm(1, 0), lambda found: None, StillClock())


def plan(*changes: Change) -> Plan:
    return Plan("hospital", "prod", changes)


def drift(*findings: Finding) -> Drift:
    return Drift("hospital", "prod", 2, findings)


def test_what_is_said(golden: Callable[[str, str], None]) -> None:
    new = Change("ants", Action.LAUNCH, Reason.NEW, "configs/ants.yaml")
    calm = Change("bees", Action.UNCHANGED, Reason.NOTHING_CHANGED, "configs/bees.yaml")
    gone = Finding("bees", Kind.MISSING, "the published run is not on the server any more", "configs/bees.yaml")
    many = [Change(f"set-{number}", Action.LAUNCH, Reason.NEW, "") for number in range(25)]
    texts = [
        waits(plan(calm), drift()),
        waits(plan(new, calm), drift(gone), ["ants"]),
        waits(plan(*many), drift()),
        ended(
            plan(new, calm),
            [
                Outcome("ants", Action.LAUNCH, State.PUBLISHED),
                Outcome("cats", Action.LAUNCH, State.FAILED, "standard failed"),
            ],
            drift(),
        ),
        refused(Locked("another apply holds the lease\n   by        run 118", code="R008", hint="wait")),
        refused(RemoteUnavailable("no answer", code="R009")),
    ]
    golden("cli/watch.txt", "".join("\n    ".join(lines) + "\n" for lines in texts))
