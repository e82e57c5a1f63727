"""Sets that are renamed, removed, adopted, promoted or limited in time, through the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from avatar_gitops.app.clock import SystemClock
from tests.support.flow import Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
STRICT = "apiVersion: avatar-gitops/v1\nkind: Policy\nenabled: [strict]\n"
QUICK = "  jobs: [standard]\n"
SCHEMA = Path(__file__).parents[2] / "schemas" / "deletion.v1.schema.json"


def project(cli: Cli, more: str) -> None:
    text = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    cli.project(re.findall(r"name: ([^}]+)}", text)[0], more=more)


def receipt(cli: Cli, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((cli.root / "out" / name / "deletion.json").read_bytes())
    jsonschema.validate(content, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return content


def lock(cli: Cli, name: str) -> str:
    return (cli.root / "configs" / f"{name}.lock.yaml").read_text(encoding="utf-8")


def ids(platform: Platform, name: str) -> set[str]:
    return {job["name"] for job in platform.jobs(name)}


def documents(platform: Platform, set_id: str) -> str:
    """The documents of a set as the server gives them."""
    headers = {"Authorization": f"api-key-v1 {platform.api_key}"}
    return httpx.get(f"{platform.base_url}/api/resources/{set_id}", headers=headers).raise_for_status().text


def test_a_rename_moves_lock_and_artifacts_and_runs_nothing(cli: Cli, platform: Platform, unique: Unique) -> None:
    old, new = unique("before"), unique("after")
    cli.spec(old, more=QUICK)
    assert cli("apply", "--yes").code == 0
    jobs = ids(platform, old)

    (cli.root / "configs" / f"{old}.yaml").unlink()
    cli.spec(new, more=QUICK)
    project(cli, ", prune: owned")
    hinted = cli("plan")
    assert f"moved: [{{from: {old}, to: {new}, date: {datetime.now(UTC).date()}}}]" in hinted.out

    project(cli, f", prune: owned, moved: [{{from: {old}, to: {new}, date: 2026-01-01}}]")
    planned = cli("plan", "--detailed-exitcode")
    assert planned.code == 2, planned.text
    assert f"->  {new}" in planned.out
    assert f"rename, moved from {old}" in planned.out
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert f"set: {new}" in lock(cli, new)
    assert f"- {old}" in lock(cli, new)
    assert not (cli.root / "configs" / f"{old}.lock.yaml").exists()
    assert not (cli.root / "out" / old).exists()
    assert (cli.root / "out" / new / "avatars" / "people.csv").is_file()
    assert new in (cli.root / "out" / new / "summary.md").read_text(encoding="utf-8")
    assert ids(platform, old) == jobs
    assert platform.jobs(new) == []

    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0
    project(cli, ", prune: owned")
    again = cli("plan", "--detailed-exitcode")
    assert again.code == 0, again.text


def test_a_spec_that_moves_to_another_file_takes_its_lock_along(cli: Cli, unique: Unique) -> None:
    name = unique("moves")
    path = cli.spec(name, more=QUICK)
    assert cli("apply", "--yes").code == 0
    (cli.root / "configs" / "health").mkdir()
    path.rename(cli.root / "configs" / "health" / "visits.yaml")
    planned = cli("plan")
    assert "update, spec file changed" in planned.out, planned.text
    assert cli("apply", "--yes").code == 0
    assert (cli.root / "configs" / "health" / "visits.lock.yaml").is_file()
    assert not (cli.root / "configs" / f"{name}.lock.yaml").exists()
    assert cli("plan", "--detailed-exitcode").code == 0


def test_another_name_in_the_same_file_without_a_word_keeps_the_new_lock(cli: Cli, unique: Unique) -> None:
    old, new = unique("first"), unique("second")
    path = cli.spec(old, more=QUICK)
    assert cli("apply", "--yes").code == 0
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    project(cli, ", prune: owned")
    assert cli("apply", "--yes").code == 0
    assert f"set: {new}" in lock(cli, old)
    assert receipt(cli, old)["set"] == old
    assert cli("plan", "--detailed-exitcode").code == 0


def test_what_is_removed_stays_or_goes_as_the_project_says(cli: Cli, platform: Platform, unique: Unique) -> None:
    kept, gone = unique("kept"), unique("gone")
    for name in (kept, gone):
        cli.spec(name, more=QUICK)
    cli.spec(unique("other"), more=QUICK)
    assert cli("apply", "--yes").code == 0
    jobs = ids(platform, gone)
    entries = f"{{set: {kept}, date: 2026-01-01, keep_results: true, reason: archive}}"
    project(cli, f", prune: owned, removed: [{entries}]")
    refused = cli("plan")
    assert refused.code == 3
    assert "X073" in refused.text

    for name in (kept, gone):
        (cli.root / "configs" / f"{name}.yaml").unlink()
    project(cli, f", removed: [{entries}, {{set: {gone}, date: 2026-01-01, keep_results: false}}]")
    planned = cli("plan")
    assert "kept, removed from git, results kept: archive" in planned.out
    assert f"-  {gone}" in planned.out
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert f"receipt out/{gone}/deletion.json" in applied.out
    assert platform.jobs(gone) == []
    assert len(platform.jobs(kept)) == 1
    told = receipt(cli, gone)
    assert told["reason"] == "removed_from_git"
    assert {job for run in told["runs"] for job in run["jobs"]} == jobs
    assert "avatars/people.csv" in told["artifacts"]
    assert [path.name for path in (cli.root / "out" / gone).iterdir()] == ["deletion.json"]
    assert f"{gone}/deletion.json" in (cli.root / "out" / "index.md").read_text(encoding="utf-8")
    assert cli("plan", "--detailed-exitcode").code == 0


def test_results_go_after_their_last_day(
    cli: Cli, platform: Platform, unique: Unique, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = unique("limited")
    last = datetime.now(UTC).date() + timedelta(days=9)
    cli.spec(name, more=f"{QUICK}  lifecycle: {{delete_after: {last}}}\n")
    assert cli("apply", "--yes").code == 0
    soon = cli("plan")
    assert f"Note: {name} reaches the end of its retention in 9 days, on {last}" in soon.out

    assert f"Note: {name} reaches the end of its retention in 9 days" in cli("status").out

    def on(day: date) -> Cli:
        """The command line on another day."""
        moved = timedelta(days=(day - datetime.now(UTC).date()).days)
        monkeypatch.setattr(SystemClock, "now", lambda clock: datetime.now(UTC) + moved)
        return cli

    (cli.root / "policies").mkdir()
    (cli.root / "policies" / "rules.yaml").write_text(STRICT, encoding="utf-8")
    stopped = on(last)("plan", "--fail-on", "fail")
    assert stopped.code == 4, stopped.text
    after = on(last + timedelta(days=1))
    due = after("plan", "--detailed-exitcode")
    assert due.code == 2, due.text
    assert f"delete, retention ended on {last}" in due.out
    assert after("apply", "--yes").code == 0
    assert platform.jobs(name) == []
    told = receipt(cli, name)
    assert (told["reason"], told["retention_ended"]) == ("retention_due", str(last))
    assert told["deleted_at"].startswith(str(last + timedelta(days=1)))
    calm = after("plan", "--detailed-exitcode")
    assert calm.code == 0, calm.text
    assert f"retention ended on {last}, nothing is left to delete" in calm.out
    assert "X076" in after("validate").text


def test_a_set_that_others_made_is_adopted_without_running_anything(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name = unique("registry")
    cli.spec(name, more=QUICK)
    home = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    cli.project(f"{unique('other')}")
    assert cli("apply", "--yes").code == 0
    (cli.root / "configs" / f"{name}.lock.yaml").unlink()
    (cli.root / "avatar-gitops.yaml").write_text(home, encoding="utf-8")
    (theirs,) = {job["set_name"] for job in platform.jobs(name)}
    unmarked = re.sub(r"(?m)^annotations:\n(?:  .+\n)+", "", documents(platform, theirs))
    assert "avatar-gitops/" not in unmarked
    made = platform.put(name, unmarked)
    platform.wait(name)

    foreign = cli("plan")
    assert foreign.code == 5
    assert "R003" in foreign.err
    assert f"avatar-gitops adopt {name}" in foreign.err

    def adopt(version: str, more: str = "") -> None:
        project(cli, f", adopted: [{{set: {name}, id: {version}{more}}}]")

    adopt("00000000-0000-4000-8000-000000000000")
    assert "R004" in cli("plan").err
    adopt(theirs)
    owned = cli("plan")
    assert owned.code == 5
    assert "take_over: true" in owned.err
    adopt(made)
    jobs = ids(platform, name)
    planned = cli("plan", "--detailed-exitcode")
    assert planned.code == 2, planned.text
    assert f"=  {name}" in planned.out
    assert "adopt, made by others" in planned.out
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert made in lock(cli, name)
    assert ids(platform, name) == jobs
    assert (cli.root / "out" / name / "avatars" / "people.csv").is_file()
    again = cli("plan", "--detailed-exitcode")
    assert again.code == 0, again.text
    assert "is also the name of a set that is not ours" in again.out
    assert cli("drift").text.count("ambiguous") == 1

    cli.spec(name, k=5, more=QUICK)
    assert cli("apply", "--yes").code == 0
    assert made not in {job["set_name"] for job in platform.jobs(name)}
    assert theirs in {job["set_name"] for job in platform.jobs(name)}
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_preview_is_promoted_by_the_apply_after_the_merge(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("previewed")
    cli.spec(name, k=5, more=QUICK)
    assert cli("apply", "--yes").code == 0
    (run,) = {job["set_name"] for job in platform.jobs(name)}
    marked = re.sub(r"(?m)^(annotations:\n)", "\\1  avatar-gitops/preview: PR 12\n", documents(platform, run))
    cli.spec(name, more=QUICK)
    assert cli("apply", "--yes").code == 0
    preview = platform.put(name, marked)
    platform.wait(name)
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0

    cli.spec(name, k=5, more=QUICK)
    planned = cli("plan")
    assert "collect, preview promoted, not run again" in planned.out, planned.text
    assert cli("apply", "--yes").code == 0
    assert preview in lock(cli, name)
    assert {job["set_name"] for job in platform.jobs(name)} == {preview}
    assert cli("plan", "--detailed-exitcode").code == 0
