"""Laws of plans in repositories whose sets are renamed, removed, adopted, previewed and limited in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from avatar_gitops.plan.blocks import Adopted, Blocks, Moved
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.model import Action, Plan, Reason
from avatar_gitops.plan.steps import CreateSet, DeleteJobs, LaunchJob, Publish, steps
from avatar_gitops.spec.days import day
from avatar_gitops.spec.project import Prune
from tests.support.laws import law
from tests.support.planning import wish
from tests.support.repositories import NAMES, Repository, repositories
from tests.support.wishes import specs
from tests.support.world import World


@dataclass(frozen=True)
class Episode:
    """One state of the repository and one apply of it; before it previews, and a set that somebody makes by hand.

    `foreseen` = one of the previews is of what is desired.
    """

    repository: Repository
    previews: Sequence[DesiredSet] = ()
    foreseen: bool = False
    by_hand: bool = False
    budget: int | None = None


def episodes(*, trouble: bool = False) -> st.SearchStrategy[list[Episode]]:
    previews = st.lists(st.builds(lambda name, spec: wish(name, **spec), st.sampled_from(NAMES), specs()), max_size=1)
    budget = st.none() | st.integers(0, 15) if trouble else st.none()
    return st.lists(
        st.builds(Episode, repositories(), previews, st.booleans(), st.booleans(), budget), min_size=1, max_size=4
    )


def brief(whole: Plan) -> list[tuple[str, ...]]:
    return [
        (change.set, change.action.value, change.reason.value, *(type(step).__name__ for step in steps(change)))
        for change in whole.effective
    ]


class Story:
    """A world that goes through episodes; sets that were made by hand are adopted as long as they are there."""

    def __init__(self) -> None:
        self.world = World()
        self.adopted: list[Adopted] = []

    def blocks(self, repository: Repository) -> Blocks:
        there = {version.id for version in self.world.observed().sets}
        names = {item.name for item in repository.desired}
        entries = tuple(entry for entry in self.adopted if entry.id in there and entry.set in names)
        return replace(repository.blocks, adopted=entries)

    def plan(self, repository: Repository, **changed: Any) -> Plan:
        options = repository.options(**{"blocks": self.blocks(repository), **changed})
        return self.world.plan(repository.desired, options)

    def live(self, episode: Episode) -> Plan:
        repository = episode.repository
        for item in (*episode.previews, *(repository.desired[:1] if episode.foreseen else ())):
            self.world.previewed(item)
        fresh = [item for item in repository.desired if item.name not in self.world.locks]
        if episode.by_hand and fresh:
            made = self.world.made_by_hand(fresh[-1], len(self.adopted) + 1)
            self.adopted.append(Adopted(set=fresh[-1].name, id=made))
        self.world.budget = episode.budget
        whole = self.plan(repository)
        note(f"{repository.today} {repository.prune.value} {brief(whole)} budget={episode.budget}")
        self.world.apply(whole)
        self.world.budget = None
        self.world.settle()
        return whole

    def assert_converged(self, repository: Repository) -> None:
        assert brief(self.plan(repository)) == []
        for item in repository.desired:
            lock = self.world.locks.get(item.name)
            if not repository.lives(item):
                assert lock is None
                continue
            assert lock is not None
            assert lock.digests == item.digests
            assert set(lock.jobs) == {job.value for job in wanted(item.run)}
            assert set(lock.jobs.values()) <= self.world.job_names()
        for entry in repository.blocks.moved:
            assert entry.from_ not in self.world.locks


@law(1, examples=100)
@given(episodes())
def test_applying_and_planning_again_gives_an_empty_plan(told: list[Episode]) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
        story.assert_converged(episode.repository)


@law(9, examples=100)
@given(episodes(trouble=True), repositories())
def test_after_any_trouble_one_calm_apply_converges(told: list[Episode], repository: Repository) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
    story.live(Episode(repository))
    story.assert_converged(repository)


@law(1)
@given(episodes(), repositories())
def test_dropping_applied_moves_from_the_project_file_changes_nothing(
    told: list[Episode], repository: Repository
) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
    story.live(Episode(repository))
    assert brief(story.plan(replace(repository, blocks=replace(repository.blocks, moved=())))) == []


@law(3)
@given(specs(), st.sampled_from(["hidden_rate", "local_cloaking"]), st.booleans(), st.integers(0, 10))
def test_a_rename_neither_deletes_nor_launches(spec: dict[str, Any], gate: str, locked: bool, stop: int) -> None:
    story = Story()
    blocks = Blocks(moved=(Moved.model_validate({"from": "ants", "to": "bees", "date": "2026-01-01"}),))
    before = Repository((wish("ants", **spec),), Blocks(), date(2026, 1, 1), Prune.OWNED)
    after = Repository((wish("bees", **{**spec, "gates": {gate: ">= 1"}}),), blocks, date(2026, 1, 1), Prune.OWNED)
    story.live(Episode(before))
    jobs = story.world.job_names()
    if not locked:
        story.world.locks.clear()
    whole = story.plan(after)
    assert [(change.set, change.action, change.reason) for change in whole.changes] == [
        ("bees", Action.RENAME, Reason.MOVED)
    ]
    assert not any(isinstance(step, CreateSet | LaunchJob | DeleteJobs) for step in steps(whole.changes[0]))
    story.live(Episode(after, budget=stop))
    story.live(Episode(after))
    story.assert_converged(after)
    assert story.world.job_names() >= jobs


@law(4, examples=100)
@given(episodes(), repositories())
def test_retention_never_deletes_before_its_day(told: list[Episode], repository: Repository) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
    for change in story.plan(repository).changes:
        if change.reason is Reason.RETENTION_DUE:
            last = day(change.due)
            assert last is not None
            assert repository.today > last
        if change.desired is not None and change.action is Action.DELETE:
            assert change.reason is Reason.RETENTION_DUE
            assert not repository.lives(change.desired)
        if change.desired is not None and not repository.lives(change.desired):
            assert not any(isinstance(step, CreateSet | LaunchJob) for step in steps(change))


@law(1, examples=60)
@given(repositories(), repositories(), specs(), st.sampled_from(NAMES))
def test_a_preview_changes_no_plan_unless_it_is_what_is_desired(
    before: Repository, after: Repository, spec: dict[str, Any], name: str
) -> None:
    story = Story()
    story.live(Episode(before))
    plain = story.plan(after)
    other = wish(name, **{**spec, "table": {"avatarization": {"k": 33}}})
    story.world.previewed(other)
    looked = story.plan(after)
    assert looked.digest == plain.digest
    assert [(c.set, c.action, c.reason, c.jobs) for c in looked.changes] == [
        (c.set, c.action, c.reason, c.jobs) for c in plain.changes
    ]


@law(4)
@given(episodes(trouble=True), repositories())
def test_no_plan_deletes_what_was_neither_made_nor_adopted(told: list[Episode], repository: Repository) -> None:
    story = Story()
    foreign = story.world.made_by_hand(wish("moths"), 900)
    version = story.world.sets[foreign]
    for episode in [*told, Episode(repository)]:
        story.live(episode)
    assert story.world.sets[foreign] == version


@law(6)
@given(episodes(), repositories())
def test_what_was_kept_on_removal_or_is_protected_is_not_touched(told: list[Episode], repository: Repository) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
    kept = {entry.set for entry in repository.blocks.removed if entry.keep_results}
    for change in story.plan(repository).changes:
        if change.set in kept and change.reason is not Reason.RETENTION_DUE:
            assert change.action is Action.KEEP
        if change.action is Action.KEEP:
            assert steps(change) == ()


@law(4)
@given(episodes(trouble=True), repositories())
def test_nothing_is_deleted_before_something_is_published(told: list[Episode], repository: Repository) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
    for change in story.plan(repository).effective:
        kinds = [type(step) for step in steps(change)]
        if DeleteJobs in kinds and change.action is not Action.DELETE and len(kinds) > 1:
            assert kinds.index(Publish) < kinds.index(DeleteJobs)
        if change.action is Action.ADOPT:
            assert not {CreateSet, LaunchJob}.intersection(kinds)


@law(2)
@given(episodes(), repositories(), st.randoms())
def test_the_order_of_specs_sets_and_locks_changes_nothing(
    told: list[Episode], repository: Repository, shuffle: Any
) -> None:
    story = Story()
    for episode in told:
        story.live(episode)
    whole = story.plan(repository)
    sets, locks, items = list(story.world.sets.items()), list(story.world.locks.items()), list(repository.desired)
    for each in (sets, locks, items):
        shuffle.shuffle(each)
    story.world.sets, story.world.locks = dict(sets), dict(locks)
    assert story.plan(replace(repository, desired=tuple(items))) == whole
