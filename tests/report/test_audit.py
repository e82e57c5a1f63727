"""The audit log as people read it, from lines that the log itself wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avatar_gitops.audit.entry import Entry, Override, Phase, WaiverUsed
from avatar_gitops.audit.log import append
from avatar_gitops.audit.verify import verify
from avatar_gitops.report.audit import render, to_json

Golden = Callable[[str, str], None]
BEGIN = datetime(2026, 11, 22, 9, 12, 4, tzinfo=UTC)
PLAN = "sha256:eb7d5014" + "0" * 56
WAIVED = WaiverUsed("P010", "lab", "dpo", "Pilot until the registry is complete", "2026-12-22")
FORCED = (Override("--allow-delete", "visits"), Override("--force", reason="new year, all sets\nrun again"))

APPLY = Entry(Phase.BEGUN, "apply", "run-1", "ana", "clinic", "prod", PLAN, "4f2a91c")
ENTRIES = [
    replace(
        APPLY, phase=Phase.REFUSED, plan="", refusal="R005", message="2 of 4 sets would be relaunched", exit_code=5
    ),
    replace(
        APPLY,
        sets={"iris": "launch", "lab": "relaunch", "visits": "delete"},
        overrides=FORCED,
        approvals=("dpo", "eva"),
        waivers=(WAIVED,),
    ),
    replace(
        APPLY,
        phase=Phase.ENDED,
        sets={"iris": "published", "lab": "gate_failed", "visits": "deleted"},
        exit_code=4,
    ),
    Entry(
        Phase.ENDED,
        "adopt",
        "run-2",
        "eva (GitHub run 118)",
        "clinic",
        sets={"found": "adopted"},
        overrides=(Override("--take-over", "found", "they closed"),),
        exit_code=0,
    ),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for number, entry in enumerate(ENTRIES):
        append(tmp_path, entry, BEGIN + timedelta(minutes=number))
    return tmp_path


def shown(root: Path) -> str:
    found = verify(root)
    return render(found.entries, found.broken, found.notes)


def test_the_log_is_shown_line_by_line(log: Path, golden: Golden) -> None:
    golden("audit/log.txt", shown(log))


def test_a_broken_log_is_shown_up_to_the_break(log: Path, golden: Golden) -> None:
    path = log / "audit" / "2026-11.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("gate_failed", "published"), encoding="utf-8")
    golden("audit/broken.txt", shown(log))


def test_the_beginning_is_shown_when_there_is_nothing(tmp_path: Path) -> None:
    assert shown(tmp_path) == "There is no audit log in this project yet; the first apply begins it.\n"


def test_json_holds_every_line_and_the_verdict(log: Path) -> None:
    found = verify(log)
    document = json.loads(to_json(found.entries, found.broken, found.notes))
    assert (document["ok"], document["broken"], len(document["entries"])) == (True, "", 4)
    assert document["entries"][1]["overrides"][1]["reason"] == FORCED[1].reason
