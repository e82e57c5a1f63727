"""What happens to a set, case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from avatar_gitops.errors import UnsafePlan
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.desired import DesiredSet, TableInput, avatars_input, desire
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, Plan, Privacy, Reason
from avatar_gitops.plan.observed import Annotation, Observed, ServerSet
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.steps import CreateSet, DeleteJobs, LaunchJob, RemoveLock, Wait, steps
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import Prune, Thresholds
from tests.support.planning import ALL, PROJECT, a_lock, a_version, an_input, wish

DEFAULT = Options()
OWNED = Options(prune=Prune.OWNED)
TAIL = (Job.PRIVACY_METRICS, Job.SIGNAL_METRICS, Job.REPORT, Job.REPORT_PIA)
REPORTS = (Job.REPORT, Job.REPORT_PIA)
K15: dict[str, Any] = {"table": {"avatarization": {"k": 15}}}
HARDER: dict[str, Any] = {"table": {"privacy_metrics": {"known_variables": ["age"]}}}
FRENCH: dict[str, Any] = {"pia": {"language": "fr"}}


def whole(
    desired: Sequence[DesiredSet] = (),
    versions: Sequence[ServerSet] = (),
    locks: Sequence[Lock] = (),
    options: Options = DEFAULT,
) -> Plan:
    return plan(desired, Observed("prod", tuple(versions)), {lock.set: lock for lock in locks}, options, PROJECT)


def one(
    desired: DesiredSet, versions: Sequence[ServerSet] = (), lock: Lock | None = None, options: Options = DEFAULT
) -> Change:
    (change,) = whole([desired], versions, [lock] if lock else [], options).changes
    return change


def verdict(change: Change) -> tuple[Action, Reason, tuple[Job, ...]]:
    return change.action, change.reason, change.jobs


def test_a_new_set_is_launched() -> None:
    assert verdict(one(wish())) == (Action.LAUNCH, Reason.NEW, tuple(Job))


def test_a_set_that_left_the_server_is_launched_again_and_shows_what_changed_since() -> None:
    change = one(wish(**K15), (), a_lock(wish(), a_version(wish())))
    assert verdict(change) == (Action.LAUNCH, Reason.MISSING, tuple(Job))
    assert change.privacy is Privacy.WEAKER


def test_jobs_that_a_listed_job_needs_run_too() -> None:
    assert one(wish(jobs=["report"])).jobs == (Job.STANDARD, Job.PRIVACY_METRICS, Job.SIGNAL_METRICS, Job.REPORT)


def test_a_run_that_measures_given_avatars_has_no_standard_job() -> None:
    item = wish(table={"avatarization": None, "avatars": "a.csv"})
    change = one(item)
    assert change.jobs == TAIL
    assert next(step.after for step in steps(change) if isinstance(step, LaunchJob)) == ()


@pytest.mark.parametrize(
    ("after", "jobs", "based"),
    [(K15, tuple(Job), False), (HARDER, TAIL, True), (FRENCH, REPORTS, True), ({"seed": 3}, tuple(Job), False)],
)
def test_only_the_tail_that_depends_on_the_change_runs(
    after: dict[str, Any], jobs: tuple[Job, ...], based: bool
) -> None:
    version = a_version(wish())
    change = one(wish(**after), [version], a_lock(wish(), version))
    assert verdict(change) == (Action.RELAUNCH, Reason.SPEC_CHANGED, jobs)
    assert change.base == (version if based else None)
    assert [step for step in steps(change) if isinstance(step, CreateSet)] == [CreateSet(version.id if based else None)]


def test_a_tail_needs_no_lock() -> None:
    version = a_version(wish())
    change = one(wish(**FRENCH), [version])
    assert (change.jobs, change.base, change.fields) == (REPORTS, version, ())


def test_changed_data_runs_everything() -> None:
    version = a_version(wish())
    change = one(wish(data=an_input("b")), [version], a_lock(wish(), version))
    assert verdict(change) == (Action.RELAUNCH, Reason.INPUT_CHANGED, tuple(Job))
    assert change.privacy is Privacy.UNKNOWN


def test_a_new_column_of_the_data_is_weaker_unless_the_spec_drops_it() -> None:
    version = a_version(wish())
    wider = an_input("b", ["age", "sex", "city", "diagnosis"])
    dropped = {"columns": {"diagnosis": {"drop": True}}}
    assert one(wish(data=wider), [version], a_lock(wish(), version)).privacy is Privacy.WEAKER
    change = one(wish(data=wider, table=dropped), [version], a_lock(wish(), version))
    assert Privacy.WEAKER not in {field.privacy for field in change.fields}


def test_the_base_is_the_newest_version_that_still_gives_a_job() -> None:
    first = a_version(wish(), 1, ["standard"])
    second = a_version(wish(**HARDER), 2, [job.value for job in TAIL], base=first)
    again = wish(table={"privacy_metrics": {"known_variables": ["age", "sex"]}})
    change = one(again, [second, first], a_lock(wish(**HARDER), second))
    assert (change.jobs, change.base) == (TAIL, first)
    assert one(wish(**HARDER, **FRENCH), [second, first], a_lock(wish(**HARDER), second)).base == second


@pytest.mark.parametrize(
    ("broken", "jobs", "based"),
    [
        ({"standard": "error"}, tuple(Job), False),
        ({"privacy_metrics": "error"}, (Job.PRIVACY_METRICS, *REPORTS), True),
        ({"report_pia": "error"}, (Job.REPORT_PIA,), True),
        ({"standard": "pending", "privacy_metrics": "error"}, tuple(Job), False),
        ({"signal_metrics": "pending", "privacy_metrics": "error"}, (Job.PRIVACY_METRICS, *REPORTS), True),
    ],
)
def test_failed_jobs_run_again_with_what_depends_on_them(
    broken: Mapping[str, str], jobs: tuple[Job, ...], based: bool
) -> None:
    version = a_version(wish(), jobs={**dict.fromkeys(ALL, "finished"), **broken})
    change = one(wish(), [version])
    assert verdict(change) == (Action.RELAUNCH, Reason.LAST_RUN_FAILED, jobs)
    assert (change.base is not None) is based


def test_a_newer_attempt_of_a_failed_job_counts() -> None:
    version = a_version(wish())
    failed = replace(version.jobs[1], name="older", failed=True, status="error")
    change = one(wish(), [replace(version, jobs=(*version.jobs, failed))], a_lock(wish(), version))
    assert verdict(change) == (Action.COLLECT, Reason.UNFINISHED, ())
    assert steps(change) == (DeleteJobs(("older",), 1),)


def test_an_unfinished_run_goes_on_where_it_stopped() -> None:
    version = a_version(wish(), jobs={"standard": "finished", "privacy_metrics": "pending"})
    change = one(wish(), [version])
    assert verdict(change) == (Action.COLLECT, Reason.UNFINISHED, (Job.SIGNAL_METRICS, *REPORTS))
    assert change.current == version
    assert Wait(tuple(Job)) in steps(change)


def test_a_running_run_is_waited_for() -> None:
    change = one(wish(), [a_version(wish(), jobs=dict.fromkeys(ALL, "pending"))])
    assert verdict(change) == (Action.COLLECT, Reason.UNFINISHED, ())
    assert not any(isinstance(step, LaunchJob) for step in steps(change))


def test_a_job_that_somebody_deleted_runs_again_with_what_was_made_from_it() -> None:
    version = a_version(wish(), jobs=[job for job in ALL if job != "signal_metrics"])
    change = one(wish(), [version], a_lock(wish(), version))
    assert verdict(change) == (Action.RELAUNCH, Reason.UNFINISHED, (Job.SIGNAL_METRICS, *REPORTS))


def test_a_job_added_to_the_spec_runs_alone_in_a_version_that_has_its_document() -> None:
    before = wish(jobs=["standard", "privacy_metrics", "signal_metrics", "report"])
    version = a_version(before, jobs=ALL[:4])
    change = one(wish(), [version], a_lock(before, version))
    assert verdict(change) == (Action.RELAUNCH, Reason.SPEC_CHANGED, (Job.REPORT_PIA,))
    assert change.base == version


def test_a_job_removed_from_the_spec_runs_nothing_and_is_deleted() -> None:
    version = a_version(wish())
    change = one(wish(jobs=list(ALL[:4])), [version], a_lock(wish(), version))
    assert change.action is Action.UPDATE
    assert steps(change)[-1] == DeleteJobs(("patients-v1-report_pia",), 1)


def test_what_was_not_published_is_collected() -> None:
    version = a_version(wish())
    assert verdict(one(wish(), [version])) == (Action.COLLECT, Reason.NOT_COLLECTED, ())
    older = a_lock(wish(), a_version(wish(), 0))
    assert verdict(one(wish(), [version], older)) == (Action.COLLECT, Reason.NOT_COLLECTED, ())


def test_going_back_to_a_version_that_is_still_there_runs_nothing() -> None:
    old, new = a_version(wish(), 1), a_version(wish(**K15), 2)
    change = one(wish(), [new, old], a_lock(wish(**K15), new))
    assert verdict(change) == (Action.COLLECT, Reason.NOT_COLLECTED, ())
    assert change.current == old


def test_of_two_equal_versions_the_newest_stays() -> None:
    first, second = a_version(wish(), 1), a_version(wish(), 2)
    change = one(wish(), [first, second])
    assert change.current == second
    (deleted,) = [step for step in steps(change) if isinstance(step, DeleteJobs)]
    assert set(deleted.jobs) == {job.name for job in first.jobs}


@pytest.mark.parametrize(("keep", "deleted"), [(1, 2), (2, 1), (3, 0)])
def test_as_many_versions_stay_as_are_wanted(keep: int, deleted: int) -> None:
    item = wish(lifecycle={"keep_versions": keep})
    old = [a_version(wish(table={"avatarization": {"k": 30 + n}}), n) for n in range(2)]
    head = a_version(item, 9)
    change = one(item, [head, *old], a_lock(item, head))
    gone = [step.versions for step in steps(change) if isinstance(step, DeleteJobs)]
    assert sum(gone) == deleted
    assert change.action is (Action.COLLECT if deleted else Action.UNCHANGED)


def test_a_version_that_only_links_two_others_keeps_a_job() -> None:
    first = a_version(wish(), 1, ["standard"])
    second = a_version(wish(**HARDER), 2, ["report"], base=first)
    third = a_version(wish(), 3, [job.value for job in TAIL], base=second)
    assert one(wish(), [third, second, first], a_lock(wish(), third)).action is Action.UNCHANGED


def test_a_base_that_is_gone_or_a_circle_ends_the_chain() -> None:
    gone = replace(a_version(wish(), 1), id="gone")
    orphan = a_version(wish(), 2, [job.value for job in TAIL], base=gone)
    assert one(wish(), [orphan]).action is Action.RELAUNCH
    itself = replace(orphan, annotations={**orphan.annotations, Annotation.BASE_SET: orphan.id})
    assert one(wish(), [itself]).action is Action.RELAUNCH


def test_metadata_only_updates_the_lock() -> None:
    version = a_version(wish())
    change = one(wish(metadata={"owner": "anna"}), [version], a_lock(wish(), version))
    assert verdict(change) == (Action.UPDATE, Reason.METADATA_CHANGED, ())


def test_when_nothing_ever_finished_everything_runs() -> None:
    change = one(wish(**FRENCH), [a_version(wish(), jobs={"standard": "error"})])
    assert verdict(change) == (Action.RELAUNCH, Reason.SPEC_CHANGED, tuple(Job))


def test_protection_stops_a_relaunch_but_not_a_launch() -> None:
    guarded: dict[str, Any] = {"lifecycle": {"protect": True}}
    version = a_version(wish(**guarded))
    lock = a_lock(wish(**guarded), version)
    change = one(wish(**guarded, **K15), [version], lock)
    assert verdict(change) == (Action.KEEP, Reason.PROTECTED, ())
    allowed = Options(allow_relaunch=frozenset({"patients"}))
    assert one(wish(**guarded, **K15), [version], lock, allowed).action is Action.RELAUNCH
    assert one(wish(**guarded)).action is Action.LAUNCH


def removed(options: Options, *, marked: bool = False, locked: bool = False) -> Change:
    gone = wish("gone", lifecycle={"protect": marked})
    version = a_version(gone)
    lock = a_lock(wish("gone", lifecycle={"protect": locked}), version)
    stays = wish()
    changes = whole([stays], [version], [lock], options).changes
    return next(change for change in changes if change.set == "gone")


def test_a_removed_spec_deletes_only_when_asked_for() -> None:
    assert verdict(removed(DEFAULT)) == (Action.KEEP, Reason.PRUNE_NEVER, ())
    change = removed(OWNED)
    assert verdict(change) == (Action.DELETE, Reason.REMOVED_FROM_GIT, ())
    assert change.path == "configs/gone.yaml"
    assert [type(step) for step in steps(change)] == [DeleteJobs, RemoveLock]


@pytest.mark.parametrize(("marked", "locked"), [(True, False), (False, True), (True, True)])
def test_a_removed_spec_that_was_protected_stays_unless_named(marked: bool, locked: bool) -> None:
    assert verdict(removed(OWNED, marked=marked, locked=locked)) == (Action.KEEP, Reason.PROTECTED, ())
    named = replace(OWNED, allow_delete=frozenset({"gone"}))
    assert removed(named, marked=marked, locked=locked).action is Action.DELETE


def test_a_lock_that_outlived_its_set_goes_with_the_next_pruning_apply() -> None:
    lock = a_lock(wish("gone"), a_version(wish("gone")))
    assert whole([], [], [lock]).changes == ()
    (change,) = whole([], [], [lock], OWNED).changes
    assert steps(change) == (RemoveLock(),)


def test_a_set_without_lock_is_deleted_by_its_mark() -> None:
    version = a_version(wish("gone"))
    (change,) = whole([], [version], [], replace(OWNED, allow_delete=frozenset({"gone"}))).changes
    assert (change.action, change.path) == (Action.DELETE, "configs/gone.yaml")
    bare = replace(version, annotations={Annotation.PROJECT: PROJECT})
    (change,) = whole([], [bare], []).changes
    assert (change.set, change.path, change.action) == ("gone", "", Action.KEEP)


def test_a_name_of_somebody_else_is_refused_even_beside_a_good_set() -> None:
    theirs = a_version(wish("theirs"), project="other")
    unmarked = replace(a_version(wish("free")), annotations={})
    with pytest.raises(UnsafePlan) as caught:
        whole([wish("mine"), wish("theirs"), wish("free")], [theirs, unmarked])
    assert caught.value.code == "R003"
    assert "`free`, `theirs`" in caught.value.message
    assert "nobody, other" in caught.value.message


def test_a_name_that_is_ours_too_is_not_refused() -> None:
    ours, theirs = a_version(wish(), 1), a_version(wish(), 2, project="other")
    found = whole([wish()], [ours, theirs])
    assert found.foreign == 1
    assert found.changes[0].versions == (ours,)


def test_no_spec_at_all_never_deletes_everything() -> None:
    versions = [a_version(wish(name)) for name in ("ants", "bees")]
    with pytest.raises(UnsafePlan) as caught:
        whole([], versions, [], replace(OWNED, allow_delete=frozenset({"ants"})))
    assert caught.value.code == "R007"
    both = replace(OWNED, allow_delete=frozenset({"ants", "bees"}))
    assert [change.action for change in whole([], versions, [], both).changes] == [Action.DELETE, Action.DELETE]
    assert {change.action for change in whole([], versions).changes} == {Action.KEEP}


@pytest.mark.parametrize(
    ("owned", "gone", "options", "refused"),
    [
        (10, 3, OWNED, False),
        (10, 4, OWNED, True),
        (9, 8, OWNED, False),
        (10, 4, replace(OWNED, force="site closes"), False),
        (10, 4, replace(OWNED, force="  "), True),
        (10, 4, replace(OWNED, allow_delete=frozenset({"s0"})), False),
        (10, 1, replace(OWNED, thresholds=Thresholds(max_delete_percent=0)), True),
    ],
)
def test_too_many_deletes_are_refused(owned: int, gone: int, options: Options, refused: bool) -> None:
    items = [wish(f"s{n}") for n in range(owned)]
    versions = [a_version(item) for item in items]
    if not refused:
        whole(items[gone:], versions, [], options)
        return
    with pytest.raises(UnsafePlan, match=f"{gone} of {owned} owned sets would be deleted") as caught:
        whole(items[gone:], versions, [], options)
    assert caught.value.code == "R005"


def test_too_many_relaunches_are_refused() -> None:
    versions = [a_version(wish(f"s{n}")) for n in range(10)]
    items = [wish(f"s{n}", **(K15 if n < 4 else {})) for n in range(10)]
    with pytest.raises(UnsafePlan, match="4 of 10 owned sets would be relaunched") as caught:
        whole(items, versions)
    assert "--allow-relaunch" in (caught.value.hint or "")
    assert len(whole(items, versions, [], Options(allow_relaunch=frozenset({"s1"}))).changes) == 10


def test_jobs_that_no_spec_knows_count_for_nothing() -> None:
    version = a_version(wish(), jobs=[*ALL, "advice"])
    change = one(wish(), [version], a_lock(wish(), version))
    assert steps(change) == (DeleteJobs(("patients-v1-advice",), 1),)


def test_given_avatars_are_inputs_too() -> None:
    given = TableInput(avatars_input("patients"), "sha256:" + "c" * 64, 1, ("age",), "<100")
    before = desire(wish().run, "p.yaml", [an_input(), given])
    after = desire(
        wish().run, "p.yaml", [an_input(), replace(given, digest="sha256:" + "d" * 64, columns=("age", "sex"))]
    )
    version = a_version(before)
    change = one(after, [version], a_lock(before, version))
    assert change.reason is Reason.INPUT_CHANGED
    assert change.privacy is Privacy.WEAKER


def test_marks_say_whose_a_version_is_and_what_it_was_made_from() -> None:
    item = wish(lifecycle={"protect": True})
    made = marks(item, PROJECT, "", "0.1.0", "base")
    assert made["avatar-gitops/project"] == PROJECT
    assert made["avatar-gitops/protect"] == "true"
    assert made["avatar-gitops/base-set"] == "base"
    assert "avatar-gitops/commit" not in made
    assert all(isinstance(key, str) and type(key) is str for key in made)


def test_somebody_who_only_looks_is_never_refused() -> None:
    theirs = a_version(wish("theirs"), project="other")
    owned = [a_version(wish(f"s{n}")) for n in range(10)]
    looking = replace(OWNED, look=True)
    assert {change.set for change in whole([wish("theirs")], [theirs, *owned], [], looking).changes} >= {"theirs", "s0"}
    assert len(whole([], owned, [], looking).changes) == 10


def test_a_published_job_that_ran_again_is_collected_again() -> None:
    item = wish()
    version = a_version(item)
    again = replace(version.jobs[1], name="patients-v1-privacy_metrics-again")
    now = replace(version, jobs=(version.jobs[0], again, *version.jobs[2:]))
    (change,) = whole([item], [now], [a_lock(item, version)]).changes
    assert (change.action, change.reason) == (Action.COLLECT, Reason.NOT_COLLECTED)
    kinds = [type(step).__name__ for step in steps(change)]
    assert kinds[:2] == ["Fetch", "Publish"]
