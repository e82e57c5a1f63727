"""Selectors: what each form matches, what is refused, and that sets which are not selected never matter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from avatar_gitops.errors import IntegrityError, UnsafePlan, UsageError
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.reviewed import read
from avatar_gitops.plan.select import Selection, refs
from avatar_gitops.plan.serial import document
from avatar_gitops.report.plan import render
from avatar_gitops.report.plan_markdown import markdown
from avatar_gitops.report.status import render as status
from avatar_gitops.spec.project import Prune, Thresholds
from tests.support.planning import PROJECT, a_lock, a_version, wish

FAILED = {"standard": "error"}
NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)


def zoo(select: tuple[str, ...] = (), exclude: tuple[str, ...] = (), **more: Any) -> Plan:
    """Ants are new, bees get weaker, cats failed, dogs are published, elks left git, foxes have a new owner."""
    said: dict[str, dict[str, Any]] = {
        "ants": {"metadata": {"owner": "Anna <anna@example.org>", "labels": {"domain": "health"}}},
        "bees": {"metadata": {"labels": {"domain": "finance", "tier": "1"}}},
    }
    items = {name: wish(name, **said.get(name, {})) for name in ("ants", "bees", "cats", "dogs", "elks", "foxes")}
    versions = [a_version(items[name]) for name in ("bees", "dogs", "elks", "foxes")]
    locks = {version.display_name: a_lock(items[version.display_name], version) for version in versions}
    versions.append(a_version(items["cats"], jobs=FAILED))
    items["bees"] = wish("bees", table={"avatarization": {"k": 5}}, **said["bees"])
    items["foxes"] = wish("foxes", metadata={"owner": "ben"})
    del items["elks"]
    touched = {"main": frozenset({"ants", "elks", "gone"}), "v1": frozenset[str]()}
    options = Options(selection=Selection(select, exclude, touched=touched), **more)
    return plan(list(items.values()), Observed("prod", tuple(versions)), locks, options, PROJECT)


def names(select: tuple[str, ...] = (), exclude: tuple[str, ...] = (), **more: Any) -> str:
    return " ".join(sorted(change.set for change in zoo(select, exclude, **more).changes))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("ants", "ants"),
        ("*ee*", "bees"),
        ("[ad]*", "ants dogs"),
        ("path:configs", "ants bees cats dogs elks foxes"),
        ("path:./configs/", "ants bees cats dogs elks foxes"),
        ("path:configs/[bc]*.yaml", "bees cats"),
        ("label:domain", "ants bees"),
        ("label:domain=health", "ants"),
        ("label:domain=f*", "bees"),
        ("owner:anna", "ants"),
        ("owner:BEN", "foxes"),
        ("state:new", "ants"),
        ("state:changed", "bees foxes"),
        ("state:failed", "cats"),
        ("state:published", "dogs foxes"),
        ("state:removed", "elks"),
        ("state:unchanged", "dogs elks"),
        ("state:not-published", ""),
        ("weaker:", "bees"),
        ("git:main", "ants elks"),
        ("git:v1", ""),
    ],
)
def test_each_form_of_a_selector(selector: str, found: str) -> None:
    assert names((selector,)) == found


def test_selects_are_united_and_excludes_taken_away() -> None:
    assert names(("ants", "bees", "state:failed"), ("label:tier",)) == "ants cats"
    assert names((), ("*s",)) == ""


@pytest.mark.parametrize(
    ("selector", "message", "hint"),
    [
        ("antz", "`antz` matches no set", "did you mean `ants`?"),
        ("zebra", "`zebra` matches no set", "sets: ants, bees, cats, dogs, elks, foxes"),
        ("path:confgs/ants.yaml", "matches no set", "did you mean `path:configs/ants.yaml`?"),
        ("label:domein", "matches no set", "did you mean `label:domain`?"),
        ("label:domain=helth", "matches no set", "did you mean `label:domain=health`?"),
        ("owner:nobody", "matches no set", "owners: Anna <anna@example.org>, ben"),
        ("state:faild", "`faild` is no state", "did you mean `state:failed`?"),
        ("state:zzz", "`zzz` is no state", "one of published, protected, new"),
        ("lable:domain", "`lable:domain` is no selector", "did you mean `label:…`?"),
        ("name:ants", "`name:ants` is no selector", "NAME, path:GLOB"),
        ("qqq:ants", "`qqq:ants` is no selector", "NAME, path:GLOB"),
        ("git:", "it says nothing to look for", "git:REF"),
        ("gti:main", "`gti:main` is no selector", "did you mean `git:…`?"),
        ("git:v2", "nobody asked git", ""),
        ("weaker:ants", "nothing follows `weaker:`", "write `weaker:`"),
        ("owner:", "it says nothing to look for", "owner:TEXT"),
        ("", "it says nothing to look for", "NAME"),
    ],
)
@pytest.mark.parametrize("option", ["select", "exclude"])
def test_what_cannot_be_meant_is_refused_with_what_may_be(option: str, selector: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        zoo(**{option: (selector,)})
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_names_of_a_journal_need_not_exist() -> None:
    options = Options(selection=Selection(only=frozenset({"ants", "gone"})))
    made = plan([wish("ants"), wish("bees")], Observed("prod"), {}, options, PROJECT)
    assert [change.set for change in made.changes] == ["ants"]


def test_sets_that_are_not_selected_are_no_reason_to_refuse() -> None:
    strangers = (a_version(wish("bees"), project="someone-else"),)
    observed = Observed("prod", strangers)
    with pytest.raises(UnsafePlan):
        plan([wish("ants"), wish("bees")], observed, {}, Options(), PROJECT)
    options = Options(selection=Selection(exclude=("bees",)))
    made = plan([wish("ants"), wish("bees")], observed, {}, options, PROJECT)
    assert [change.set for change in made.effective] == ["ants"]


def test_a_selected_delete_counts_against_all_owned_sets() -> None:
    limits = Thresholds(min_sets=2, max_delete_percent=20, max_relaunch_percent=40)
    with pytest.raises(UnsafePlan):
        names(("elks",), prune=Prune.OWNED, thresholds=Thresholds(min_sets=2, max_delete_percent=10))
    assert names(("elks",), prune=Prune.OWNED, thresholds=limits) == "elks"
    assert names((), ("elks",), prune=Prune.OWNED, thresholds=limits) == "ants bees cats dogs foxes"


def test_texts_say_how_many_sets_were_left_out() -> None:
    assert "6 sets not selected" not in render(zoo())
    assert "1 of ours on the server, 5 sets not selected" in render(zoo(("bees",)))
    assert "5 sets not selected" in markdown(zoo(("bees",)))
    assert render(zoo(("dogs",))).startswith(
        "No changes. 1 set in git equals 1 set on the server (prod). 5 sets were not selected."
    )
    nothing = zoo(("state:unfinished",))
    assert render(nothing) == "No changes. No set is selected, 6 left out.\n"
    assert status(nothing, NOW) == "No set is selected, 6 left out.\n"


def test_a_part_of_a_plan_has_a_digest_of_its_own() -> None:
    assert len({zoo().digest, zoo(("ants",)).digest, zoo(("bees",)).digest}) == 3


def test_a_plan_document_says_what_it_was_restricted_to() -> None:
    assert "selection" not in document(zoo())
    restricted = document(zoo(("bees", "ants"), ("state:new",)))
    assert restricted["selection"] == {"select": ["bees", "ants"], "exclude": ["state:new"], "left_out": 5}
    assert read(restricted).selection == Selection(("bees", "ants"), ("state:new",))
    schema = json.loads((Path(__file__).parents[2] / "schemas" / "plan.v1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(restricted)
    with pytest.raises(IntegrityError):
        read({**restricted, "selection": "bees"})


def test_a_plan_document_names_the_sets_that_a_commit_stood_for() -> None:
    asked = document(zoo(("git:main", "bees", "git:v1"), ("git:v1",)))["selection"]
    assert asked["select"] == ["ants", "elks", "gone", "bees", "git:v1"]
    assert asked["exclude"] == ["git:v1"]
    assert refs(Selection(("git:main", "bees", "git:v1"), ("git:v1",))) == ("main", "v1")
