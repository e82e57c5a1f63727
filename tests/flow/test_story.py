"""The story of one set through the command line: launched, unchanged, weaker, refused by a gate, removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.support.flow import FIVE, Cli, Platform

Unique = Callable[[str], str]


def published_run(cli: Cli, name: str) -> str:
    return str(json.loads((cli.root / "out" / name / "run.json").read_text(encoding="utf-8"))["run"])


def test_a_set_is_launched_published_and_then_unchanged(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("first")
    cli.spec(name)

    first = cli("plan", "--detailed-exitcode")
    assert first.code == 2
    assert f"+  {name}" in first.out
    assert "Nothing was changed" in first.out

    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    folder = cli.root / "out" / name
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "avatars/people.csv",
        "metrics.json",
        "summary.md",
        "pia.md",
        "pia.docx",
        "run.json",
        "SHA256SUMS",
    } <= written
    assert (cli.root / "configs" / f"{name}.lock.yaml").is_file()
    assert name in (cli.root / "out" / "index.md").read_text(encoding="utf-8")
    assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE

    again = cli("plan", "--detailed-exitcode")
    assert again.code == 0
    assert again.out.startswith("No changes. 1 set in git equals 1 set on the server")


def test_a_lower_k_is_weaker_and_replaces_the_old_version(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("weaker")
    cli.spec(name, k=12)
    assert cli("apply", "--yes").code == 0
    old = published_run(cli, name)

    path = cli.spec(name, k=8)
    line = next(i for i, text in enumerate(path.read_text().splitlines(), start=1) if "k: 8" in text)
    planned = cli("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert f"configs/{name}.yaml:{line}" in planned.out
    assert "12 -> 8" in planned.out
    assert "weaker" in planned.out
    assert "jobs    standard, privacy_metrics, signal_metrics, report, report_pia" in planned.out

    assert cli("apply", "--yes").code == 0
    new = published_run(cli, name)
    assert new != old
    assert {job["set_name"] for job in platform.jobs(name)} == {new}


def test_a_failed_gate_keeps_the_old_version(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("gate")
    cli.spec(name, k=12)
    assert cli("apply", "--yes").code == 0
    old = published_run(cli, name)
    lock = (cli.root / "configs" / f"{name}.lock.yaml").read_text()

    cli.spec(name, k=3, more='  gates:\n    local_cloaking: ">= 50"\n')
    refused = cli("apply", "--yes")
    assert refused.code == 4, refused.text
    assert "local_cloaking" in refused.text
    assert published_run(cli, name) == old
    assert (cli.root / "configs" / f"{name}.lock.yaml").read_text() == lock
    assert old in {job["set_name"] for job in platform.jobs(name)}


def test_a_removed_spec_is_kept_unless_prune_is_owned(cli: Cli, platform: Platform, unique: Unique) -> None:
    name, other = unique("goes"), unique("stays")
    cli.spec(name)
    cli.spec(other)
    assert cli("apply", "--yes").code == 0

    (cli.root / "configs" / f"{name}.yaml").unlink()
    kept = cli("plan", "--detailed-exitcode")
    assert kept.code == 0, kept.text
    assert "prune" in kept.out
    assert cli("apply", "--yes").code == 0
    assert len(platform.jobs(name)) == len(FIVE)

    cli.project(project_name(cli), more=", prune: owned")
    planned = cli("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert f"-  {name}" in planned.out
    assert cli("apply", "--yes").code == 0
    assert platform.jobs(name) == []
    assert len(platform.jobs(other)) == len(FIVE)


def project_name(cli: Cli) -> str:
    text = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    return text.split("name: ")[1].split("}")[0]


def test_an_empty_folder_never_means_delete_all(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("only")
    cli.project(project_name(cli), more=", prune: owned")
    path = cli.spec(name)
    assert cli("apply", "--yes").code == 0
    path.unlink()

    refused = cli("apply", "--yes")
    assert refused.code == 5, refused.text
    assert len(platform.jobs(name)) == len(FIVE)

    assert cli("apply", "--yes", "--allow-delete", name).code == 0
    assert platform.jobs(name) == []


def test_a_protected_set_is_not_deleted(cli: Cli, platform: Platform, unique: Unique) -> None:
    name, other = unique("precious"), unique("other")
    cli.project(project_name(cli), more=", prune: owned")
    path = cli.spec(name, more="  lifecycle: {protect: true}\n")
    cli.spec(other)
    assert cli("apply", "--yes").code == 0
    path.unlink()

    kept = cli("apply", "--yes")
    assert kept.code == 0, kept.text
    assert "protect" in kept.text
    assert len(platform.jobs(name)) == len(FIVE)


FOREIGN = """\
kind: AvatarMetadata
metadata: {{name: avatar-metadata-{name}}}
spec: {{display_name: {name}}}
annotations: {{client_type: python, client_version: 1.30.0}}
---
kind: AvatarSchema
metadata: {{name: schema}}
spec: {{tables: [{{name: people, data: {{volume: input, file: people.csv}}}}]}}
---
kind: AvatarParameters
metadata: {{name: standard}}
spec: {{schema: schema, avatarization: {{people: {{k: 5}}}}, results: {{volume: results, path: standard}}}}
"""


def test_a_set_of_somebody_else_is_never_touched(cli: Cli, platform: Platform, unique: Unique) -> None:
    name, mine = unique("theirs"), unique("mine")
    headers = {"Authorization": f"api-key-v1 {platform.api_key}"}
    made = httpx.put(
        f"{platform.base_url}/api/resources/{name}",
        content=FOREIGN.format(name=name),
        headers={**headers, "Content-Type": "application/yaml"},
    ).json()
    body = {"set_name": made["set_name"], "parameters_name": "standard", "depends_on": []}
    httpx.post(f"{platform.base_url}/api/jobs", json=body, headers=headers).raise_for_status()

    cli.project(project_name(cli), more=", prune: owned")
    cli.spec(mine)
    assert cli("apply", "--yes").code == 0
    assert [job["set_name"] for job in platform.jobs(name)] == [made["set_name"]]

    cli.spec(name)
    refused = cli("apply", "--yes")
    assert refused.code == 5, refused.text
    assert name in refused.err
    assert [job["set_name"] for job in platform.jobs(name)] == [made["set_name"]]


def test_apply_without_consent_refuses_and_changes_nothing(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("unasked")
    cli.spec(name)
    refused = cli("apply")
    assert refused.code == 64, refused.text
    assert "--yes" in refused.err
    assert platform.jobs(name) == []


def test_an_owner_change_runs_nothing_again(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("owner")
    path = cli.spec(name)
    assert cli("apply", "--yes").code == 0
    before = {job["name"] for job in platform.jobs(name)}

    path.write_text(path.read_text().replace(f"name: {name}", f"name: {name}\n  owner: new@example.org"))
    planned = cli("plan")
    assert "nothing runs again" in planned.out
    assert cli("apply", "--yes").code == 0
    assert {job["name"] for job in platform.jobs(name)} == before
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_harder_attack_runs_only_the_tail(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("tail")
    cli.spec(name)
    assert cli("apply", "--yes").code == 0
    standard = next(job["name"] for job in platform.jobs(name) if job["parameters_name"] == "standard")
    avatars = (cli.root / "out" / name / "avatars" / "people.csv").read_bytes()

    cli.spec(name, more="      privacy_metrics: {known_variables: [age], target: city}\n")
    planned = cli("plan")
    assert "jobs    privacy_metrics, signal_metrics, report, report_pia" in planned.out
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    jobs = platform.jobs(name)
    assert [job["name"] for job in jobs if job["parameters_name"] == "standard"] == [standard]
    assert sorted(job["parameters_name"] for job in jobs) == FIVE
    assert (cli.root / "out" / name / "avatars" / "people.csv").read_bytes() == avatars
    assert cli("plan", "--detailed-exitcode").code == 0


def test_input_data_that_changed_is_a_relaunch(cli: Cli, unique: Unique, tmp_path: Path) -> None:
    name = unique("input")
    cli.spec(name)
    assert cli("apply", "--yes").code == 0
    data = tmp_path / "data" / "people.csv"
    data.write_text(data.read_text() + "44,161.0,Paris,no\n")
    planned = cli("plan")
    assert "input" in planned.out
    assert "relaunch" in planned.out
