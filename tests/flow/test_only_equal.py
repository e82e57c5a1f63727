"""Applying what was reviewed after something else moved: refused as a whole, carried out change by change."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from avatar_gitops.client.gateway import Reader
from tests.support.flow import FIVE, Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]


def test_what_is_still_the_reviewed_change_is_applied_and_the_rest_left(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    same, other, done = unique("same"), unique("other"), unique("done")
    for name in (same, other, done):
        cli.spec(name)
    assert cli("plan", "--out", "json:plan.json").code == 0
    cli.spec(other, k=5)
    assert cli("apply", "--yes", "--select", done).code == 0

    stale = cli("apply", "plan.json", "--yes")
    assert stale.code == 6
    assert "error[R006]: the approved plan is no longer the plan" in stale.err
    assert f"{done}    launch -> nothing to do   (done already)" in stale.err
    assert f"{other}   launch -> launch   (the spec or the data are other ones)" in stale.err
    assert f"equal     {same}" in stale.err
    assert "Nothing was changed." in stale.err
    assert "apply plan.json --yes --only-equal applies the 1 that is equal" in stale.err
    assert platform.jobs(same) == []

    applied = cli("apply", "plan.json", "--yes", "--only-equal")
    assert applied.code == 0, applied.text
    assert len(platform.jobs(same)) == len(FIVE)
    assert platform.jobs(other) == []
    assert "Left alone, not as reviewed: 2 sets" in applied.err
    assert f"  {other}" in applied.err

    again = cli("apply", "plan.json", "--yes", "--only-equal")
    assert again.code == 6
    assert "no change of the approved plan is still the same, so nothing was applied" in again.err


def test_a_relaunch_that_is_another_one_says_which_fields_differ(cli: Cli, platform: Platform, unique: Unique) -> None:
    name, same = unique("again"), unique("same")
    cli.spec(name, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    cli.spec(name, k=8, more="  jobs: [standard]\n")
    cli.spec(same, more="  jobs: [standard]\n")
    assert cli("plan", "--out", "json:plan.json").code == 0
    cli.spec(name, k=9, more="  jobs: [standard]\n")
    stale = cli("apply", "plan.json", "--yes")
    assert stale.code == 6
    assert "relaunch -> relaunch   (differs in tables.people.avatarization.k)" in stale.err
    reported = cli("apply", "plan.json", "--yes", "--only-equal", "--format", "json")
    assert reported.code == 0, reported.text
    assert [one["set"] for one in json.loads(reported.out)["outcomes"]] == [same]
    assert "Left alone, not as reviewed: 1 set" in reported.err


def test_a_review_of_another_place_or_of_no_document_is_refused(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("elsewhere")
    cli.spec(name)
    assert cli("plan", "--out", "json:plan.json").code == 0
    bare = cli("apply", "--expect-digest", "a" * 64, "--yes", "--only-equal")
    assert bare.code == 64
    assert "a digest says nothing about single changes" in bare.err
    content = json.loads((cli.root / "plan.json").read_text(encoding="utf-8"))
    for key, value in (("server", "prod"), ("project", "somebody-else")):
        (cli.root / "plan.json").write_text(json.dumps({**content, key: value, "digest": "sha256:" + "0" * 64}))
        refused = cli("apply", "plan.json", "--yes", "--only-equal")
        assert refused.code == 6, refused.text
        assert f"   {key:<10}{value} -> " in refused.err
    assert platform.jobs(name) == []


def test_without_credits_nothing_is_started(
    cli: Cli, platform: Platform, unique: Unique, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, done = unique("poor"), unique("done")
    cli.spec(done, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    cli.spec(name)
    monkeypatch.setattr(Reader, "credits", lambda self: 0)
    assert "credits 0 left" in cli("plan").out
    refused = cli("apply", "--yes")
    assert refused.code == 1
    assert f"no credits are left on env, and {name} would run; nothing was changed" in refused.err
    assert f"--exclude {name}" in refused.err
    assert platform.jobs(name) == []
    assert cli("apply", "--yes", "--exclude", name).code == 0
    monkeypatch.setattr(Reader, "credits", lambda self: 38)
    assert json.loads(cli("plan", "--format", "json").out)["credits"] == 38


def test_a_reviewed_selection_whose_sets_are_gone_is_stale_and_no_wrong_selector(cli: Cli, unique: Unique) -> None:
    name, other = unique("gone"), unique("other")
    cli.project(f"p-{unique('x')}", more=", prune: owned, thresholds: {min_sets: 9}")
    for one in (name, other):
        cli.spec(one, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    (cli.root / "configs" / f"{name}.yaml").unlink()
    assert cli("plan", "--select", name, "--out", "json:plan.json").code == 0
    assert cli("apply", "--yes").code == 0
    stale = cli("apply", "plan.json", "--yes")
    assert stale.code == 6, stale.text
    assert f"{name}   delete -> nothing to do   (no longer in git, nor on the server)" in stale.err
