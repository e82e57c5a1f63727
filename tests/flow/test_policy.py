"""Policies through the command line: refused before anything runs, waived, approved, refused before publishing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.flow import Cli, Platform

Unique = Callable[[str], str]

HEAD = "apiVersion: avatar-gitops/v1\n"
GOOD = '  gates: {hidden_rate: ">= 2"}\n'


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def policies(cli: Cli, policy: str = "", waivers: str = "") -> None:
    folder = cli.root / "policies"
    folder.mkdir(exist_ok=True)
    (folder / "policy.yaml").write_text(f"{HEAD}kind: Policy\n{policy}", encoding="utf-8")
    (folder / "waivers.yaml").write_text(f"{HEAD}kind: Waivers\nwaivers:\n{waivers or '  []'}\n", encoding="utf-8")


def waiver(rule: str, sets: str, expires: int) -> str:
    days = f"granted: {day(-90)}, expires: {day(expires)}"
    return f"  - {{rule: {rule}, sets: ['{sets}'], owner: dpo, reason: Pilot, {days}}}"


def owned(path: Path) -> None:
    path.write_text(path.read_text().replace("metadata:\n", "metadata:\n  owner: data@example.org\n"))


def test_a_rule_stops_an_apply_until_somebody_answers_for_it(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("low")
    owned(cli.spec(name, k=3, more=GOOD))
    unguarded = cli("plan", "--fail-on", "fail")
    assert unguarded.code == 0
    assert "(no policy file, so the baseline only warns)." in unguarded.out
    assert "WARN P010" in unguarded.out

    policies(cli)
    planned = cli("plan")
    assert planned.code == 0
    assert "  FAIL P010  k is too low" in planned.out
    assert "Not ready: the policy has 1 objection. Nothing was changed." in planned.out
    assert cli("plan", "--fail-on", "fail").code == 4
    refused = cli("apply", "--yes")
    assert refused.code == 4, refused.text
    assert "error[P010]: 1 finding of the policy stops this apply, nothing was changed" in refused.err
    assert platform.jobs(name) == []
    assert not (cli.root / "out").exists()

    policies(cli, waivers=waiver("P010", name, 0))
    document = json.loads(cli("plan", "--format", "json").out)["policy"]
    assert (document["counts"]["waived"], document["counts"]["failed"]) == (1, 0)
    assert cli("apply", "--yes").code == 0

    policies(cli, waivers=waiver("P010", name, -3))
    again = cli("policy", "check")
    assert again.code == 4
    assert "waiver expired 3 days ago" in again.out
    assert cli("apply", "--yes").code == 0, "there is nothing to apply, so there is nothing to stop"


def test_weaker_privacy_needs_a_name_and_a_result_has_to_meet_the_policy(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name = unique("weak")
    owned(cli.spec(name, k=15, more=GOOD))
    policies(cli, "required_approvers: [dpo]\n")
    assert cli("apply", "--yes").code == 0
    lock = (cli.root / "configs" / f"{name}.lock.yaml").read_text()

    owned(cli.spec(name, k=8, more=GOOD))
    refused = cli("apply", "--yes", "--approved-by", "anna")
    assert refused.code == 4
    assert "P031  weaker privacy needs approval by @dpo" in refused.err
    assert "tables.people.avatarization.k; approvals: anna" in refused.err

    bar = "thresholds: [{id: X-cloak, metric: local_cloaking, condition: '>= 1000', reason: A bar}]\n"
    policies(cli, "required_approvers: [dpo]\n" + bar)
    measured = cli("apply", "--yes", "--approved-by", "dpo")
    assert measured.code == 4, measured.text
    assert "not published, 1 rule failed: X-cloak local_cloaking does not meet the policy" in measured.text
    assert (cli.root / "configs" / f"{name}.lock.yaml").read_text() == lock
    assert (cli.root / "out" / name / "rejected" / "metrics.json").is_file()

    policies(cli, "required_approvers: [dpo]\n" + bar, waiver("X-cloak", "*", 1))
    assert cli("apply", "--yes").code == 4, "approval counts for one call"
    assert cli("apply", "--yes", "--approved-by", "dpo").code == 0
    assert (cli.root / "configs" / f"{name}.lock.yaml").read_text() != lock


def test_policy_files_are_checked_listed_and_tested(cli: Cli, unique: Unique) -> None:
    owned(cli.spec(unique("listed"), more=GOOD))
    policies(cli, "enabled: [baseline]\ndisabled: [P13]\n")
    for arguments in (["validate"], ["plan"], ["policy", "check"]):
        result = cli(*arguments)
        assert result.code == 3, result.text
        assert "error[X050]: there is no rule `P13`" in result.text
        assert "policies/policy.yaml:4:12" in result.text
    assert cli("validate", "policies/policy.yaml").code == 3

    policies(cli, "disabled: [P013]\nrequired_approvers: [dpo]\n")
    assert cli("validate").out.startswith("4 files checked: 4 valid.")
    assert "P013" not in cli("policy", "list").out
    assert "P013" in cli("policy", "list", "--all").out
    assert "P031" in [rule["id"] for rule in json.loads(cli("policy", "list", "--format", "json").out)]
    checked = cli("policy", "check")
    assert checked.code == 0
    assert "WARN P041  the data are about few people" in checked.out
    assert cli("policy", "check", "--fail-on", "warn").code == 4

    assert cli("policy", "test").code == 64
    (cli.root / "policies" / "tests").mkdir()
    tests = cli.root / "policies" / "tests" / "k.yaml"
    case = "{name: low k, spec: {tables: {people: {avatarization: {k: 3}}}}, expect: [P010]}"
    tests.write_text(f"{HEAD}kind: PolicyTest\ntests:\n  - {case}\n")
    assert cli("policy", "test").code == 0
    policies(cli, "disabled: [P010]\n")
    failed = cli("policy", "test")
    assert failed.code == 1
    assert "expected P010, found nothing" in failed.out
    tests.write_text(f"{HEAD}kind: PolicyTest\ntests: []\n")
    assert cli("validate", "policies/tests/k.yaml").code == 3
