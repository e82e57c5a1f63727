"""Looking before changing, through the command line: part of the sets, drift, two runs compared, history."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from tests.support.flow import FIVE, Cli, Platform

Unique = Callable[[str], str]


def test_selected_sets_are_planned_and_applied_and_others_left_alone(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name, other = unique("chosen"), unique("other")
    cli.spec(name)
    cli.spec(other)
    planned = cli("plan", "--select", "chosen-*", "--out", "json:plan.json")
    assert planned.code == 0, planned.text
    assert f"+  {name}" in planned.out
    assert other not in planned.out
    assert "1 set not selected" in planned.out

    applied = cli("apply", "plan.json", "--yes")
    assert applied.code == 0, applied.text
    assert len(platform.jobs(name)) == len(FIVE)
    assert platform.jobs(other) == []

    shown = json.loads(cli("status", "--select", "state:new", "--format", "json").out)
    assert [row["set"] for row in shown["sets"]] == [other]
    assert cli("plan", "--exclude", other, "--detailed-exitcode").code == 0
    wrong = cli("plan", "--select", f"{name}x")
    assert wrong.code == 64
    assert f"did you mean `{name}`?" in wrong.err


def test_drift_tells_what_left_the_server_and_what_changed_on_disk_but_not_what_changed_in_git(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name, other = unique("drifts"), unique("calm")
    assert cli("drift").out.startswith("Nothing was applied yet")
    cli.spec(name)
    cli.spec(other, k=12)
    assert cli("apply", "--yes").code == 0
    calm = cli("drift")
    assert calm.code == 0, calm.text
    assert calm.out.startswith("No drift. 2 sets on env are as they were applied.")

    cli.spec(other, k=5)
    (cli.root / "configs" / "broken.yaml").write_text("kind: [", encoding="utf-8")
    assert cli("drift").code == 0

    platform.delete(name)
    summary = cli.root / "out" / other / "summary.md"
    summary.write_text(summary.read_text(encoding="utf-8") + "\nmore\n", encoding="utf-8")
    found = cli("drift", "--format", "json")
    assert found.code == 2, found.text
    kinds = {(one["set"], one["kind"]) for one in json.loads(found.out)["findings"]}
    assert kinds == {(name, "missing"), (other, "artifact_changed")}

    data = cli.root / "data" / "people.csv"
    data.write_text(data.read_text(encoding="utf-8") + "40,170.0,Paris,no\n", encoding="utf-8")
    text = cli("drift")
    assert text.code == 2
    assert text.out.count("input_changed") == 2
    assert cli("drift", "--format", "markdown").out.startswith("### ⚠️ Avatar: 2 of 2 sets")


def commit(cli: Cli, message: str) -> None:
    """Commit specs and locks of the project."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "configs", "avatar-gitops.yaml"], ["commit", "-q", "-m", message]):
        subprocess.run(["git", "-C", str(cli.root), *who, *arguments], check=True, capture_output=True)


def test_two_runs_are_compared_through_git(cli: Cli, unique: Unique) -> None:
    name = unique("compared")
    cli.spec(name, k=12)
    assert cli("apply", "--yes").code == 0
    commit(cli, "first")
    same = cli("diff", name)
    assert same.code == 0, same.text
    assert "Both are the same run." in same.out

    cli.spec(name, k=2)
    assert cli("apply", "--yes").code == 0
    text = cli("diff", name)
    assert text.code == 0, text.text
    assert f"{name}@HEAD -> {name}" in text.out
    assert "12" in text.out and "weaker" in text.out
    noisy = [one for one in json.loads(cli("diff", name, "--format", "json").out)["metrics"] if one["noise"]]
    assert noisy, "the lock holds the noise of the metrics"

    commit(cli, "second")
    failed = cli("diff", f"{name}@HEAD~1", f"{name}@HEAD", "--fail-on-regression", "--format", "markdown")
    assert failed.code == 4, failed.text
    assert "got worse by more than the noise" in failed.out
    assert "local" in failed.out
    assert cli("diff", f"{name}@HEAD", f"{name}@HEAD~1").code == 0


