"""No text of any command and no file that it writes holds a value of the data, whatever is in the data and the spec."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.app.loading import load
from avatar_gitops.app.plan import Consent, Planned, compare
from avatar_gitops.app.publishing import Publisher
from avatar_gitops.app.servers import Connection
from avatar_gitops.app.telling import tell_error, tell_plan
from avatar_gitops.app.validate import ValidationResult, validate
from avatar_gitops.cli.progress import describe
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.plan.observed import ServerSet
from avatar_gitops.plan.outcome import Outcome, RunResult
from avatar_gitops.plan.serial import document
from avatar_gitops.reconcile.executor import Ports, execute
from avatar_gitops.reconcile.journal import FileJournal
from avatar_gitops.report import (
    diagnostics,
    exposure,
    outcome,
    plan,
    plan_explain,
    plan_markdown,
    policy,
    sarif,
    sarif_policy,
    status,
)
from avatar_gitops.report.code_quality import as_code_quality
from avatar_gitops.report.comment import Origin, invalid_comment, plan_comment, policy_block
from avatar_gitops.report.comment_applied import Applied, Finished, applied_comment
from avatar_gitops.report.event_lines import as_data
from avatar_gitops.spec.models import Job
from tests.support.canary import COLUMNS, Table, leaks, tables
from tests.support.http import StillClock
from tests.support.laws import law
from tests.support.memory import Ear, Memory, MemoryServer

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ORIGIN = Origin("4f2a91c" + "0" * 33, "https://github.com/acme/data/blob/x/", "https://github.com/acme/data/1", "now")
PROJECT = {"apiVersion": "avatar-gitops/v1", "kind": "Project", "metadata": {"name": "canaries"}, "spec": {}}
ODD = (*COLUMNS, "agee", "column 1")  # names that a spec may give to columns: some are wrong
TYPES = ("int", "category", "datetime")
TAGS = ("identifier", "sensitive", "free_text")


@st.composite
def specs(draw: st.DrawFn, data: Table) -> dict[str, Any]:
    """A spec on a table, mostly right for it."""
    right = draw(st.sampled_from([True, True, True, False]))
    name: st.SearchStrategy[str] = st.sampled_from(data.header if right else ODD)
    said = st.fixed_dictionaries({}, optional={"type": st.sampled_from(TYPES), "tag": st.sampled_from(TAGS)})
    tests: dict[str, Any] = {"known_variables": draw(st.lists(name, min_size=1, max_size=2, unique=True))}
    if not right:
        tests["target"] = draw(name)
    table: dict[str, Any] = {
        "source": "data/birds.csv",
        "columns": draw(st.dictionaries(name, said, max_size=2)),
        "avatarization": {"k": draw(st.integers(2, 3 if right else 9))},
        "privacy_metrics": tests,
    }
    free = sorted(set(data.header).difference(tests["known_variables"], table["columns"]) if right else ODD)
    if draw(st.booleans()) and free:
        table["columns"][draw(st.sampled_from(free))] = {"drop": True}
    if draw(st.sampled_from([False, False, True])):
        table["sample"] = "data/sample.csv"
    content = {"tables": {"birds": table}, "gates": draw(st.sampled_from([{}, {"hidden_rate": ">= 90"}]))}
    head = {"apiVersion": "avatar-gitops/v1", "kind": "AvatarRun", "metadata": {"name": "canary"}}
    return {**head, "spec": content}


class Server(MemoryServer):
    """Gives results with times as servers write them."""

    def results(self, version: ServerSet, jobs: Mapping[Job, str]) -> RunResult:
        return replace(super().results(version, jobs), started="2026-11-22T08:00:00Z", finished="2026-11-22T08:01:00Z")


@dataclass(frozen=True)
class Commit:
    """What git has at one time, the data that comes before the apply of it, and what was measured."""

    spec: dict[str, Any]
    data: Table
    sample: Table
    late: Table | None
    hidden: float

    def write(self, root: Path) -> None:
        for name, content in {
            "avatar-gitops.yaml": json.dumps(PROJECT).encode(),
            "configs/canary.yaml": json.dumps(self.spec, indent=1).encode(),
            "data/birds.csv": self.data.content,
            "data/sample.csv": self.sample.content,
        }.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(content)


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    data = draw(tables())
    sample = draw(st.just(data) | tables())
    late = draw(st.one_of(st.none(), st.none(), st.none(), tables()))
    return Commit(draw(specs(data)), data, sample, late, draw(st.sampled_from([95.0, 95.0, 50.0])))


def found(result: ValidationResult) -> Iterator[str]:
    """Every form of findings."""
    some = result.diagnostics
    yield diagnostics.as_text(some, result.sources)
    yield diagnostics.summary(some, result.files_checked, result.sets_made)
    yield diagnostics.as_short(some)
    yield diagnostics.as_json(some, result.files_checked)
    yield diagnostics.as_github(some)
    yield sarif.as_sarif(some)
    yield as_code_quality(some)
    yield invalid_comment("canaries", some, ORIGIN)


def shown(planned: Planned) -> Iterator[str]:
    """Every form of a plan, its events among them."""
    made, report = planned.plan, planned.policy
    yield plan.render(made) + plan.summary(made) + plan_explain.explain(made)
    yield from map(plan_explain.why, made.changes)
    yield plan_markdown.markdown(made, report)
    yield json.dumps(document(made), ensure_ascii=False)
    yield plan_comment(made, ORIGIN, policy_block(report))
    yield status.render(made, NOW) + status.to_json(made, NOW) + status.markdown(made, NOW)
    yield policy.section(report) + json.dumps(policy.document(report), ensure_ascii=False)
    yield sarif_policy.as_sarif(report, ()) + str(exposure.markdown(made, str))
    told = Ear()
    tell_plan(told, planned)
    yield from heard(told)
    yield repr(planned)


def heard(told: Ear) -> Iterator[str]:
    """Events as lines for programs and for people."""
    for event in told.heard:
        yield json.dumps(as_data(event), ensure_ascii=False)
        yield describe(event) or ""


def ended(planned: Planned, outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    """Every form of what an apply did."""
    if outcomes:
        yield outcome.as_text(outcomes, 1.0, outcome.context_of(planned.plan, outcomes), style=lambda text, _: text)
    yield outcome.as_json(outcomes, 1.0, planned.plan.digest)
    yield applied_comment(Applied("canaries", planned.plan.digest, tuple(map(Finished, outcomes))), ORIGIN)


def refused(error: AvatarGitOpsError) -> Iterator[str]:
    """Every form of a refusal."""
    yield f"{error.message} {error.hint} {error!r}"
    told = Ear()
    tell_error(told, error)
    yield from heard(told)
    if isinstance(error, SpecError):
        yield diagnostics.as_json(error.diagnostics, 1)


def lived(root: Path, commit: Commit, memory: Memory) -> Iterator[str]:
    """What the commands say while one commit is validated, planned and applied."""
    commit.write(root)
    memory.measured = {"hidden_rate": commit.hidden}
    yield from found(validate(root, cwd=root))
    try:
        loaded = load(root)
        planned = compare(loaded, Connection("local", "", ""), Server(memory), Consent(authors=("anna",)))
        yield from shown(planned)
        if commit.late is not None:
            (root / "data" / "birds.csv").write_bytes(commit.late.content)
        told, clock = Ear(), StillClock(NOW)
        publisher = Publisher(loaded)
        with FileJournal(root, planned.plan, clock) as journal:
            outcomes = execute(planned.plan, Ports(Server(memory), publisher, clock, told, journal))
        yield from heard(told)
        yield from ended(planned, outcomes)
    except AvatarGitOpsError as error:
        yield from refused(error)


@law(10, examples=12)
@given(st.lists(commits(), min_size=1, max_size=2))
def test_nothing_that_is_shown_or_written_holds_a_cell_value(told: list[Commit]) -> None:
    memory = Memory()
    canaries = {
        value
        for commit in told
        for table in (commit.data, commit.sample, commit.late)
        if table
        for value in table.canaries
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        texts = [text for commit in told for text in lived(root, commit, memory)]
        written = [path for path in root.rglob("*") if path.is_file() and path.parent.name != "data"]
        leaking = [leak for path in written for leak in leaks(path.name, path.read_bytes(), canaries)]
    leaking += [leak for text in texts for leak in leaks(text[:40], text.encode(), canaries)]
    assert leaking == []
