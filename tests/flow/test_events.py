"""One run seen from outside: its event lines, its id in the server's log, what webhooks are told and how often."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.flow import Cli, Platform
from tests.support.webhooks import Receiver, receiving

Unique = Callable[[str], str]
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "event.v1.schema.json").read_text(encoding="utf-8"))
GATE = '  gates:\n    local_cloaking: ">= 50"\n'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of an event file, each checked against the schema."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        Draft202012Validator(SCHEMA).validate(line)
    assert lines[0]["type"] == "version"
    assert len({line["run"] for line in lines}) == 1
    assert sorted(line["at"] for line in lines) == [line["at"] for line in lines]
    return lines


def kinds(lines: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(line["type"] for line in lines))


def test_a_run_can_be_followed_from_its_event_lines(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("told")
    cli.spec(name, more='  gates:\n    hidden_rate: ">= 1"\n')
    assert cli("plan", "--events", "plan.jsonl").code == 0
    planned = read(cli.root / "plan.jsonl")
    assert kinds(planned)[-2:] == ["planned_change", "plan_summary"]
    assert planned[-1]["actions"] == {"launch": 1}

    applied = cli("apply", "--yes", "--events", "events.jsonl", "-v")
    assert applied.code == 0, applied.text
    lines = read(cli.root / "events.jsonl")
    steps = ["step_start", "step_done", "step_progress", "gate", "published", "apply_summary"]
    assert {*steps, "version", "observed", "planned_change", "plan_summary"} <= set(kinds(lines))
    assert lines[-1]["type"] == "apply_summary"
    assert (lines[-1]["states"], lines[-1]["exit_code"]) == ({"published": 1}, 0)
    assert lines[-1]["digest"] == planned[-1]["digest"]
    assert next(line["job"] for line in lines if line["type"] == "step_start" and "job" in line) == "standard"

    run = lines[0]["run"]
    assert run != planned[0]["run"]
    assert re.search(rf"PUT /api/resources/{name} 20[01] {run}-\d+\n", platform.log.decode())
    assert re.search(rf"PUT /resources/{name}  20[01]  [\d.]+s  {run}-\d+\n", applied.err)
    journal = "".join(path.read_text() for path in (cli.root / ".avatar" / "journal").glob("*.jsonl"))
    assert json.loads(journal.splitlines()[0])["run"] == run
    audit = json.loads(cli("audit", "log", "--format", "json").out)
    assert [(line["phase"], line["run"]) for line in audit["entries"]] == [("begun", run), ("ended", run)]


def test_a_refusal_and_a_wrong_spec_are_event_lines_too(cli: Cli, unique: Unique) -> None:
    name = unique("wrong")
    path = cli.spec(name)
    path.write_text(path.read_text().replace("k: 10", "k: many"))
    assert cli("apply", "--yes", "--events", "events.jsonl").code == 3
    found = [line for line in read(cli.root / "events.jsonl") if line["type"] == "diagnostic"]
    assert found[0]["file"].endswith(f"{name}.yaml")
    assert found[0]["line"] > 0


def test_an_apply_goes_on_when_nobody_reads_its_events(cli: Cli, unique: Unique) -> None:
    cli.spec(unique("deaf"))
    applied = cli("apply", "--yes", "--events", "/dev/full")
    assert applied.code == 0, applied.text
    assert applied.err.count("no more events are written") == 1


def test_drift_is_a_line_for_each_finding(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("gone")
    cli.spec(name)
    assert cli("apply", "--yes").code == 0
    platform.delete(name)
    assert cli("drift", "--events", "drift.jsonl").code == 2
    lines = read(cli.root / "drift.jsonl")
    assert [(line["set"], line["kind"]) for line in lines if line["type"] == "drift"] == [(name, "missing")]


def test_a_served_platform_logs_what_changes_it_by_the_name_of_the_request(tmp_path: Path, cli: Cli) -> None:
    command = cli.command("serve", "-v", "--port", "0", "--state-dir", str(tmp_path / "state"))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=cli.environment) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[1]
        answers = [
            httpx.request(method, f"{address}/api/jobs/none", headers={"X-Request-Id": name}).headers.get(
                "X-Request-Id"
            )
            for method, name in (("GET", "look-1"), ("DELETE", "drop-2"), ("DELETE", "two words"))
        ]
        server.terminate()
        log = server.stderr.read()
    assert answers == ["look-1", "drop-2", None]
    assert "GET /api/jobs/none 401 look-1" in log
    assert "DELETE /api/jobs/none 401 drop-2" in log
    assert "DELETE /api/jobs/none 401 -" in log
    assert "two words" not in log


def with_hooks(cli: Cli, receiver: Receiver, hooks: str) -> None:
    text = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    name = text.split("name: ")[1].split("}")[0]
    cli.project(name, more=f", webhooks: {hooks}")
    cli.environment["HOOK"] = receiver.url


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(message["set"], message["outcome"]) for message in receiver.messages]


@pytest.mark.slow
def test_webhooks_are_told_once_per_outcome(cli: Cli, receiver: Receiver, unique: Unique) -> None:
    name = unique("once")
    with_hooks(cli, receiver, "[{url: env/HOOK}]")
    cli.spec(name, k=12)
    first = cli("apply", "--yes")
    assert first.code == 0, first.text
    assert told(receiver) == [(name, "published")]
    assert receiver.messages[0]["events"][0]["type"] == "published"
    assert "zqsecretx" not in first.text

    assert cli("apply", "--yes").code == 0
    cli.spec(name, k=3, more=GATE)
    for command in (("apply", "--yes"), ("apply", "--yes"), ("retry", "--yes")):
        assert cli(*command).code == 4
    assert told(receiver) == [(name, "published"), (name, "gate_failed")]

    cli.spec(name, k=12)
    (cli.root / "configs" / f"{name}.lock.yaml").unlink()
    assert cli("apply", "--yes").code == 0
    assert told(receiver)[2:] == [(name, "published")]
    written = [path.read_bytes() for path in cli.root.rglob("*") if path.is_file()]
    assert not any(b"zqsecretx" in content for content in written)


def test_a_webhook_that_fails_is_a_warning_and_told_the_next_time(cli: Cli, receiver: Receiver, unique: Unique) -> None:
    name = unique("warned")
    with_hooks(cli, receiver, "[{url: env/HOOK, format: text, on: [gate_failed]}, {url: env/UNSET}]")
    cli.spec(name, k=3, more=GATE)
    receiver.answers = [404]
    failed = cli("apply", "--yes")
    assert failed.code == 4, failed.text
    assert f"warning: webhook env/HOOK was not told about {name}: 127.0.0.1: status 404" in failed.err
    assert "the environment variable UNSET is not set" in failed.err
    assert cli("apply", "--yes").code == 4
    assert len(receiver.got) == 2
    text = receiver.messages[1]["text"]
    assert f" on env: {name} gate failed: not published" in text


def test_drift_is_told_once_for_each_set_of_findings(
    cli: Cli, platform: Platform, receiver: Receiver, unique: Unique
) -> None:
    name = unique("drifts")
    with_hooks(cli, receiver, "[{url: env/HOOK, on: [drift]}]")
    cli.spec(name)
    assert cli("apply", "--yes").code == 0
    assert cli("drift").code == 0
    data = cli.root / "data" / "people.csv"
    original = data.read_text()
    for _ in range(2):
        data.write_text(original + "44,161.0,Paris,no\n")
        assert cli("drift").code == 2
        assert cli("drift").code == 2
        data.write_text(original)
        assert cli("drift").code == 0
    assert [message["outcome"] for message in receiver.messages] == ["drift", "drift"]
    assert receiver.messages[0]["events"][0]["kind"] == "input_changed"
    assert receiver.messages[0]["id"] == receiver.messages[1]["id"]