def test_what_cannot_be_compared_is_said(cli: Cli, unique: Unique) -> None:
    assert "there is no lock file for a set `nobody`" in cli("diff", "nobody", "nobody").err
    assert cli("diff", "nobody", "nobody").code == 64
    cli.spec(unique("unborn"))
    commit(cli, "only a spec")
    assert "git does not know the commit `v9`" in cli("diff", "nobody@v9", "nobody").err
    assert "there is no lock file at HEAD for a set `nobody`" in cli("diff", "nobody").err
    assert "is compared with what?" in cli("diff", "nobody@HEAD").err


def test_what_failed_is_repeated_alone_and_history_tells_all_of_it(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    assert "there is no journal" in cli("retry", "--yes").err
    assert cli("history").out.startswith("There is no journal")
    good, bad = unique("good"), unique("bad")
    cli.spec(good)
    cli.spec(bad, more='  gates:\n    local_cloaking: ">= 59"\n')
    assert cli("apply", "--yes").code == 4
    text = cli("history")
    assert "2 sets: 1 published, 1 gate failed" in text.out or "2 sets: 1 gate failed, 1 published" in text.out
    assert text.out.rstrip().endswith("Next: avatar-gitops retry")

    cli.spec(bad, more='  gates:\n    local_cloaking: ">= 0"\n')
    cli.spec(good, k=12)
    repeated = cli("retry", "--yes")
    assert repeated.code == 0, repeated.text
    listed = json.loads(cli("history", "--format", "json").out)["applies"]
    assert [one["sets"] for one in listed] == [{bad: "published"}, {good: "published", bad: "gate_failed"}]
    assert len(platform.jobs(good)) == len(FIVE)
    again = cli("retry", "--yes")
    assert (again.code, again.out) == (0, "")
    assert "No set ended badly" in again.err
    assert len(json.loads(cli("history", "--limit", "1", "--format", "json").out)["applies"]) == 1


def test_fmt_orders_keys_and_changes_no_plan(cli: Cli, unique: Unique) -> None:
    name = unique("messy")
    path = cli.spec(name)
    body = path.read_text(encoding="utf-8")
    head, spec = body.split("spec:\n")
    messy = f"# mine\nspec:\n{spec}{head}"
    path.write_text(messy, encoding="utf-8")
    path.chmod(0o600)
    digest = json.loads(cli("plan", "--format", "json").out)["digest"]

    checked = cli("fmt", "--check")
    assert (checked.code, path.read_text(encoding="utf-8")) == (2, messy)
    assert f"would format configs/{name}.yaml" in checked.out
    assert cli("fmt").code == 0
    assert path.read_text(encoding="utf-8") == f"# mine\n{head}spec:\n{spec}"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(cli("plan", "--format", "json").out)["digest"] == digest
    assert cli("fmt", "--check").out == "0 of 2 files would change.\n"

    broken = cli.root / "configs" / "broken.yaml"
    broken.write_text("kind: [", encoding="utf-8")
    refused = cli("fmt")
    assert refused.code == 3
    assert "left alone, not readable YAML: configs/broken.yaml" in refused.err
    assert cli("fmt", f"configs/{name}.yaml").code == 0


def test_validate_repairs_what_has_one_repair_and_tells_it(cli: Cli, unique: Unique) -> None:
    path = cli.spec(unique("typo"), more="  lifecycle: {keep_version: 2}\n  results: {compute_figures: yes}\n")
    assert cli("validate").code == 3
    repaired = cli("validate", "--fix")
    assert repaired.code == 0, repaired.text
    assert "unknown key `keep_version`; wrote `keep_versions`" in repaired.err
    text = path.read_text(encoding="utf-8")
    assert text.endswith("  lifecycle: {keep_versions: 2}\n  results: {compute_figures: true}\n")
    assert cli("validate", "--fix").err == ""
