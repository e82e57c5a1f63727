"""Laws that hold for every plan: it converges, it is idempotent, it never harms what is not its business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import assume, given, note
from hypothesis import strategies as st

from avatar_gitops.errors import UsageError
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.model import Action, Plan, Privacy, Reason
from avatar_gitops.plan.planner import Options, restrict
from avatar_gitops.plan.select import STATES, Selection
from avatar_gitops.plan.steps import CreateSet, DeleteJobs, LaunchJob, Publish, steps
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import Prune
from tests.support.laws import law
from tests.support.planning import a_version, wish
from tests.support.wishes import NAMES, allowed, specs, wishes
from tests.support.world import CALM, World


@dataclass(frozen=True)
class Episode:
    """One change of the repository and one apply of it, and what goes wrong: jobs, gates, a kill, a lost job."""

    desired: tuple[DesiredSet, ...]
    failing: Sequence[Job] = ()
    gates_pass: bool = True
    budget: int | None = None
    settles: bool = True
    lost: int | None = None


def _episodes(*, trouble: bool) -> st.SearchStrategy[list[Episode]]:
    if not trouble:
        return st.lists(st.builds(Episode, wishes()), min_size=1, max_size=4)
    return st.lists(
        st.builds(
            Episode,
            desired=wishes(),
            failing=st.lists(st.sampled_from(list(Job)), max_size=1),
            gates_pass=st.booleans(),
            budget=st.none() | st.integers(0, 20),
            settles=st.booleans(),
            lost=st.none() | st.integers(0, 30),
        ),
        min_size=1,
        max_size=5,
    )


def brief(whole: Plan) -> list[tuple[str, ...]]:
    """What apply would do, short enough to read when a law does not hold."""
    return [
        (change.set, change.action.value, change.reason.value, *(type(step).__name__ for step in steps(change)))
        for change in whole.effective
    ]


def live(world: World, episode: Episode) -> None:
    """Let one episode happen."""
    world.failing, world.budget = episode.failing, episode.budget
    world.gates = lambda desired: episode.gates_pass
    whole = world.plan(episode.desired, allowed(episode.desired))
    note(f"{brief(whole)} failing={episode.failing} gates={episode.gates_pass} budget={episode.budget}")
    world.apply(whole)
    if episode.settles:
        world.settle()
    names = sorted(world.job_names())
    if episode.lost is not None and names:
        world._delete([names[episode.lost % len(names)]])
    world.failing, world.budget, world.gates = (), None, lambda desired: True


def converge(world: World, desired: Sequence[DesiredSet]) -> None:
    """One apply, and one more where the first met jobs that had failed while it waited."""
    world.settle()
    whole = world.plan(desired, allowed(desired))
    note(f"calm {brief(whole)}")
    world.apply(whole)
    assert brief(world.plan(desired, allowed(desired))) == []


def assert_published(world: World, desired: Sequence[DesiredSet]) -> None:
    assert set(world.locks) == {item.name for item in desired}
    for item in desired:
        lock = world.locks[item.name]
        assert lock.digests == item.digests
        assert set(lock.jobs) == {job.value for job in wanted(item.run)}
        assert set(lock.jobs.values()) <= world.job_names()
    assert {version.display_name for version in world.observed().sets} == {item.name for item in desired}


@law(1)
@given(_episodes(trouble=False))
def test_applying_a_plan_and_planning_again_gives_an_empty_plan(episodes: list[Episode]) -> None:
    world = World()
    for episode in episodes:
        live(world, episode)
        assert brief(world.plan(episode.desired, allowed(episode.desired))) == []
        assert_published(world, episode.desired)


@law(9, examples=100)
@given(_episodes(trouble=True), wishes())
def test_after_any_trouble_one_calm_apply_ends_where_an_undisturbed_one_ends(
    episodes: list[Episode], desired: tuple[DesiredSet, ...]
) -> None:
    world = World()
    for episode in episodes:
        live(world, episode)
    converge(world, desired)
    assert_published(world, desired)


@law(9, examples=12)
@given(wishes(), wishes())
def test_interrupted_after_any_step_the_next_apply_ends_in_the_same_state(
    before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...]
) -> None:
    calm = World()
    calm.apply(calm.plan(before, allowed(before)))
    calm.apply(calm.plan(after, allowed(after)))
    length = len(calm.done)
    for stop in range(0, length + 1, 3):
        world = World(budget=stop)
        if world.apply(world.plan(before, allowed(before))):
            world.apply(world.plan(after, allowed(after)))
        world.budget = None
        converge(world, after)
        assert_published(world, after)


@law(9)
@given(wishes(), wishes(), st.integers(0, 25))
def test_what_is_published_stays_until_the_new_version_is(
    before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...], stop: int
) -> None:
    world = World()
    world.apply(world.plan(before, allowed(before)))
    world.budget = stop
    plan = world.plan(after, allowed(after))
    world.apply(plan)
    for name, lock in world.locks.items():
        removed = any(change.set == name and change.action is Action.DELETE for change in plan.changes)
        assert removed or set(lock.jobs.values()) <= world.job_names()


@law(4)
@given(_episodes(trouble=True), wishes())
def test_no_plan_deletes_what_this_project_does_not_own(
    episodes: list[Episode], desired: tuple[DesiredSet, ...]
) -> None:
    foreign = [
        a_version(wish("wasps"), 1, project="someone-else"),
        replace(a_version(wish("moths"), 2), annotations={}),
    ]
    world = World(sets={version.id: version for version in foreign})
    for episode in [*episodes, Episode(desired)]:
        live(world, replace(episode, lost=None))
    assert all(world.sets[version.id] == version for version in foreign)
    assert world.plan(desired, allowed(desired)).foreign == 2


@law(3)
@given(specs(), st.sampled_from(["carla", "dan"]))
def test_a_change_of_metadata_never_launches(spec: dict[str, Any], owner: str) -> None:
    world = World()
    world.apply(world.plan([wish("ants", **spec)]))
    changed = {**spec, "metadata": {"owner": owner, "description": "new", "labels": {"a": "b"}}}
    changed["gates"] = {"hellinger_mean": "<= 0.2"}
    changed["pia"] = {**spec["pia"], "purpose": "new", "retention": "1 year"}
    (change,) = world.plan([wish("ants", **changed)]).changes
    assert (change.action, change.reason) == (Action.UPDATE, Reason.METADATA_CHANGED)
    assert not any(isinstance(step, LaunchJob | CreateSet) for step in steps(change))


@law(6)
@given(_episodes(trouble=True), wishes(), st.booleans(), st.booleans())
def test_a_protected_set_is_neither_deleted_nor_relaunched_unless_named(
    episodes: list[Episode], desired: tuple[DesiredSet, ...], consent_delete: bool, consent_relaunch: bool
) -> None:
    world = World()
    for episode in episodes:
        live(world, replace(episode, desired=tuple(_protected(item) for item in episode.desired)))
    options = Options(
        Prune.OWNED,
        CALM.thresholds,
        frozenset(NAMES if consent_delete or not desired else ()),
        frozenset(NAMES if consent_relaunch else ()),
    )
    for change in world.plan([_protected(item) for item in desired], options).changes:
        if change.action is Action.DELETE and change.protected:
            assert change.set in options.allow_delete
        if change.action is Action.RELAUNCH:
            assert change.set in options.allow_relaunch
        if change.reason is Reason.PROTECTED:
            assert steps(change) == ()


def _protected(item: DesiredSet) -> DesiredSet:
    lifecycle = item.run.spec.lifecycle.model_copy(update={"protect": True})
    run = item.run.model_copy(update={"spec": item.run.spec.model_copy(update={"lifecycle": lifecycle})})
    spec = {**item.resolved["spec"], "lifecycle": {**item.resolved["spec"]["lifecycle"], "protect": True}}
    return replace(item, run=run, resolved={**item.resolved, "spec": spec})


@law(8)
@given(_episodes(trouble=True), wishes())
def test_steps_delete_only_after_publishing_and_launch_after_what_is_needed(
    episodes: list[Episode], desired: tuple[DesiredSet, ...]
) -> None:
    world = World()
    for episode in episodes:
        live(world, episode)
    for change in world.plan(desired, allowed(desired)).effective:
        todo = steps(change)
        assert todo == steps(change)
        kinds = [type(step) for step in todo]
        if DeleteJobs in kinds and change.action is not Action.DELETE and len(todo) > 1:
            assert kinds.index(Publish) < kinds.index(DeleteJobs)
        launched = [step.job for step in todo if isinstance(step, LaunchJob)]
        assert launched == list(change.jobs)


@law(5)
@given(wishes(), st.sets(st.sampled_from(NAMES)))
def test_two_parts_of_a_plan_are_the_whole(desired: tuple[DesiredSet, ...], chosen: set[str]) -> None:
    world = World()
    world.apply(world.plan([wish("ants")]))
    whole = world.plan(desired, allowed(desired))
    one, other = restrict(whole, chosen), restrict(whole, set(NAMES) - chosen)
    assert sorted(c.set for c in (*one.changes, *other.changes)) == sorted(c.set for c in whole.changes)
    assert restrict(whole, NAMES) == whole


SELECTORS = st.lists(
    st.sampled_from([
        "ants", "?ees", "*", "path:configs", "path:configs/ants.*", "owner:a", "owner:BEN", "label:team",
        "label:team=b*", "weaker:", *(f"state:{state}" for state in STATES),
    ]),
    min_size=1,
    max_size=3,
)  # fmt: skip


@law(5, examples=150)
@given(wishes(), wishes(), SELECTORS)
def test_select_and_exclude_split_a_plan(
    before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...], selectors: list[str]
) -> None:
    world = World()
    world.apply(world.plan(before, allowed(before)))
    options = allowed(after)
    whole = world.plan(after, options)
    try:
        chosen = world.plan(after, replace(options, selection=Selection(select=tuple(selectors))))
    except UsageError:
        assume(False)
    rest = world.plan(after, replace(options, selection=Selection(exclude=tuple(selectors))))
    one, other = {c.set: c for c in chosen.changes}, {c.set: c for c in rest.changes}
    assert one.keys().isdisjoint(other)
    assert one | other == {c.set: c for c in whole.changes}
    assert (chosen.left_out, rest.left_out) == (len(other), len(one))


@law(5)
@given(wishes(), wishes(), st.sets(st.sampled_from(NAMES)))
def test_a_restricted_apply_leaves_all_other_sets_as_they_are(
    before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...], chosen: set[str]
) -> None:
    world = World()
    world.apply(world.plan(before, allowed(before)))
    jobs = {name: _jobs_of(world, name) for name in NAMES}
    locks = dict(world.locks)
    world.apply(world.plan(after, replace(allowed(after), selection=Selection(only=frozenset(chosen)))))
    for name in set(NAMES) - chosen:
        assert _jobs_of(world, name) == jobs[name]
        assert world.locks.get(name) == locks.get(name)


def _jobs_of(world: World, name: str) -> set[str]:
    return {job.name for version in world.sets.values() if version.display_name == name for job in version.jobs}


@law(2)
@given(wishes(), wishes(), st.randoms())
def test_the_order_of_specs_and_sets_changes_nothing(
    before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...], shuffle: Any
) -> None:
    world = World()
    world.apply(world.plan(before, allowed(before)))
    whole = world.plan(after, allowed(after))
    items = list(after)
    shuffle.shuffle(items)
    sets = list(world.sets.items())
    shuffle.shuffle(sets)
    world.sets = dict(sets)
    assert world.plan(items, allowed(after)) == whole


@law(7)
@given(wishes(), wishes())
def test_weaker_comes_first_then_deletes(before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...]) -> None:
    world = World()
    world.apply(world.plan(before, allowed(before)))
    changes = world.plan(after, allowed(after)).changes
    ranks = [
        0 if c.effective and c.privacy is Privacy.WEAKER else 1 if c.action is Action.DELETE else 2 for c in changes
    ]
    assert ranks == sorted(ranks)
