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
