"""What people and machines read about the policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema

from avatar_gitops.policy.model import Finding, Level, PolicyReport, Waiver
from avatar_gitops.policy.rules.sets import BUILT_IN, homes
from avatar_gitops.report.plan_markdown import escape, markdown
from avatar_gitops.report.policy import (
    CaseView,
    RuleView,
    as_data,
    below,
    cases,
    document,
    expiry,
    rules,
    section,
    short,
    verdict,
)
from avatar_gitops.report.policy import markdown as policy_markdown
from tests.support.planning import PROJECT, wish
from tests.support.world import World

Golden = Callable[[str, str], None]

WAIVER = Waiver(
    "P044", ("claims-*",), "dpo-lead", "Pilot", date(2026, 9, 15), date(2026, 12, 31), "DPO-311", "policies/w.yaml", 4
)
REPORT = PolicyReport(
    findings=(
        Finding(
            "P031",
            Level.FAIL,
            "patients-2026q3",
            "weaker privacy needs approval by @dpo-team",
            "tables.patients.avatarization.k; approvals: none",
            "configs/patients-2026q3.yaml",
            18,
        ),
        Finding("P012", Level.WARN, "patients-2026q3", "last hidden_rate is near its floor", "93.1, floor 90"),
        Finding("P090", Level.WARN, "", "this waiver waives nothing", "P014 for *", "policies/waivers.yaml", 9),
        Finding("X-a", Level.INFO, "lab", "hidden_rate does not meet the policy", "88, asked for >= 90"),
        Finding(
            "P044",
            Level.FAIL,
            "claims-2025",
            "recipient outside the organisation",
            "opendata, missing: purpose",
            "configs/claims-2025.yaml",
            30,
            WAIVER,
            "until 2026-12-31, DPO-311",
        ),
    ),
    passed=("P010", "P013"),
    expiring=((replace(WAIVER, expires=date(2026, 12, 31)), 9),),
)
SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.v1.schema.json"


def test_a_report_is_a_verdict_and_a_line_per_finding(golden: Golden) -> None:
    shown = below("Plan: 1 to relaunch.\n", REPORT, True)
    golden("policy/report.txt", shown + "\n" + section(REPORT, ascii_only=True) + "\n" + short(REPORT) + "\n")
    assert section(REPORT, ascii_only=True).isascii()


def test_a_report_as_markdown_and_json(golden: Golden) -> None:
    golden("policy/report.md", "\n".join(policy_markdown(REPORT, escape)) + "\n")
    golden("policy/report.json", json.dumps(document(REPORT), indent=2, ensure_ascii=False) + "\n")


def test_the_published_form_of_a_plan_knows_the_report() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    part = {"$ref": "#/$defs/policy", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(part).validate(as_data(REPORT))


def test_a_plan_that_the_policy_stops_says_so_first() -> None:
    plan = World().plan([wish()])
    assert markdown(plan, REPORT).startswith("### ⛔ Avatar plan: 1 objection of the policy · 1 launch\n")
    assert markdown(plan, PolicyReport(passed=("P010",))).startswith("### ✅ Avatar plan: 1 launch\n")
    assert "**Policy**" not in markdown(plan)
    assert PROJECT


def test_when_all_is_well_little_is_said() -> None:
    well = PolicyReport(passed=("P010", "P013"))
    assert below("Plan.", well, True) == ("Plan.\nPolicy: 2 passed.\nNothing was changed.\nNext: avatar-gitops apply\n")
    assert below("No changes.", well, False) == "No changes.\n"
    assert short(well) == ""
    assumed = PolicyReport(passed=("P010",), assumed=True)
    assert verdict(assumed) == "Policy: 1 passed (no policy file, so the baseline only warns)."


def test_names_from_outside_cannot_become_markup() -> None:
    evil = PolicyReport((Finding("H001", Level.WARN, "a", "<b>@team</b>", "[x](http://y)"),))
    text = "\n".join(policy_markdown(evil, escape))
    assert "<b>" not in text
    assert "](http" not in text
    assert "@team" not in text


def test_waivers_that_end_soon_are_told_also_when_all_is_well() -> None:
    second = replace(WAIVER, rule="P010", sets=("a", "b"))
    report = PolicyReport(passed=("P010",), expiring=((second, 1), (WAIVER, 9)))
    assert below("No changes.", report, False) == (
        "No changes.\nPolicy: 1 passed.\n"
        "2 waivers expire within 2 weeks, the first tomorrow: P010 for a, b, dpo-lead.\n"
    )
    assert expiry([(WAIVER, 0)]) == ["1 waiver expires today: P044 for claims-*, dpo-lead."]
    assert next(policy_markdown(report, escape)).startswith("**Policy** 1 passed · ⏳ 2 waivers expire within 2 weeks")


def test_rules_and_tests_are_listed(golden: Golden) -> None:
    views = [
        RuleView(rule, rule.severity, homes(name), name not in {"P011", "P062"})
        for name, rule in sorted(BUILT_IN.items())
    ]
    tried = [
        CaseView("k of 3 is refused", "policies/tests/k.yaml", 4, ("P010",), ("P010",)),
        CaseView("no gate", "policies/tests/k.yaml", 7, ("P010",), ("P020",)),
        CaseView("not a spec", "policies/tests/k.yaml", 9, (), (), "the parts make no valid spec: spec.zzz"),
    ]
    golden("policy/rules.txt", rules(views) + "\n")
    golden("policy/tests.txt", cases(tried) + "\n" + cases(tried[:1], ascii_only=True) + "\n")
