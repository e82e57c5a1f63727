"""Events as public lines: every kind has a form that the schema describes, and the stream reaches everybody."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from avatar_gitops import events
from avatar_gitops.events import Event, GateChecked, SetDone, StepStarted, Stream
from avatar_gitops.report.event_lines import as_data, stamped, version

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "event.v1.schema.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 22, 9, 12, 4, 50_000, tzinfo=UTC)
DIGEST = "sha256:" + "0" * 64
EXAMPLES: list[Event] = [
    events.DiagnosticFound("error", "S004", "k is too large", "", "configs/iris.yaml", 3, 7),
    events.ServerObserved("clinic", "prod", 3, 1),
    events.ChangePlanned("iris", "launch", "new", "neutral", ("standard", "report"), "configs/iris.yaml", DIGEST),
    events.PlanMade("clinic", "prod", DIGEST, "", {"launch": 1}, 0, {"passed": 12}),
    events.DriftFound("iris", "missing", "the published run is gone", "configs/iris.yaml"),
    events.StepStarted("iris", "Upload"),
    events.StepEnded("iris", "Upload", 0.25),
    events.StepEnded("iris", "Upload", 0.25, ok=False),
    events.SetCreated("iris", "0d9a7c1e"),
    events.JobLaunched("iris", "standard", "4b1d2c00"),
    events.JobProgressed("iris", "standard", "running", 0.5),
    events.JobProgressed("iris", "standard", "pending", None),
    events.JobDone("iris", "standard", 12.34567),
    events.JobDone("iris", "standard", 12.3, "k is 50 but must be smaller"),
    events.GateChecked("iris", "hidden_rate", ">= 90", 91.4, True),
    events.GateChecked("iris", "hidden_rate", ">= 90", None, False),
    events.RuleFound("iris", "P061", "fail", "a gate is close"),
    events.RuleFound("iris", "P061", "waived", "a gate is close"),
    events.SetDone("iris", "launch", "published"),
    *(events.SetDone("iris", "launch", state, "why") for state in ("updated", "deleted", "gate_failed", "failed")),
    events.SetDone("iris", "launch", "interrupted"),
    events.Retrying("GET /jobs", 2, 4.0),
    events.RequestDone("GET", "/jobs", 200, 0.1, "run-1"),
    events.ApplyEnded("clinic", "prod", DIGEST, {"published": 1}, 12.5, 0),
]


def test_every_kind_of_event_has_an_example_here() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(Event))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_every_event_has_a_line_that_the_schema_describes(event: Event) -> None:
    data = as_data(event)
    if isinstance(event, events.RequestDone):
        assert data is None
        return
    assert data is not None
    line: dict[str, Any] = json.loads(json.dumps(stamped(data, "run-1", NOW)))
    Draft202012Validator(SCHEMA).validate(line)
    assert list(line)[:3] == ["type", "at", "run"]
    assert line["at"] == "2026-11-22T09:12:04.050Z"


def test_the_kinds_are_public_and_few() -> None:
    lines = [version("0.1.0", "apply"), *(data for event in EXAMPLES if (data := as_data(event)))]
    Draft202012Validator(SCHEMA).validate(stamped(lines[0], "run-1", NOW))
    told = {line["type"] for line in lines}
    assert told == {item["$ref"].rpartition("/")[2] for item in SCHEMA["oneOf"]}
    assert told == {
        "version",
        "diagnostic",
        "observed",
        "planned_change",
        "drift",
        "plan_summary",
        "step_start",
        "step_progress",
        "step_done",
        "step_failed",
        "gate",
        "published",
        "set_done",
        "retrying",
        "apply_summary",
    }


def test_a_line_with_something_else_in_it_is_not_described() -> None:
    data = as_data(StepStarted("iris", "Upload"))
    assert data is not None
    assert not Draft202012Validator(SCHEMA).is_valid(stamped(data | {"cell": "Lyon"}, "run-1", NOW))


def test_a_listener_that_breaks_is_left_out_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    asked: list[Event] = []

    def broken(event: Event) -> None:
        asked.append(event)
        raise OSError("disk full")

    stream = Stream("run-1", broken, heard.append)
    with caplog.at_level(logging.WARNING):
        for event in EXAMPLES[:3]:
            stream(event)
    assert heard == EXAMPLES[:3]
    assert asked == EXAMPLES[:1]
    assert "disk full" not in caplog.text


def test_a_listener_hears_one_event_at_a_time_and_every_one() -> None:
    inside, most, heard = 0, 0, 0

    def listener(event: Event) -> None:
        nonlocal inside, most, heard
        inside += 1
        most = max(most, inside)
        for _ in range(50):
            pass
        heard += 1
        inside -= 1

    stream = Stream("run-1", listener).also(lambda event: None)

    def emit() -> None:
        for _ in range(200):
            stream(EXAMPLES[0])

    threads = [threading.Thread(target=emit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (heard, most) == (800, 1)


def test_a_stream_stays_itself_and_anything_else_becomes_one() -> None:
    stream = Stream("run-1")
    assert Stream.of(stream) is stream
    heard: list[Event] = []
    Stream.of(heard.append)(SetDone("iris", "launch", "published"))
    assert heard == [SetDone("iris", "launch", "published")]
    assert Stream.of(None).run != Stream.of(None).run


def test_order_is_kept_for_all_listeners() -> None:
    first: list[Event] = []
    second: list[Event] = []
    stream = Stream("run-1", first.append, second.append)
    for value in range(5):
        stream(GateChecked("iris", "hidden_rate", ">= 90", float(value), True))
    assert first == second
    assert [event.value for event in first if isinstance(event, GateChecked)] == [0.0, 1.0, 2.0, 3.0, 4.0]
