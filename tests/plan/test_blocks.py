"""Renames, removals, adoption, retention and previews, case by case."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import pytest

from avatar_gitops.errors import UnsafePlan
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.deletion import deletion, document
from avatar_gitops.plan.drift import NO_BLOCKS, Kind, Seen, drift
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, NoteKind, Plan, Reason
from avatar_gitops.plan.observed import Observed, ServerSet
from avatar_gitops.plan.steps import (
    CheckGates,
    DeleteJobs,
    Fetch,
    MoveResults,
    Publish,
    RemoveFormer,
    RemoveLock,
    steps,
)
from avatar_gitops.spec.project import Prune
from tests.support.blocks import TODAY, adopted, moved, planned, preview, removed, unmarked, uuid
from tests.support.planning import PROJECT, START, a_lock, a_version, wish

SCHEMA = Path(__file__).parents[2] / "schemas" / "deletion.v1.schema.json"


def only(whole: Plan) -> Change:
    (change,) = whole.changes
    return change


def does(change: Change) -> tuple[Action, Reason]:
    return change.action, change.reason


def kinds(change: Change) -> list[type]:
    return [type(step) for step in steps(change)]


def test_a_chain_of_moves_leads_to_the_name_at_its_end() -> None:
    first, last = wish("a"), wish("c")
    version = a_version(first)
    change = only(planned([last], [version], [a_lock(first, version)], moved(("a", "b"), ("b", "c"))))
    assert does(change) == (Action.RENAME, Reason.MOVED)
    assert kinds(change) == [MoveResults, Publish, RemoveFormer]


def test_a_lock_remembers_names_when_the_project_file_forgets_them() -> None:
    old, new = wish("old", lifecycle={"keep_versions": 3}), wish("new", lifecycle={"keep_versions": 3})
    versions = [a_version(old, 1), a_version(new, 2)]
    lock = replace(a_lock(new, versions[1]), moved_from=("old",))
    assert not planned([new], versions, [lock]).effective


def test_an_old_name_that_a_spec_has_again_does_not_take_the_published_run_back() -> None:
    old, new = wish("old", table={"avatarization": {"k": 9}}), wish("new")
    version = a_version(wish("old"))
    lock = replace(a_lock(new, version), moved_from=("old",))
    changes = {change.set: change for change in planned([old, new], [version], [lock]).changes}
    assert does(changes["new"]) == (Action.UNCHANGED, Reason.NOTHING_CHANGED)
    assert does(changes["old"]) == (Action.LAUNCH, Reason.NEW)


def test_a_move_to_a_set_that_exists_already_leaves_one_lock() -> None:
    old, new = wish("old"), wish("new")
    versions = [a_version(old, 1), a_version(new, 2)]
    locks = [a_lock(old, versions[0]), a_lock(new, versions[1])]
    change = only(planned([new], versions, locks, moved(("old", "new"))))
    assert does(change) == (Action.RENAME, Reason.MOVED)
    assert RemoveFormer("old", "configs/old.yaml") in steps(change)
    assert DeleteJobs(tuple(job.name for job in versions[0].jobs), 1) in steps(change)


def test_gates_are_asked_before_artifacts_move() -> None:
    old, new = wish("old"), wish("new", gates={"hidden_rate": ">= 90"})
    version = a_version(old)
    change = only(planned([new], [version], [a_lock(old, version)], moved(("old", "new"))))
    assert kinds(change) == [CheckGates, MoveResults, Publish, RemoveFormer]


def test_a_moved_set_without_a_lock_is_fetched_under_its_new_name() -> None:
    change = only(planned([wish("new")], [a_version(wish("old"))], (), moved(("old", "new"))))
    assert does(change) == (Action.RENAME, Reason.MOVED)
    assert kinds(change) == [Fetch, Publish]


@pytest.mark.parametrize("prune", Prune)
@pytest.mark.parametrize("keep", [True, False])
def test_the_project_file_decides_about_what_left_git(prune: Prune, keep: bool) -> None:
    gone, stays = wish("gone"), wish("stays")
    versions = [a_version(gone), a_version(stays)]
    locks = [a_lock(gone, versions[0]), a_lock(stays, versions[1])]
    whole = planned([stays], versions, locks, removed("gone", keep=keep), prune=prune)
    change = next(change for change in whole.changes if change.set == "gone")
    expected = (Action.KEEP, Reason.KEPT_ON_REMOVAL) if keep else (Action.DELETE, Reason.REMOVED_FROM_GIT)
    assert does(change) == expected


def test_consent_in_git_is_no_consent_to_delete_what_is_protected() -> None:
    gone = wish("gone", lifecycle={"protect": True})
    version = a_version(gone)
    blocks = removed("gone", keep=False)
    kept = only(planned([], [version], [a_lock(gone, version)], blocks))
    assert does(kept) == (Action.KEEP, Reason.PROTECTED)
    named = planned([], [version], [a_lock(gone, version)], blocks, allow_delete=frozenset({"gone"}))
    assert does(only(named)) == (Action.DELETE, Reason.REMOVED_FROM_GIT)


def test_deletions_that_git_consents_to_by_name_count_for_no_threshold() -> None:
    items = [wish(f"s{index:02}") for index in range(12)]
    versions = [a_version(item) for item in items]
    entries = tuple(entry for item in items[:6] for entry in removed(item.name, keep=False).removed)
    whole = planned(items[6:], versions, (), Blocks(removed=entries))
    assert sum(change.action is Action.DELETE for change in whole.changes) == 6
    with pytest.raises(UnsafePlan, match="6 of 12 owned sets would be deleted"):
        planned(items[6:], versions)


def test_the_last_day_counts_and_what_is_due_counts_for_the_threshold() -> None:
    items = [wish(f"s{index:02}", lifecycle={"delete_after": "2026-11-22"}) for index in range(12)]
    versions = [a_version(item) for item in items]
    locks = [a_lock(item, version) for item, version in zip(items, versions, strict=True)]
    assert not planned(items, versions, locks, today=TODAY).effective
    with pytest.raises(UnsafePlan, match="12 of 12"):
        planned(items, versions, locks, today=TODAY + timedelta(days=1))
    due = planned(items, versions, locks, today=TODAY + timedelta(days=1), force="retention")
    assert {does(change) for change in due.changes} == {(Action.DELETE, Reason.RETENTION_DUE)}


def test_a_set_without_a_spec_keeps_its_last_day() -> None:
    gone = wish("gone", lifecycle={"delete_after": "2026-11-01"})
    version, stays = a_version(gone), wish("stays")
    for blocks in (Blocks(), removed("gone", keep=True)):
        whole = planned([stays], [version], [a_lock(gone, version)], blocks, prune=Prune.NEVER)
        assert does(whole.changes[0]) == (Action.DELETE, Reason.RETENTION_DUE)


@pytest.mark.parametrize(("days", "said"), [(0, "today"), (1, "in 1 day,"), (30, "in 30 days,"), (31, None)])
def test_a_last_day_is_announced_thirty_days_ahead(days: int, said: str | None) -> None:
    item = wish(lifecycle={"delete_after": (TODAY + timedelta(days=days)).isoformat()})
    version = a_version(item)
    notes = planned([item], [version], [a_lock(item, version)]).notes
    assert [note.kind for note in notes] == ([NoteKind.RETENTION] if said else [])
    assert all(said in f"{note.text}," for note in notes if said)


def test_an_adopted_set_is_published_and_then_ours_also_without_its_entry() -> None:
    item = wish()
    made = uuid(unmarked(a_version(item)))
    change = only(planned([item], [made], (), adopted("patients", made)))
    assert does(change) == (Action.ADOPT, Reason.ADOPTED)
    assert kinds(change) == [Fetch, Publish]
    lock = replace(a_lock(item, made), adopted={made.id: item.digests})
    assert not planned([item], [made], [lock]).effective
    weaker = only(planned([wish(table={"avatarization": {"k": 5}})], [made], [lock]))
    assert weaker.action is Action.RELAUNCH
    assert steps(weaker)[-1] == DeleteJobs(tuple(job.name for job in made.jobs), 1)


def test_a_tail_of_an_adopted_set_runs_on_top_of_it() -> None:
    item, after = wish(), wish(pia={"language": "fr"})
    made = uuid(unmarked(a_version(item)))
    lock = replace(a_lock(item, made), adopted={made.id: item.digests})
    change = only(planned([after], [made], [lock], adopted("patients", made)))
    assert change.action is Action.RELAUNCH
    assert [job.value for job in change.jobs] == ["report", "report_pia"]


def test_a_newer_publication_wins_over_a_set_to_adopt() -> None:
    item = wish()
    made, newer = uuid(unmarked(a_version(wish(table={"avatarization": {"k": 9}}), 1))), a_version(item, 2)
    change = only(planned([item], [made, newer], [a_lock(item, newer)], adopted("patients", made)))
    assert change.action is not Action.ADOPT
    older = a_version(wish(table={"avatarization": {"k": 9}}), 0)
    again = only(planned([item], [made, older], [a_lock(item, older)], adopted("patients", made)))
    assert does(again) == (Action.ADOPT, Reason.ADOPTED)


def test_a_preview_is_promoted_once_it_has_finished() -> None:
    before, after = wish(), wish(table={"avatarization": {"k": 40}})
    version = a_version(before)
    lock = a_lock(before, version)
    good = preview(after, 2)
    promoted = only(planned([after], [version, good], [lock]))
    assert does(promoted) == (Action.COLLECT, Reason.PREVIEWED)
    assert promoted.current == good
    for status in ("error", "pending"):
        bad = preview(after, 2, jobs={"standard": status, "privacy_metrics": status})
        assert only(planned([after], [version, bad], [lock])).action is Action.RELAUNCH
    assert not planned([before], [version, good], [lock]).effective


def test_a_protected_set_takes_no_preview_without_consent() -> None:
    before = wish(lifecycle={"protect": True})
    after = wish(lifecycle={"protect": True}, table={"avatarization": {"k": 5}})
    version = a_version(before)
    found = [version, preview(after)]
    kept = only(planned([after], found, [a_lock(before, version)]))
    assert does(kept) == (Action.KEEP, Reason.PROTECTED)
    named = planned([after], found, [a_lock(before, version)], allow_relaunch=frozenset({"patients"}))
    assert does(only(named)) == (Action.COLLECT, Reason.PREVIEWED)


def test_previews_go_with_the_next_publication_and_with_their_set() -> None:
    item, other = wish(), wish(table={"avatarization": {"k": 40}})
    version, looked = a_version(item, 1), preview(other, 2)
    relaunch = only(planned([wish(table={"avatarization": {"k": 5}})], [version, looked], [a_lock(item, version)]))
    removal = only(planned([], [version, looked], [a_lock(item, version)], allow_delete=frozenset({"patients"})))
    for change in (relaunch, removal):
        names = next(step for step in steps(change) if isinstance(step, DeleteJobs)).jobs
        assert {job.name for job in looked.jobs} <= set(names)


def test_drift_follows_names_and_adoptions_and_leaves_previews_out() -> None:
    old, item = wish("old"), wish("registry")
    version, made = a_version(old), uuid(unmarked(a_version(item)))
    looked = preview(wish("old", table={"avatarization": {"k": 9}}))
    lock = replace(a_lock(item, made), adopted={made.id: item.digests})
    server = Observed("prod", (version, made, looked))

    def found(locks: Sequence[Lock], blocks: Blocks = NO_BLOCKS) -> list[tuple[str, Kind]]:
        return [(one.set, one.kind) for one in drift(locks, server, PROJECT, Seen(), blocks).findings]

    assert found([a_lock(old, version), lock]) == []
    assert found([a_lock(old, version)], moved(("old", "new"))) == []
    renamed = replace(a_lock(wish("new"), version), moved_from=("old",))
    assert found([renamed]) == []
    assert found([replace(lock, adopted={})]) == [("registry", Kind.EDITED)]


def refusals() -> dict[str, Callable[[], Plan]]:
    item = wish()
    ghost, theirs = uuid(a_version(item), 7), uuid(a_version(item, project="other"))
    many: Sequence[ServerSet] = [a_version(wish(f"s{index:02}"), index) for index in range(12)]
    return {
        "R004-missing": lambda: planned([item], [], (), adopted("patients", ghost)),
        "R004-owned": lambda: planned([item], [theirs], (), adopted("patients", theirs)),
        "R005-rename": lambda: planned([wish("t00"), *(wish(f"s{i:02}") for i in range(5, 12))], many),
    }


@pytest.mark.parametrize("name", refusals())
def test_refusals_say_how_to_go_on(name: str, golden: Callable[[str, str], None]) -> None:
    with pytest.raises(UnsafePlan) as caught:
        refusals()[name]()
    assert caught.value.code == name[:4]
    golden(f"plan/refused-{name}.txt", f"{caught.value.message}\n{caught.value.hint}\n")


def test_what_another_project_marked_is_taken_over_when_the_entry_says_so() -> None:
    item = wish()
    theirs = uuid(a_version(item, project="other"))
    change = only(planned([item], [theirs], (), adopted("patients", theirs, take_over=True)))
    assert change.action is Action.ADOPT


def test_a_receipt_has_the_published_form_and_says_what_is_gone() -> None:
    gone = wish("gone")
    version, looked = a_version(gone), preview(gone, 2)
    lock = replace(a_lock(gone, version), outputs={"avatars/patients.csv": "sha256:" + "a" * 64})
    whole = planned([wish("stays")], [version, looked], [lock], removed("gone", keep=False, reason="closed"))
    change = next(change for change in whole.changes if change.set == "gone")
    assert kinds(change) == [DeleteJobs, RemoveLock]
    content = document(deletion(change, whole, START), ["zoe", "adam"])
    jsonschema.validate(json.loads(json.dumps(content)), json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert content["remark"] == "closed"
    assert content["approved_by"] == ["adam", "zoe"]
    assert {run["id"] for run in content["runs"]} == {version.id, looked.id}
    assert content["artifacts"] == dict(lock.outputs)
    without = deletion(replace(change, versions=(), previews=()), whole, START)
    assert dict(without.runs) == {version.id: list(lock.jobs.values())}


def test_a_plan_without_a_day_deletes_nothing_for_its_age() -> None:
    item = wish(lifecycle={"delete_after": "2020-01-01"})
    version = a_version(item)
    assert not planned([item], [version], [a_lock(item, version)], today=date.min).effective
