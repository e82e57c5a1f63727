"""Drift: every kind as text, and no drift where nothing but git changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.drift import Drift, Kind, Seen, drift, narrowed, passed
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.observed import Annotation, Observed, ServerSet
from avatar_gitops.report.drift import NEXT, github, markdown, render, to_json
from avatar_gitops.spec.project import IgnoredDrift
from tests.support.laws import law
from tests.support.planning import ALL, PROJECT, a_lock, a_version, wish
from tests.support.wishes import allowed, wishes
from tests.support.world import World

Golden = Callable[[str, str], None]
HERE = {"patients": "sha256:" + "a" * 64}
OTHER = "sha256:" + "b" * 64
TODAY = date(2026, 9, 10)
ENGINE = a_lock(wish("ants"), a_version(wish("ants"))).engine
SCHEMA = Path(__file__).parents[2] / "schemas" / "drift.v1.schema.json"


def check(document: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(document), schema)
    assert schema["$defs"]["kind"]["enum"] == [kind.value for kind in Kind]


def compare(locks: list[Lock], versions: list[ServerSet], seen: Seen | None = None) -> Drift:
    whole = seen or Seen(inputs={lock.set: HERE for lock in locks})
    return drift(locks, Observed("prod", tuple(versions), engine=ENGINE), PROJECT, whole)


def kinds(found: Drift) -> list[tuple[str, str]]:
    return [(finding.set, finding.kind.value) for finding in found.findings]


def everything() -> Drift:
    names = ("ants", "bees", "cats", "dogs", "elks", "foxes", "goats", "hens", "ibis", "jays", "kites", "lynx")
    items = {name: wish(name) for name in names}
    locks = {name: a_lock(item, a_version(item)) for name, item in items.items()}
    locks["jays"] = replace(locks["jays"], outputs={"avatars/patients.csv": OTHER, "pia.md": OTHER, "run.json": OTHER})
    locks["lynx"] = replace(locks["lynx"], engine="avatar 1.3.9")
    versions = {name: a_version(item) for name, item in items.items()}
    del versions["bees"]
    versions["cats"] = a_version(items["cats"], 5, project="registry")
    versions["dogs"] = replace(versions["dogs"], annotations={})
    marks = {**versions["elks"].annotations, Annotation.STANDARD_DIGEST.value: OTHER}
    versions["elks"] = replace(versions["elks"], annotations=marks)
    versions["foxes"] = a_version(items["foxes"], jobs={**dict.fromkeys(ALL, "finished"), "report": "error"})
    versions["kites"] = replace(versions["kites"], jobs=versions["kites"].jobs[:3])
    more = [a_version(items["goats"], 7, project="registry"), a_version(items["hens"], 9, jobs={"standard": "error"})]
    seen = Seen(
        inputs={name: {"patients": OTHER} if name == "ibis" else HERE for name in names if name != "hens"},
        artifacts={"jays": {"avatars/patients.csv": HERE["patients"], "pia.md": OTHER}},
        expired=frozenset({"ibis"}),
    )
    return compare(list(locks.values()), [*versions.values(), *more], seen)


def test_every_kind(golden: Golden) -> None:
    found = everything()
    assert {finding.kind for finding in found.findings} == set(Kind) == set(NEXT)
    assert "ants" not in found.sets
    golden("plan/drift.txt", render(found, TODAY))
    golden("plan/drift.md", markdown(found, TODAY))
    golden("plan/drift.json", to_json(found))
    golden("plan/drift.github", github(found, TODAY))
    check(to_json(found))


def test_no_drift(golden: Golden) -> None:
    item = wish("ants")
    calm = compare([a_lock(item, a_version(item))], [a_version(item), a_version(wish("bees"), project="registry")])
    assert calm.findings == ()
    golden("plan/drift-none.txt", render(calm, TODAY) + render(compare([], []), TODAY) + markdown(calm, TODAY))
    assert render(everything(), TODAY, ascii_only=True).isascii()
    assert json.loads(to_json(calm))["findings"] == []


def test_a_run_that_another_one_of_ours_took_the_place_of_is_missing() -> None:
    item = wish("ants")
    found = compare([a_lock(item, a_version(item))], [a_version(item, 2)])
    assert kinds(found) == [("ants", "missing")]
    assert "another one of ours, ants-v2" in found.findings[0].detail


def test_a_newer_run_that_waits_for_its_gates_is_no_drift_of_what_was_applied() -> None:
    item = wish("ants")
    newer = [a_version(item, 3), a_version(item, 2, jobs={"standard": "pending"})]
    assert compare([a_lock(item, a_version(item))], [a_version(item), *newer]).findings == ()


def test_another_input_mark_is_an_edit() -> None:
    item = wish("ants")
    version = a_version(item)
    edited = replace(version, annotations={**version.annotations, Annotation.INPUT_DIGEST.value: OTHER})
    assert kinds(compare([a_lock(item, version)], [edited])) == [("ants", "edited_on_server")]


def test_marks_that_no_published_job_depends_on_may_differ() -> None:
    old = wish("ants", jobs=["standard"])
    version = a_version(old, jobs=["standard"])
    updated = wish("ants", jobs=["standard"], pia={"language": "fr"}, metadata={"owner": "ben"})
    lock = replace(a_lock(old, version), digests=updated.digests, spec=updated.resolved)
    assert compare([lock], [version]).findings == ()


def test_inputs_that_are_not_here_are_named_and_are_no_drift() -> None:
    item = wish("ants")
    found = compare([a_lock(item, a_version(item))], [a_version(item)], Seen())
    assert found.findings == ()
    assert found.unseen == ("ants/patients",)
    assert "Not compared, because not here: ants/patients" in render(found, TODAY)
    assert "Not compared: ants/patients" in markdown(found, TODAY)


@law(1)
@given(wishes(), wishes())
def test_after_an_apply_there_is_no_drift_whatever_changes_in_git(
    before: tuple[DesiredSet, ...], after: tuple[DesiredSet, ...]
) -> None:
    world = World()
    for wanted in (before, after):
        world.apply(world.plan(wanted, allowed(wanted)))
        assert drift(world.locks.values(), world.observed(), PROJECT, Seen()).findings == ()


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_says_what_to_do(kind: Kind) -> None:
    assert NEXT[kind]


def entry(name: str, kind: Kind, expires: str = "2026-10-01", ticket: str | None = None) -> IgnoredDrift:
    return IgnoredDrift(set=name, kind=kind, reason="known", expires=expires, ticket=ticket)


def test_what_is_ignored_does_not_count_and_is_listed_until_its_day_is_over(golden: Golden) -> None:
    entries = [
        entry("l*", Kind.ENGINE_CHANGED, ticket="OPS-91"),
        entry("ibis", Kind.INPUT_CHANGED, "2026-09-10"),
        entry("kites", Kind.MISSING, "2026-09-07"),
        entry("kites", Kind.MISSING, "2026-08-01"),
        entry("lion", Kind.MISSING),
        entry("bees", Kind.FOREIGN),
    ]
    found = passed(everything(), entries, TODAY)
    assert [(one.finding.set, one.finding.kind.value) for one in found.ignored] == [
        ("ibis", "input_changed"),
        ("lynx", "engine_changed"),
    ]
    assert ("ibis", "results_expired") in kinds(found)
    assert [(one.set, one.lapsed) for one in found.findings if one.lapsed] == [("kites", "2026-09-07")]
    assert [item.set for item in found.unused] == ["lion", "bees"]
    golden("plan/drift-ignored.txt", render(found, TODAY) + "---\n" + github(found, TODAY))
    golden("plan/drift-ignored.md", markdown(found, TODAY))
    check(to_json(found))


def test_when_all_that_differs_is_ignored_nothing_counts() -> None:
    item = wish("ants")
    version = a_version(item)
    found = compare([replace(a_lock(item, version), engine="avatar 1.3.9")], [version])
    assert kinds(found) == [("ants", "engine_changed")]
    calm = passed(found, [entry("*", Kind.ENGINE_CHANGED)], TODAY)
    assert calm.findings == ()
    assert "No drift that counts: 1 set on prod, 1 ignored." in render(calm, TODAY)
    assert "### ✅" in markdown(calm, TODAY)


def test_an_engine_that_nobody_names_is_no_drift() -> None:
    item = wish("ants")
    version = a_version(item)
    lock = a_lock(item, version)
    assert drift([lock], Observed("prod", (version,)), PROJECT, Seen()).findings == ()
    assert compare([replace(lock, engine="")], [version]).findings == ()


def test_a_selection_leaves_out_the_findings_of_others_and_asks_no_entry_to_be_used() -> None:
    found = narrowed(everything(), {"ibis", "ants"}, 2)
    assert (found.checked, found.left_out, found.sets) == (2, 10, ("ibis",))
    assert found.unseen == ()
    assert passed(found, [entry("lion", Kind.MISSING)], TODAY).unused == ()
    check(to_json(found))
