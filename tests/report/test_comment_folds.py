"""The folds of a comment: what a change means, and which statements of the privacy impact assessment it alters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from avatar_gitops.plan.lock import Applied as Allowed
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, FieldChange, Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.policy.model import Finding, Level, PolicyReport
from avatar_gitops.report import comment_meaning, comment_pia
from avatar_gitops.report.comment import Origin, plan_comment, policy_block
from avatar_gitops.report.comment_applied import Applied, Finished, applied_comment
from avatar_gitops.spec import fields
from avatar_gitops.spec.fields import Consequence, Privacy
from tests.support.blocks import PLANS
from tests.support.planning import PROJECT, a_lock, a_version, an_input, wish

Golden = Callable[[str, str], None]
HEALTH = {"purpose": "Quality of care", "data_type": "health", "data_recipient": "internal", "retention": "5 years"}
OPEN = {"data_type": "health", "data_recipient": "opendata", "sensitivity_level": "High", "language": "fr"}


def shown(folds: Iterator[tuple[str, tuple[str, ...]]]) -> str:
    return "".join("\n".join((f"## {title}", "", *lines, "")) + "\n" for title, lines in folds)


def changed() -> Plan:
    """Published sets whose statements change, one that only runs again, one that is new."""
    before = [
        wish("registry", pia=HEALTH, table={"privacy_metrics": {"known_variables": ["age"]}}),
        wish("budget", table={"avatarization": {"open_dp": {"epsilon": 3}}}),
        wish("fresh"),
    ]
    after = [
        wish(
            "registry",
            pia=OPEN,
            metadata={"owner": "a|<b>"},
            table={
                "columns": {"city": {"drop": True}},
                "avatarization": {"k": 12, "ncp": 4},
                "privacy_metrics": {"known_variables": ["age", "sex"], "target": "city"},
            },
        ),
        wish("budget", table={"avatarization": {"open_dp": {"epsilon": 5}}}),
        wish("fresh", data=an_input("b")),
        wish("new"),
    ]
    versions = [a_version(item) for item in before]
    locks = {item.name: a_lock(item, version) for item, version in zip(before, versions, strict=True)}
    return plan(after, Observed("prod", tuple(versions)), locks, Options(), PROJECT, "4f2a91c")


def test_statements_that_change(golden: Golden) -> None:
    golden("ci/pia-folds.md", shown(comment_pia.folds(changed())))


@pytest.mark.parametrize("name", PLANS)
def test_what_changes_mean(name: str, golden: Golden) -> None:
    made = PLANS[name]()
    golden(f"ci/means-{name}.md", shown(comment_meaning.folds(made)))
    page = plan_comment(made, Origin())
    assert all(f"<summary>{title}</summary>" in page for title, _ in comment_meaning.folds(made))


def test_every_field_of_the_context_is_a_statement() -> None:
    (item,) = [change for change in changed().effective if change.set == "registry"]
    context = [row.pattern for row in fields.rows() if row.pattern[:2] == ("spec", "pia")]
    assert len(context) >= 9
    for path in context:
        only = replace(item, fields=(FieldChange(path, None, "x", Consequence.METADATA, Privacy.NEUTRAL),))
        assert len(list(comment_pia.statements(only))) == 1, path


def test_who_is_waited_for() -> None:
    def waiting(*rules: str, asked: tuple[str, ...] = ()) -> str:
        found = tuple(Finding(rule, Level.FAIL, "a", "no") for rule in rules)
        return policy_block(PolicyReport(found, asked=asked)).waiting

    assert waiting() == ""
    assert waiting("P031") == "waiting for an approval"
    assert waiting("P031", asked=("dpo", "@acme/x_y")).replace("\u200b", "") == "waiting for @dpo or @acme/x\\_y"
    assert waiting("P010", "P031", asked=("dpo",)) == "stopped by the policy"


def published(name: str, **more: object) -> Lock:
    item = wish(name)
    metrics = {"a": {"hidden_rate": 91.4, "local_cloaking": 11.0}, "b": {"hidden_rate": 99.0}}
    lock = a_lock(item, a_version(item), metrics)
    return replace(lock, noise={"a": {"hidden_rate": 0.9}, "b": {"hidden_rate": 4.0}}, **more)  # type: ignore[arg-type]


def test_an_apply_names_noise_people_and_waivers(golden: Golden) -> None:
    allowed = Allowed("sha256:" + "e" * 64, ("dpo-lead",), ("P044 dpo-lead until 2026-12-31",), ("k 20 -> 15",))
    log = "https://github.com/acme/data/actions/runs/77"
    links = {"documents": f"{log}#artifacts"}
    made = [
        Outcome("weak", Action.RELAUNCH, State.PUBLISHED, lock=published("weak", applied=allowed)),
        Outcome(
            "free", Action.RELAUNCH, State.PUBLISHED, lock=published("free", applied=replace(allowed, approved_by=()))
        ),
        Outcome("seen", Action.COLLECT, State.PUBLISHED, "the promoted preview, not run again", lock=published("seen")),
        Outcome("gone", Action.DELETE, State.DELETED, "receipt out/gone/deletion.json"),
    ]
    finished = tuple(Finished(outcome, {"a": {"hidden_rate": 93.1}}, links) for outcome in made)
    page = applied_comment(Applied(PROJECT, allowed.plan_digest, finished, ("a.martin", "dpo-lead")), Origin(log=log))
    golden("ci/applied-allowed.md", page)
