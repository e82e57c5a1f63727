"""Previews through the command line: base and head measured, nothing published, and a promoted run not run again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.flow import FIVE, Cli, Platform, people

Unique = Callable[[str], str]


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


@pytest.mark.slow
def test_a_change_is_measured_and_a_promoted_run_is_published_without_a_second_run(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name, still = unique("story"), unique("still")
    git(cli.root, "init", "-q")
    cli.spec(name, k=12)
    cli.spec(still, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    published = {job["name"] for job in platform.jobs(name)}
    git(cli.root, "add", "-A")
    git(cli.root, "commit", "-qm", "first")
    assert cli("preview").out.startswith("Nothing to preview")

    cli.spec(name, k=6)
    made = cli("preview", "--seeds", "2", "--promote", "--label", "pr-1", "--out", f"json:{cli.root}/p.json")
    assert made.code == 0, made.text
    assert "avatarization.k  12 -> 6  v weaker" in made.out
    assert "not a result of `env`" in made.out
    assert "kept   the full run is on the server" in made.out
    (one,) = json.loads((cli.root / "p.json").read_text())["sets"]
    assert one["set"] == name
    assert {metric["metric"] for metric in one["metrics"]} >= {"hidden_rate", "hellinger_mean"}
    assert all(metric["base"]["n"] == metric["head"]["n"] == 2 for metric in one["metrics"])
    assert one["seeds"][0] == 7

    previewed = {job["name"] for job in platform.jobs(name)} - published
    assert len(previewed) == len(FIVE)
    assert len(platform.jobs(still)) == 1

    assert cli("preview", "--discard", "pr-2").out == "No previews 'pr-2'.\n"

    git(cli.root, "commit", "-qam", "smaller k")
    planned = cli("plan")
    assert "preview promoted, not run again" in planned.out, planned.text
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert {job["name"] for job in platform.jobs(name)} == previewed
    run = json.loads((cli.root / "out" / name / "run.json").read_text())["run"]
    assert run == one["promoted"]
    assert cli("preview", "--discard", "pr-1").out == "No previews 'pr-1'.\n"
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("preview").out.startswith("Nothing to preview")


@pytest.mark.slow
def test_new_sets_are_measured_alone_and_leave_nothing_behind(cli: Cli, platform: Platform, unique: Unique) -> None:
    name, bad = unique("alone"), unique("bad")
    cli.spec(name, more='  gates: {local_cloaking: ">= 5000", hidden_rate: ">= 1"}\n')
    cli.spec(bad, more="      columns: {city: {type: datetime}}\n")
    both = cli("preview", "--seeds", "2", "--format", "json", "--promote", "--out", f"markdown:{cli.root}/p.md")
    assert both.code == 1, both.text
    sets = {found["set"]: found for found in json.loads(both.out)["sets"]}
    one = sets[name]
    assert (one["new"], one["basis"], one["error"]) == (True, "data", None)
    assert all(metric["base"] is None and metric["verdict"] == "new" for metric in one["metrics"])
    assert {gate["metric"]: gate["verdict"] for gate in one["gates"]} == {
        "hidden_rate": "passes",
        "local_cloaking": "would fail",
    }
    assert "would fail, 0 of 2 seeds pass" in (cli.root / "p.md").read_text()
    assert sets[name]["notes"] == ["not promoted: a gate would fail, so that apply could not publish it"]
    assert "standard failed" in sets[bad]["error"]
    assert sets[bad]["metrics"] == []
    assert "Lyon" not in both.text
    assert platform.jobs(name) == platform.jobs(bad) == []
    assert not (cli.root / "out").exists()
    assert not (cli.root / ".avatar" / "preview").exists()
    assert not list((cli.root / "configs").glob("*.lock.yaml"))


@pytest.mark.slow
def test_a_sample_stands_in_for_data_that_are_not_here(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("sample")
    path = cli.spec(name, k=5, more='  gates: {local_cloaking: ">= 5000"}\n')
    path.write_text(path.read_text().replace("people.csv", "people.csv\n      sample: data/sample.csv"))
    (cli.root / "data" / "sample.csv").write_text(people(40, seed=2))
    (cli.root / "data" / "people.csv").unlink()
    made = cli("preview", "--seeds", "2", "--promote", "--fail-on-regression")
    assert made.code == 4, made.text
    assert "on its sample, a synthetic stand-in" in made.out
    assert "not promoted: it ran on a sample" in made.out
    assert platform.jobs(name) == []

    refused = cli("preview", "--on", "data")
    assert refused.code == 3
    assert "X024" in refused.err
    assert "--on sample" in refused.err


def test_without_data_and_without_sample_the_table_is_named(cli: Cli, unique: Unique) -> None:
    cli.spec(unique("nothing"))
    wanted = cli("preview", "--on", "sample")
    assert wanted.code == 3
    (cli.root / "data" / "people.csv").unlink()
    refused = cli("preview")
    assert refused.code == 3
    for text in (wanted.err, refused.err):
        assert "X024" in text
        assert "table `people` cannot be previewed: it has no `sample`" in text


@pytest.mark.parametrize("more", [("--seeds", "1"), ("--out", "yaml:x"), ("--label", "avatar-gitops trial")])
def test_calls_that_cannot_work_are_refused(cli: Cli, more: tuple[str, ...], unique: Unique) -> None:
    cli.spec(unique("usage"))
    assert cli("preview", *more).code == 64


@pytest.mark.slow
def test_a_change_that_is_given_up_leaves_nothing_on_the_server(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("given-up")
    cli.spec(name, more="  jobs: [standard, privacy_metrics]\n")
    promote = ("preview", "--seeds", "2", "-q", "--promote", "--label", "pr-9")
    assert "kept   the full run" in cli(*promote).out
    assert len(platform.jobs(name)) == 2
    assert cli("preview", "--discard", "pr-9").out == f"Deleted the previews 'pr-9' of 1 set: {name}\n"
    assert platform.jobs(name) == []


def test_a_hosted_platform_is_never_made_to_run_an_unapproved_change(
    cli: Cli, platform: Platform, unique: Unique, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = unique("hosted")
    cli.spec(name)
    monkeypatch.setattr("avatar_gitops.client.api.capabilities", lambda http: None)  # what only our platform answers
    refused = cli("preview", "--promote")
    assert refused.code == 64, refused.text
    assert "credits" in refused.err
    assert "leave --promote out" in refused.err
    assert platform.jobs(name) == []
