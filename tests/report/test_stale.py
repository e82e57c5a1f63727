"""What people read when the reviewed plan is not the plan any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.reviewed import equal, moved, read
from avatar_gitops.plan.select import Selection
from avatar_gitops.plan.serial import document
from avatar_gitops.report.stale import hint, message, rest
from avatar_gitops.spec.project import Prune
from tests.support.planning import PROJECT, a_lock, a_version, an_input, wish

Golden = Callable[[str, str], None]
SETS: dict[str, dict[str, Any]] = {
    "patients-2026q3": {"table": {"avatarization": {"k": 15}}},
    "lab-2026q2": {"table": {"avatarization": {"k": 10}}},
    "claims-2025": {"metadata": {"owner": "a"}},
    "sites": {},
}


def made(later: bool, *select: str) -> Plan:
    """A plan as it was reviewed, and what became of it later."""
    before = {name: wish(name) for name in ("patients-2026q3", "lab-2026q2", "claims-2025", "visits-2024q4", "sites")}
    versions = {name: a_version(item) for name, item in before.items()}
    locks = {name: a_lock(item, versions[name]) for name, item in before.items()}
    desired = {name: wish(name, **more) for name, more in SETS.items()}
    desired["iris-demo"] = wish("iris-demo")
    if later:
        desired["patients-2026q3"] = wish("patients-2026q3", table={"avatarization": {"k": 12}}, seed=3)
        done = a_version(desired["lab-2026q2"], 2)
        versions["lab-2026q2"], locks["lab-2026q2"] = done, a_lock(desired["lab-2026q2"], done)
        del versions["visits-2024q4"], locks["visits-2024q4"]
        desired["iris-demo"] = wish("iris-demo", data=an_input("b"))
        desired["sites"] = wish("sites", pia={"language": "fr"})
    options = Options(prune=Prune.OWNED, selection=Selection(select))
    commit = ("b" if later else "a") * 40
    return plan(list(desired.values()), Observed("prod", tuple(versions.values())), locks, options, PROJECT, commit)


def test_what_moved_is_told_with_its_reason(golden: Golden) -> None:
    content = json.loads(json.dumps(document(made(False))))
    now = made(True)
    shown = message(
        "the approved plan is no longer the plan", read(content), now, moved(content, now), equal(content, now)
    )
    next_step = hint("plan.json", equal(content, now))
    golden("plan/stale.txt", f"{shown}\n{next_step}\n\n{rest(moved(content, now), now)}\n")


def test_without_anything_equal_only_a_new_plan_helps() -> None:
    assert hint("plan.json", ()) == hint("", ("ants",)) == "read the new plan: avatar-gitops plan"
    assert rest((), made(True)) == ""


def test_another_server_is_named() -> None:
    now = made(False)
    content = {**document(now), "server": "staging", "project": "else"}
    shown = message("stale", read(content), now, moved(content, now), ())
    assert "server    staging -> prod" in shown
    assert "project   else -> hospital" in shown


def test_sets_that_were_not_selected_are_not_called_gone() -> None:
    content = document(made(False))
    now = made(False, "iris-demo")
    assert "lab-2026q2        relaunch -> nothing to do   (not selected now)" in rest(moved(content, now), now)
