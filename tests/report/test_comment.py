"""The comment of a pull request, in every form, compared with texts that were read by people; and its size limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.errors import RemoteUnavailable, UnsafePlan
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.plan.model import Action, Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.report.budget import COMMENT_LIMIT, SMALLER, Block, fit, size
from avatar_gitops.report.comment import (
    Origin,
    PolicyBlock,
    Verdict,
    invalid_comment,
    marker,
    opening,
    plan_comment,
    refused_comment,
)
from avatar_gitops.report.comment_applied import Applied, Finished, applied_comment
from avatar_gitops.spec.project import Prune
from tests.support.planning import PROJECT, a_lock, a_version, wish

Golden = Callable[[str, str], None]
HEAD = "4f2a91c" + "0" * 33
ORIGIN = Origin(
    HEAD,
    f"https://github.com/acme/data/blob/{HEAD}/",
    "https://github.com/acme/data/actions/runs/77",
    "2026-09-17 09:02 UTC",
    "https://github.com/acme/data/actions/runs/77#artifacts",
)
DIGEST = "sha256:" + "eb7d5014" * 8


def everything() -> Plan:
    """One set of every kind, and a set of somebody else."""
    before, after = wish("patients-2026q3"), wish("patients-2026q3", table={"avatarization": {"k": 15}})
    owner, renamed = wish("claims-2025", metadata={"owner": "a"}), wish("claims-2025", metadata={"owner": "b"})
    gone, same, lab = wish("visits-2024q4"), wish("same"), wish("lab-2026q2")
    versions = {item.name: a_version(item, 3) for item in (before, owner, gone, same, lab)}
    locks = {item.name: a_lock(item, versions[item.name]) for item in (before, owner, gone, same)}
    foreign = replace(a_version(wish("scratch-anna"), 9), annotations={})
    observed = Observed("prod", (*versions.values(), foreign))
    desired = [after, renamed, same, lab, wish("iris-demo")]
    return plan(desired, observed, locks, Options(prune=Prune.OWNED), PROJECT, HEAD)


def launches(number: int) -> Plan:
    return plan(
        [wish(f"set-{index:04}") for index in range(number)], Observed("prod", ()), {}, Options(), PROJECT, HEAD
    )


def unchanged() -> Plan:
    item, gone = wish("ants"), wish("bees")
    versions = [a_version(item), a_version(gone)]
    locks = {"ants": a_lock(item, versions[0]), "bees": a_lock(gone, versions[1])}
    return plan([item], Observed("prod", tuple(versions)), locks, Options(), PROJECT, HEAD)


POLICY = PolicyBlock(
    ("**Policy** 8 passed · **1 failed**", "", "| | Rule | Set | |", "|---|---|---|---|"),
    ("| ⛔ | P031 weaker privacy needs approval by @dpo-team | `patients-2026q3` | no approval yet |",),
    "waiting for @dpo-team",
)


def findings(number: int) -> list[Diagnostic]:
    def at(line: int, file: str = "configs/patients-2026q3.yaml") -> Span:
        return Span(file, line, 12, line, 14)

    first = Diagnostic("S004", "`k` must be at least 2", at(18), fix="write 2 or more; 20 is a good first value")
    second = Diagnostic("S002", "unknown key `kk|`", at(20), label="did you mean `k`?")
    warning = Diagnostic("X018", "a header looks like data", at(2), severity=Severity.WARNING)
    odd = Diagnostic("Y001", "the text is <b>not</b> @YAML", at(1, "configs/a (b).yaml"))
    more = [Diagnostic("S001", "`tables` is missing", at(30 + index), why="a run needs one") for index in range(number)]
    return [first, second, warning, odd, *more]


def outcomes(*, failed: bool) -> list[Finished]:
    def lock(name: str, hidden: float) -> Lock:
        item = wish(name)
        metrics = {"a": {"hidden_rate": hidden, "hellinger_mean": 0.051}, "b": {"hidden_rate": 99.0}}
        return a_lock(item, a_version(item), metrics)

    gates = (GateResult("hidden_rate", ">= 90", 91.4, True),)
    before = {"a": {"hidden_rate": 93.1, "hellinger_mean": 0.051}}
    links = {"summary": "https://github.com/acme/data/actions/runs/77"}
    made = [
        Finished(
            Outcome(
                "patients-2026q3", Action.RELAUNCH, State.PUBLISHED, gates=gates, lock=lock("patients-2026q3", 91.4)
            ),
            before,
            links,
        ),
        Finished(Outcome("iris-demo", Action.LAUNCH, State.PUBLISHED, lock=lock("iris-demo", 94.7))),
        Finished(Outcome("claims-2025", Action.UPDATE, State.UPDATED, lock=lock("claims-2025", 92))),
        Finished(Outcome("visits-2024q4", Action.DELETE, State.DELETED, "receipt out/visits-2024q4/deletion.json")),
    ]
    if failed:
        bad = (GateResult("hidden_rate", ">= 90", 88.2, False), GateResult("local_cloaking", ">= 5", 9.0, True))
        made.append(Finished(Outcome("lab", Action.RELAUNCH, State.GATE_FAILED, "1 gate failed", bad)))
        made.append(Finished(Outcome("wards", Action.RELAUNCH, State.FAILED, "job standard failed on the server")))
    return made


def applied(items: list[Finished], approved: tuple[str, ...] = ()) -> str:
    return applied_comment(Applied(PROJECT, DIGEST, tuple(items), approved), ORIGIN)


FORMS: dict[str, Callable[[], str]] = {
    "plan": lambda: plan_comment(everything(), ORIGIN),
    "blocked": lambda: plan_comment(everything(), ORIGIN, POLICY),
    "ready": lambda: plan_comment(launches(2), Origin()),
    "no-changes": lambda: plan_comment(unchanged(), ORIGIN),
    "invalid": lambda: invalid_comment(PROJECT, findings(12), ORIGIN),
    "refused": lambda: refused_comment(
        PROJECT, UnsafePlan("12 of 12 sets would be deleted", hint="use --force REASON", code="R005"), ORIGIN
    ),
    "unavailable": lambda: refused_comment(PROJECT, RemoteUnavailable("the server did not answer (5 tries)"), ORIGIN),
    "applied": lambda: applied(outcomes(failed=False), ("a.martin", "dpo-lead")),
    "partial": lambda: applied(outcomes(failed=True)),
    "kept-one": lambda: applied(outcomes(failed=True)[:-1]),
    "nothing-applied": lambda: applied([]),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str, golden: Golden) -> None:
    golden(f"ci/{name}.md", FORMS[name]())


@pytest.mark.parametrize("name", FORMS)
def test_every_form_opens_with_marker_and_data(name: str) -> None:
    first, second, third, *_ = FORMS[name]().split("\n")
    assert first == f"<!-- avatar-gitops:plan:v1 project={PROJECT} -->" == marker(PROJECT)
    data = json.loads(second.removeprefix("<!-- avatar-gitops:data:v1 ").removesuffix(" -->"))
    assert data["state"] in set(Verdict)
    assert data["head"] == HEAD
    assert third.startswith("### ")


def test_a_published_set_is_listed_also_where_its_lock_is_not_at_hand() -> None:
    page = applied([Finished(Outcome("patients", Action.LAUNCH, State.PUBLISHED))])
    assert "| `patients` | – | – | – | no gate |  |" in page


@given(st.text(), st.text(), st.text())
def test_no_text_ends_the_hidden_lines_early(project: str, digest: str, head: str) -> None:
    for line in opening(project, digest, head, Verdict.READY):
        assert line.count("-->") == 1
        assert line.endswith(" -->")
        assert "\n" not in line


def test_what_outsiders_write_becomes_no_markup() -> None:
    nasty = "<img src=x>@team[a](http://x)|`"
    page = invalid_comment(PROJECT, [Diagnostic("X001", nasty, Span(nasty, 1, 1, 1, 2), fix=nasty)], Origin())
    assert "<img" not in page.replace("`<img", "")
    assert "@team[" not in page
    assert "](http" not in page


def test_a_large_plan_loses_folds_then_rows_and_never_its_verdict() -> None:
    page = plan_comment(launches(700), ORIGIN)
    assert size(page) <= COMMENT_LIMIT
    assert "### ✅ Avatar plan: ready · 700 launch" in page
    assert SMALLER in page
    assert "<summary>Steps</summary>" not in page
    shown = page.count("| \\+ |")
    assert 400 < shown < 700
    assert f"… {700 - shown} changes" in page
    assert page.rstrip().endswith("</sub>")


def test_many_statements_and_predictions_never_push_the_verdict_out() -> None:
    before = [wish(f"set-{index:04}") for index in range(400)]
    after = [wish(item.name, table={"avatarization": {"k": 9}}) for item in before]
    locks = {item.name: a_lock(item, a_version(item)) for item in before}
    made = plan(after, Observed("prod", tuple(map(a_version, before))), locks, Options(force="all"), PROJECT, HEAD)
    page = plan_comment(made, ORIGIN, POLICY, predicted="**Predicted effect**\n" + "| row |\n" * 9_000)
    assert size(page) <= COMMENT_LIMIT
    assert "### ⛔ Avatar plan: waiting for @dpo-team · 400 sets get weaker privacy" in page
    assert "Predicted effect" not in page
    assert "**To apply:** approval by @dpo-team" in page


def test_a_refusal_that_names_thousands_of_sets_still_fits() -> None:
    names = ", ".join(f"a-rather-long-name-of-a-set-{index}" for index in range(5_000))
    error = UnsafePlan(f"5000 of 5000 owned sets would be deleted: {names}", hint="use --force REASON", code="R005")
    page = refused_comment(PROJECT, error, ORIGIN)
    assert size(page) <= COMMENT_LIMIT
    assert "… Nothing was changed." in page
    assert "To go on: use" in page


lines = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30), max_size=12)
blocks = st.lists(
    st.one_of(
        st.builds(partial(Block, fold=True), lines.map(tuple)),
        st.builds(Block, lines.map(tuple), lines.map(tuple), lines.map(tuple)),
    ),
    max_size=6,
)


def fixed_size(parts: list[Block]) -> int:
    """What must always be there: fixed lines, one line for what is left out, blank lines."""
    own = sum(size(line) + 1 for part in parts if not part.fold for line in (*part.head, *part.foot))
    return own + size(SMALLER) + 20 * (len(parts) + 2)


@given(blocks, st.integers(0, 3000))
def test_a_budget_holds_and_drops_whole_lines_only(parts: list[Block], extra: int) -> None:
    limit = fixed_size(parts) + extra
    whole, text = fit(parts, 10**9), fit(parts, limit)
    assert size(text) <= limit
    if size(whole) <= limit:
        assert text == whole
        return
    assert (SMALLER in text) == any(part.fold for part in parts) or "… " in text
    known = {line for part in parts for line in (*part.head, *part.rows, *part.foot)} | {SMALLER, ""}
    for line in text.split("\n"):
        assert line in known or line.startswith("… ")


def test_rows_go_from_the_end_after_every_fold() -> None:
    rows = tuple(f"row {index}" for index in range(9))
    parts = [
        Block(("title",)),
        Block(("first",), rows, more="rows"),
        Block(("second",), rows, more="rows"),
        Block(("fold " * 20,), fold=True),
        Block(("end",)),
    ]
    without_fold = fit(parts, size(fit(parts)) - 1)
    assert "fold" not in without_fold
    assert without_fold.count("row ") == 18
    fewer = fit(parts, size(without_fold) - 1)
    first, second = fewer.split("second")
    assert first.count("row ") == 9
    assert "… 3 rows" in second
    assert "row 5" in second
    assert "row 6" not in second
