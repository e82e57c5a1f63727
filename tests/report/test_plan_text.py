"""Plans as people read them, compared with texts that were read by people."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from avatar_gitops.errors import UnsafePlan
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Plan
from avatar_gitops.plan.observed import Observed, ServerSet
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.serial import document
from avatar_gitops.plan.steps import steps
from avatar_gitops.report.plan import render, summary
from avatar_gitops.report.plan_explain import explain, why
from avatar_gitops.report.plan_markdown import markdown
from avatar_gitops.spec.project import Prune
from tests.support.blocks import PLANS as BLOCKS
from tests.support.planning import ALL, PROJECT, a_lock, a_version, an_input, wish

Golden = Callable[[str, str], None]
SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.v1.schema.json"
KNOWN: dict[str, Any] = {"table": {"privacy_metrics": {"known_variables": ["age"]}}}
TODAY = date(2026, 11, 22)
DEFAULT = Options(today=TODAY)
OWNED = Options(prune=Prune.OWNED, today=TODAY)


def planned(
    desired: Sequence[DesiredSet],
    versions: Sequence[ServerSet] = (),
    locks: Sequence[Lock] = (),
    options: Options = DEFAULT,
) -> Plan:
    server = Observed("prod", tuple(versions))
    return plan(desired, server, {lock.set: lock for lock in locks}, options, PROJECT, "4f2a91cdeadbeef")


def changed(before: DesiredSet, after: DesiredSet, options: Options = DEFAULT) -> Plan:
    """One set that was published as `before` and is desired as `after`."""
    version = a_version(before)
    return planned([after], [version], [a_lock(before, version)], options)


def new() -> Plan:
    tables = {
        "patients": {"source": "p.csv", "avatarization": {"k": 5}},
        "visits": {"source": "v.csv", "avatarization": {"k": 5}},
    }
    return planned(
        [
            wish("iris-demo", gates={"hidden_rate": ">= 90"}),
            wish("dp", table={"avatarization": {"open_dp": {"epsilon": 3}}}),
            wish("two", tables=tables),
        ]
    )


def weaker() -> Plan:
    before = wish(**KNOWN, metadata={"owner": "a@example.org"}, gates={"hidden_rate": ">= 90"}, jobs=list(ALL))
    after = wish(
        table={"avatarization": {"k": 15}, "privacy_metrics": {"known_variables": ["age", "sex"]}},
        metadata={"owner": "b@example.org"},
        gates={"hidden_rate": ">= 85"},
    )
    return changed(before, after)


def stronger() -> Plan:
    return changed(wish(), wish(table={"avatarization": {"k": 40}}, gates={"hidden_rate": ">= 90"}))


def metrics_tail() -> Plan:
    return changed(
        wish(**KNOWN), wish(table={"privacy_metrics": {"known_variables": ["age", "sex"], "target": "city"}})
    )


def reports_tail() -> Plan:
    return changed(wish(), wish(pia={"language": "fr", "data_type": "health"}))


def update() -> Plan:
    after = wish(
        metadata={"owner": "b@example.org", "labels": {"domain": "health"}, "description": "New"},
        pia={"purpose": "Care"},
    )
    return changed(wish(metadata={"owner": "a@example.org"}), after)


def data_changed() -> Plan:
    return changed(wish(), wish(data=an_input("b", ["age", "sex", "city", "diagnosis"], "10k-100k")))


def delete() -> Plan:
    gone, stays = wish("visits-2024q4"), wish("patients")
    first, second = a_version(gone), a_version(stays)
    return planned([stays], [first, second], [a_lock(gone, first), a_lock(stays, second)], OWNED)


def kept() -> Plan:
    gone, stays = wish("visits-2024q4"), wish("patients")
    first, second = a_version(gone), a_version(stays)
    return planned([stays], [first, second], [a_lock(gone, first), a_lock(stays, second)])


def protected() -> Plan:
    before = wish(lifecycle={"protect": True})
    gone = wish("visits-2024q4", lifecycle={"protect": True})
    version, old = a_version(before), a_version(gone)
    after = wish(lifecycle={"protect": True}, table={"avatarization": {"k": 15}})
    return planned([after], [version, old], [a_lock(before, version), a_lock(gone, old)], OWNED)


def collect() -> Plan:
    open_, done, tidy = wish("lab-open"), wish("lab-done"), wish("lab-tidy")
    stale = wish("lab-tidy", table={"avatarization": {"k": 9}})
    head = a_version(tidy, 2)
    halfway = a_version(open_, jobs={"standard": "finished", "privacy_metrics": "pending", "signal_metrics": "pending"})
    return planned([open_, done, tidy], [halfway, a_version(done), a_version(stale, 1), head], [a_lock(tidy, head)])


def failed() -> Plan:
    item = wish("sensors-weekly")
    states = {"standard": "finished", "privacy_metrics": "error", "signal_metrics": "finished"}
    return planned([item], [a_version(item, jobs={**states, "report": "error", "report_pia": "error"})])


def unchanged() -> Plan:
    one, two = wish("ants"), wish("bees")
    first, second = a_version(one), a_version(two)
    return planned([one, two], [first, second], [a_lock(one, first), a_lock(two, second)])


def edges() -> Plan:
    """A run that only measures, a lock without a set, a weaker gate, a protected set that left git."""
    measured = wish("measured", table={"avatarization": None, "avatars": "a.csv"})
    before, after = wish(gates={"hidden_rate": ">= 90"}), wish(gates={"hidden_rate": ">= 85"})
    version = a_version(before)
    outlived = a_lock(wish("outlived"), a_version(wish("outlived")))
    guarded = a_version(wish("guarded", lifecycle={"protect": True}))
    return planned([measured, after], [version, guarded], [a_lock(before, version), outlived], OWNED)


def foreign_only() -> Plan:
    return planned([], [a_version(wish(), project="other")])


def everything() -> Plan:
    """One set of every kind, and a set of somebody else."""
    before, after = wish("patients-2026q3"), wish("patients-2026q3", table={"avatarization": {"k": 15}})
    owner, renamed = wish("claims-2025", metadata={"owner": "a"}), wish("claims-2025", metadata={"owner": "b"})
    gone, same, lab = wish("visits-2024q4"), wish("same"), wish("lab-2026q2")
    versions = {item.name: a_version(item, 3) for item in (before, owner, gone, same, lab)}
    locks = [a_lock(item, versions[item.name]) for item in (before, owner, gone, same)]
    foreign = replace(a_version(wish("scratch-anna"), 9), annotations={})
    return planned([after, renamed, same, lab, wish("iris-demo")], [*versions.values(), foreign], locks, OWNED)


PLANS = {
    **BLOCKS,
    "new": new, "weaker": weaker, "stronger": stronger, "metrics-tail": metrics_tail, "reports-tail": reports_tail,
    "update": update, "data-changed": data_changed, "delete": delete, "kept": kept, "protected": protected,
    "collect": collect, "failed": failed, "unchanged": unchanged, "everything": everything,
    "edges": edges, "foreign-only": foreign_only,
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_text(name: str, golden: Golden) -> None:
    golden(f"plan/{name}.txt", render(PLANS[name]()))


@pytest.mark.parametrize(
    "name", ["new", "weaker", "update", "delete", "collect", "failed", "unchanged", "edges", *BLOCKS]
)
def test_explain(name: str, golden: Golden) -> None:
    golden(f"plan/{name}.explain.txt", explain(PLANS[name]()))


@pytest.mark.parametrize("name", ["everything", "unchanged", "kept", "update", "weaker", *BLOCKS])
def test_markdown(name: str, golden: Golden) -> None:
    golden(f"plan/{name}.md", markdown(PLANS[name]()))


def test_summary(golden: Golden) -> None:
    golden("plan/everything.summary.txt", summary(everything()) + summary(unchanged()))


def test_why(golden: Golden) -> None:
    golden("plan/why.txt", "\n".join(why(make().changes[0]) for make in (weaker, new, delete)))


def test_json(golden: Golden) -> None:
    golden("plan/everything.json", json.dumps(document(everything()), indent=2) + "\n")


@pytest.mark.parametrize("name", PLANS)
def test_every_plan_document_has_the_published_form(name: str) -> None:
    content = json.loads(json.dumps(document(PLANS[name]())))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(content)


@pytest.mark.parametrize("break_it", ["action", "digest", "extra"])
def test_the_schema_refuses_what_is_no_plan(break_it: str) -> None:
    content: dict[str, Any] = json.loads(json.dumps(document(everything())))
    broken = {"action": "destroy", "digest": "sha256:short", "extra": 1}
    content["changes"][0][break_it] = broken[break_it]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(content)


@pytest.mark.parametrize("name", PLANS)
def test_explain_has_a_line_for_each_step_in_the_order_of_apply(name: str) -> None:
    whole = PLANS[name]()
    numbered = [line for line in explain(whole).splitlines() if line[:2].strip().isdigit() and line[2:4] == "  "]
    expected = [number for change in whole.effective for number, _ in enumerate(steps(change), start=1)]
    assert [int(line[:2]) for line in numbered] == expected


@pytest.mark.parametrize("name", PLANS)
def test_ascii_terminals_get_the_same_words(name: str) -> None:
    whole = PLANS[name]()
    for text in (render(whole, ascii_only=True), summary(whole, ascii_only=True), explain(whole, ascii_only=True)):
        assert text.isascii()
    words = render(whole).replace("▼", "v").replace("▲", "^")
    assert render(whole, ascii_only=True) == words.replace("…", "...")


def test_colour_is_a_second_signal_only() -> None:
    marked = render(weaker(), style=lambda text, kind: f"<{kind}>{text}</{kind}>")
    assert "<weaker>▼ weaker</weaker>" in marked
    assert "<relaunch>-/+ patients" in marked


def test_text_from_outside_cannot_steer_a_terminal_or_become_markup() -> None:
    nasty = "\x1b[2J|<img src=x>@team[a](http://x)`"
    whole = changed(wish(), wish(metadata={"owner": nasty}, table={"columns": {nasty: {"drop": True}}}))
    for text in (render(whole), explain(whole), summary(whole), why(whole.changes[0])):
        assert "\x1b" not in text
    page = markdown(whole)
    assert "<img" not in page
    assert "@team" not in page
    assert "](http" not in page


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("R003", lambda: planned([wish()], [a_version(wish(), project="other")])),
        ("R005", lambda: planned([wish(f"s{i:02}") for i in range(8)], _many(12), (), OWNED)),
        ("R007", lambda: planned([], _many(2), (), OWNED)),
    ],
)
def test_refusals_say_what_and_how_to_go_on(code: str, make: Callable[[], Plan], golden: Golden) -> None:
    with pytest.raises(UnsafePlan) as caught:
        make()
    assert caught.value.code == code
    golden(f"plan/refused-{code}.txt", f"{caught.value.message}\n{caught.value.hint}\n")


def _many(amount: int) -> list[ServerSet]:
    return [a_version(wish(f"s{i:02}"), i) for i in range(amount)]


def test_every_action_is_in_some_golden_text() -> None:
    shown = {change.action for make in PLANS.values() for change in make().changes}
    assert shown == set(Action)
