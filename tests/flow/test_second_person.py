"""Who may allow what, through the command line: a second person, waivers of one's own, losses, and the ledger."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from avatar_gitops.plan.noise import NoiseBand, Spread, lock_family
from avatar_gitops.workspace.locks import read_lock
from avatar_gitops.workspace.noise import write_noise
from tests.flow.test_policy import GOOD, owned, policies, waiver
from tests.support.flow import Cli, Platform, people

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]


def git(cli: Cli, *arguments: str) -> None:
    who = ("-c", "user.name=Anna", "-c", "user.email=anna@example.org")
    subprocess.run(["git", "-C", str(cli.root), *who, *arguments], check=True, capture_output=True)


def test_an_author_alone_allows_nothing_and_who_allowed_it_is_on_record(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name = unique("pair")
    owned(cli.spec(name, k=15, more=GOOD))
    policies(cli, "required_approvers: [dpo]\napprovers: {dpo: [anna, d.lead]}\n")
    assert cli("apply", "--yes").code == 0
    owned(cli.spec(name, k=8, more=GOOD))
    alone = cli("apply", "--yes", "--author", "Anna", "--approved-by", "@anna")
    assert alone.code == 4
    assert "weaker privacy needs approval by @dpo other than its author" in alone.err
    assert "approvals: @anna (author)" in alone.err
    assert cli("plan", "--fail-on", "fail", "--author", "anna", "--approved-by", "dpo").code == 4
    assert cli("policy", "check", "--author", "anna", "--approved-by", "d.lead").code == 0

    both = cli("apply", "--yes", "--author", "anna", "--approved-by", "anna", "--approved-by", "d.lead")
    assert both.code == 0, both.text
    lock = read_lock(cli.root, f"configs/{name}.yaml")
    assert lock is not None and lock.applied is not None
    assert (lock.applied.approved_by, lock.applied.weaker) == (("d.lead",), ("k 15 -> 8",))
    record = json.loads((cli.root / "out" / name / "run.json").read_text())
    assert record["applied"] == {
        "plan": lock.applied.plan_digest,
        "approved_by": ["d.lead"],
        "waivers": [],
        "weaker": ["k 15 -> 8"],
    }
    summary = (cli.root / "out" / name / "summary.md").read_text()
    assert "weaker than the previous run (k 15 → 8), approved by d.lead" in summary
    assert cli("plan").out.startswith("No changes.")

    listed = cli("policy", "ledger")
    assert "2 releases to unknown" in listed.out
    assert "4 columns in more than one release: age, city, height, smoker" in listed.out
    (source,) = json.loads(cli("policy", "ledger", "--format", "json").out)["sources"]
    assert [release["approved_by"] for release in source["releases"]] == [[], ["d.lead"]]
    assert len(platform.jobs(name)) == 5


def test_a_waiver_that_its_author_adds_does_not_count(cli: Cli, unique: Unique) -> None:
    name = unique("own")
    owned(cli.spec(name, k=3, more=GOOD))
    policies(cli)
    (cli.root / ".gitignore").write_text(".avatar/\nout/\n")
    git(cli, "init", "-q", "-b", "main")
    git(cli, "config", "user.name", "dpo")
    git(cli, "config", "user.email", "dpo@example.org")
    git(cli, "add", ".")
    git(cli, "commit", "-q", "-m", "start")

    policies(cli, waivers=waiver("P010", name, 9))
    refused = cli("policy", "check")
    assert refused.code == 4
    assert "FAIL P032  the author of a change cannot waive what it needs" in refused.out
    assert "waived by the author of the change only, which does not count" in refused.out
    assert "policies/waivers.yaml:4" in refused.out
    assert cli("policy", "check", "--author", "anna").code == 0
    git(cli, "add", ".")
    git(cli, "commit", "-q", "-m", "a waiver that others have read")
    passed = cli("policy", "check")
    assert passed.code == 0
    assert f"1 waiver expires in 9 days: P010 for {name}, dpo." in passed.out
    assert f"1 waiver expires in 9 days: P010 for {name}, dpo." in cli("status").out


def test_a_loss_beyond_the_noise_is_not_published(cli: Cli, unique: Unique) -> None:
    name = unique("loss")
    owned(cli.spec(name, k=30, more=GOOD))
    policies(cli, "disabled: [P031]\nregressions: [{metric: hidden_rate, severity: fail}]\n")
    assert cli("apply", "--yes").code == 0
    path = f"configs/{name}.yaml"
    lock = read_lock(cli.root, path)
    assert lock is not None
    spread = {"people": {"hidden_rate": Spread(lock.metrics["people"]["hidden_rate"], 0.01, 5)}}
    band = NoiseBand(name, lock_family(lock), lock.engine, (1, 2, 3, 4, 5), spread)
    write_noise(cli.root, path, band)
    owned(cli.spec(name, k=2, more=GOOD))
    policies(cli, "disabled: [P031, P010]\nregressions: [{metric: hidden_rate}]\n")
    worse = cli("apply", "--yes")
    assert worse.code == 4, worse.text
    assert "worse-hidden_rate hidden_rate is worse than published" in worse.text
    assert "band of 5 seeds" in worse.text
    assert read_lock(cli.root, path) == lock

    spread["people"]["hidden_rate"] = replace(spread["people"]["hidden_rate"], sd=40.0)
    write_noise(cli.root, path, band)
    assert cli("apply", "--yes").code == 0, "a band of 40 points explains every loss"
    assert read_lock(cli.root, path) != lock


def test_the_ledger_outlives_a_set_and_stops_one_release_too_many(cli: Cli, platform: Platform, unique: Unique) -> None:
    first, second = unique("first"), unique("second")
    (cli.root / "data" / "copy.csv").write_text(people(), encoding="utf-8")
    policies(cli, "ledger: {max_releases: 1}\n")
    path = cli.spec(first, k=15, more=GOOD)
    owned(path)
    assert cli("apply", "--yes").code == 0
    path.unlink()
    (cli.root / "configs" / f"{first}.lock.yaml").unlink()
    copy = cli.spec(second, k=15, more=GOOD)
    owned(copy)
    copy.write_text(copy.read_text().replace("data/people.csv", "data/copy.csv"))
    refused = cli("apply", "--yes")
    assert refused.code == 4
    assert "P070  the source is released too often" in refused.err
    assert "this would be release 2, at most 1" in refused.err
    assert f"4 common columns with {first} of 20" in refused.err
    assert platform.jobs(second) == []
    assert "no release promises an epsilon" in cli("policy", "ledger", "--format", "markdown").out
    assert len(list((cli.root / "ledger").glob("people-*.yaml"))) == 1
    policies(cli, "ledger: {max_releases: 2}\n")
    assert cli("apply", "--yes").code == 0


def test_findings_go_to_code_scanning(cli: Cli, unique: Unique) -> None:
    name = unique("scan")
    owned(cli.spec(name, k=3, more=GOOD))
    policies(cli, waivers=waiver("P010", name, 30))
    checked = cli("policy", "check", "--format", "sarif")
    assert checked.code == 0
    (run,) = json.loads(checked.out)["runs"]
    (waived,) = [result for result in run["results"] if result["ruleId"] == "P010"]
    assert waived["suppressions"][0]["justification"].startswith("Pilot (dpo, until ")
    assert waived["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == f"configs/{name}.yaml"
    assert cli("plan", "--out", "sarif:policy.sarif", "--out", "gitlab:policy.json").code == 0
    assert json.loads((cli.root / "policy.sarif").read_text())["runs"][0]["results"] == run["results"]
    assert "P010" not in [entry["check_name"] for entry in json.loads((cli.root / "policy.json").read_text())]
    (cli.root / "policies" / "policy.yaml").write_text("kind: [")
    broken = cli("policy", "check", "--format", "sarif")
    assert broken.code == 3
    (invocation,) = json.loads(broken.out)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "policies/policy.yaml" in json.dumps(invocation["toolExecutionNotifications"])
