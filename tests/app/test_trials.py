"""Trials measure, clean up after themselves whatever happens, and are never taken for versions of a set."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.trials import TRIAL, Bench, Trial, launch, measure, measuring, preview_platform, trial
from avatar_gitops.errors import Locked, RemoteUnavailable
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.plan.model import Action
from avatar_gitops.plan.observed import Annotation, Observed, ServerJob
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.versions import digests
from avatar_gitops.spec.models import Job
from avatar_gitops.workspace.inputs import file_digest
from tests.support.flow import people as rows
from tests.support.http import StillClock
from tests.support.memory import Memory, MemoryServer
from tests.support.planning import PROJECT, wish

pytestmark = pytest.mark.slow

FIRST, SECOND = wish("ants", seed=1), wish("bees", seed=1)


def bench(memory: Memory, **more: Any) -> Bench:
    return Bench(MemoryServer(memory), StillClock(), PROJECT, "4f2a91c", parallelism=2, **more)


def some() -> list[Trial]:
    return [trial((item.name, side), item, seed) for item in (FIRST, SECOND) for side in "ab" for seed in (1, 2)]


def left(memory: Memory) -> list[str]:
    return [job.name for version in memory.sets.values() for job in version.jobs]


def test_metrics_come_back_by_seed_and_nothing_stays_on_the_server() -> None:
    memory, told = Memory(), []
    found = measure(some(), bench(memory, tell=lambda item, number, total: told.append((number, total))))
    assert set(found) == {(name, side) for name in ("ants", "bees") for side in "ab"}
    for one in found.values():
        assert one.runs == {seed: {"patients": {"hidden_rate": 95.0}} for seed in (1, 2)}
        assert (one.engine, one.error) == ("engine/1", "")
    assert left(memory) == []
    assert told == [(number, 8) for number in range(1, 9)]


def test_only_the_jobs_that_measure_run_and_each_with_its_own_seed() -> None:
    memory = Memory()
    measure([trial(("ants", "a"), FIRST, 5)], bench(memory, keep=True))
    (version,) = memory.sets.values()
    assert [job.parameters for job in version.jobs] == ["standard", "privacy_metrics", "signal_metrics"]
    assert trial(("ants", "a"), FIRST, 5).desired.run.spec.seed == 5
    assert measuring(wish("x", jobs=["standard"])) == ()
    assert measuring(wish("x", jobs=["standard", "signal_metrics"])) == (Job.STANDARD, Job.SIGNAL_METRICS)


def test_no_plan_takes_a_trial_for_a_version() -> None:
    """Not even one with the spec's own seed, all of whose jobs are done."""
    item = wish("ants", seed=1, jobs=["standard", "privacy_metrics", "signal_metrics"])
    memory = Memory()
    measure([trial(("ants", "a"), item, 1)], bench(memory, keep=True))
    (version,) = memory.sets.values()
    assert version.annotations[Annotation.PREVIEW]
    assert not any((digests(version).standard, digests(version).metrics, digests(version).spec))
    made = plan([item], Observed("prod", (version,)), {}, Options(blocks=Blocks()), PROJECT)
    assert [change.action for change in made.changes] == [Action.LAUNCH]


@pytest.mark.parametrize("failing", ["standard", "signal_metrics"])
def test_a_job_that_fails_is_told_once_and_the_other_sets_go_on(failing: str) -> None:
    memory = Memory(failing=(failing,))
    found = measure(some(), bench(memory))
    assert all(one.error == f"{failing} failed: bad" and not one.runs for one in found.values())
    assert left(memory) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RemoteUnavailable("no answer")])
@pytest.mark.parametrize("step", ["create", "launch", "job", "results"])
def test_whatever_stops_a_preview_the_jobs_are_deleted(step: str, error: BaseException) -> None:
    stopped = threading.Event()

    def fault(number: int, name: str) -> None:
        if name == step and number > 6 and not stopped.is_set():
            stopped.set()
            raise error

    memory = Memory(fault=fault)
    with pytest.raises((KeyboardInterrupt, RemoteUnavailable)):
        measure(some(), bench(memory))
    assert stopped.is_set()
    assert len(left(memory)) <= 1  # a launch whose answer was lost cannot be told; the next preview deletes it


def test_a_platform_is_used_by_one_preview_at_a_time_which_deletes_what_a_killed_one_left(
    tmp_path: Path, people: Callable[[Path], Trial]
) -> None:
    item = people(tmp_path)
    with preview_platform(tmp_path, PROJECT) as gateway:
        stopping = Bench(gateway, StillClock(), PROJECT)
        started: dict[Job, ServerJob] = {}
        launch(item.desired, (Job.STANDARD,), TRIAL, stopping, started)
        assert len(gateway.observe(PROJECT).sets) == 1
        with pytest.raises(Locked), preview_platform(tmp_path, PROJECT):
            pass
    with pytest.raises(KeyboardInterrupt), preview_platform(tmp_path, PROJECT) as gateway:
        assert gateway.observe(PROJECT).sets == ()
        raise KeyboardInterrupt
    assert not (tmp_path / ".avatar" / "preview").exists()


@pytest.fixture
def people() -> Callable[[Path], Trial]:
    def made(root: Path) -> Trial:
        path = root / "data" / "patients.csv"
        path.parent.mkdir()
        path.write_text(rows())
        columns = ("age", "height", "city", "smoker")
        data = TableInput("patients", file_digest(path), path.stat().st_size, columns, "<100")
        return trial(("ants", "a"), wish("ants", data=data), 1)

    return made
