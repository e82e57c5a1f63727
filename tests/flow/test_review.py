"""Looking before changing, through the command line: part of the sets, drift, two runs compared, history."""

from __future__ import annotations

import json
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
