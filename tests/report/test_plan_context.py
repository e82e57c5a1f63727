"""What surrounds a plan, as people read it: offline, data not compared, credits, time, removals, the release."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from avatar_gitops.plan.context import Base, Context, NotCompared, Why
from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.offline import remembered
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.serial import document
from avatar_gitops.report.comment import Origin, plan_comment
from avatar_gitops.report.plan import render
from avatar_gitops.report.plan_context import duration
from avatar_gitops.report.plan_markdown import markdown
from avatar_gitops.spec.project import Prune
from tests.support.planning import PROJECT, a_lock, a_version, an_input, wish

Golden = Callable[[str, str], None]
SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.v1.schema.json"
COMMIT = "9c1e7d0" + "0" * 33
BASE = Base(COMMIT, "merge base with origin/main")
OPTIONS = Options(prune=Prune.OWNED)


def tagged(data: TableInput | None = None, **columns: Mapping[str, Any]) -> DesiredSet:
    """A set that says something about its columns."""
    more = {"exclude_variables": {"variable_names": ["zip"], "replacement_strategy": "coordinate_similarity"}}
    method = {"k": 20, **(more if "zip" in (data or an_input()).columns else {})}
    return wish(data=data, table={"columns": columns, "avatarization": method})


def exposed() -> Plan:
    """Columns enter and leave in every way, one table grows; another set is released for the first time."""
    before = tagged(age={}, city={"tag": "quasi_identifier"}, sex={"tag": "sensitive"})
    columns = ["age", "city", "sex", "diagnosis", "ssn", "visits", "zip", "weight", "height", "notes"]
    after = tagged(
        an_input("b", columns, "10k-100k"),
        age={"drop": True, "tag": "quasi_identifier"},
        city={"tag": "quasi_identifier", "pseudonymization": {"kind": "UUID4"}},
        sex={},
        diagnosis={"tag": "sensitive"},
        ssn={"tag": "identifier", "pseudonymization": {"kind": "UUID4"}},
        zip={"tag": "quasi_identifier"},
        notes={"tag": "free_text", "drop": True},
    )
    fresh = wish(
        "fresh",
        data=an_input("c", ["id", *columns]),
        tables={
            "patients": {
                "source": "p.csv",
                "avatarization": {"k": 5},
                "columns": {"id": {"primary_key": True, "tag": "identifier"}, "notes": {"drop": True}},
            },
            "visits": {"source": "s3://bucket/v.csv", "avatarization": {"k": 5}},
        },
    )
    version = a_version(before)
    locks = {"patients": a_lock(before, version)}
    return plan([after, fresh], Observed("prod", (version,)), locks, OPTIONS, PROJECT, COMMIT)


def offline() -> Plan:
    """One set changed, one left git, data of some were not compared."""
    before, gone = wish(), wish("visits-2024q4")
    locks = {item.name: a_lock(item, a_version(item)) for item in (before, gone)}
    observed = remembered(locks.values(), PROJECT, BASE)
    made = plan(
        [wish(table={"avatarization": {"k": 15}}), wish("new")], observed, locks, OPTIONS, PROJECT, "4f2a91c" + "0" * 33
    )
    missing = tuple(NotCompared("patients", f"table{number}", Why.NOT_HERE) for number in range(6))
    unkeyed = NotCompared("new", "patients", Why.NO_KEY)
    elsewhere = NotCompared("not-selected", "patients", Why.NO_KEY)
    context = Context(
        offline=BASE, not_compared=(*missing, unkeyed, elsewhere), removed_in={"visits-2024q4": "91bd7e0" + "0" * 33}
    )
    return replace(made, context=context)


def offline_unchanged() -> Plan:
    lock = a_lock(wish(), a_version(wish()))
    made = plan([wish()], remembered([lock], PROJECT, Base()), {"patients": lock}, OPTIONS, PROJECT)
    return replace(made, context=Context(offline=Base()))


def paid() -> Plan:
    before = wish(jobs=["standard", "report"])
    version = a_version(before)
    after = wish(jobs=["standard", "report"], pia={"language": "fr"})
    made = plan([after], Observed("prod", (version,)), {"patients": a_lock(before, version)}, OPTIONS, PROJECT)
    return replace(made, context=Context(credits=38))


PLANS = {"exposed": exposed, "offline": offline, "offline-unchanged": offline_unchanged, "paid": paid}


@pytest.mark.parametrize("name", PLANS)
def test_text(name: str, golden: Golden) -> None:
    golden(f"plan/{name}.txt", render(PLANS[name]()))


@pytest.mark.parametrize("name", PLANS)
def test_markdown(name: str, golden: Golden) -> None:
    golden(f"plan/{name}.md", markdown(PLANS[name]()))


@pytest.mark.parametrize("name", PLANS)
def test_comment(name: str, golden: Golden) -> None:
    golden(f"ci/{name}.md", plan_comment(PLANS[name](), Origin()))


@pytest.mark.parametrize("name", PLANS)
def test_document(name: str, golden: Golden) -> None:
    content = document(PLANS[name]())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(content)
    golden(f"plan/{name}.json", json.dumps(content, indent=2) + "\n")


def test_a_long_release_is_cut_in_markdown() -> None:
    before, wide = wish(), wish(data=an_input("b", [f"c{number}" for number in range(200)]))
    version = a_version(before)
    made = plan([wide], Observed("prod", (version,)), {"patients": a_lock(before, version)}, OPTIONS, PROJECT)
    assert "| | … | 173 more | | |" in markdown(made)
    (shown,) = [line for line in render(made).splitlines() if line.startswith("     release")]
    assert shown.endswith("+ 200 columns enter (200 untagged: c0, c1, c10, c100 and 196 more)")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (400, "7 min"), (3599, "1 h"), (4800, "1 h 20 min"), (7200, "2 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
