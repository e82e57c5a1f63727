"""Whatever a run says: the way it is written changes no digest, and every field that matters changes its own."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.desired import DesiredSet, Digests, desire
from avatar_gitops.plan.diff import spec_changes
from avatar_gitops.spec.fields import Consequence
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.parse import parse_run
from avatar_gitops.spec.schema import schema
from tests.support.from_schema import from_schema
from tests.support.laws import law
from tests.support.planning import an_input

Document = dict[str, Any]
DOCUMENTS: st.SearchStrategy[Document] = from_schema(schema("run"), schema("run"))
STAGES = {
    "standard": Consequence.RERUN_ALL,
    "metrics": Consequence.RERUN_METRICS,
    "reports": Consequence.RERUN_REPORTS,
}


def with_methods(document: Document) -> Document:
    """The run with one way to make avatars where it names none, which no check lets through."""
    for table in document["spec"]["tables"].values():
        if not table.get("avatars"):
            method = table.get("avatarization") or {}
            named = any(method.get(key) is not None for key in ("k", "open_dp", "fast_dp"))
            table["avatarization"] = method if named else {**method, "k": 5}
        else:
            table.pop("avatarization", None)
    return document


RUNS = DOCUMENTS.map(with_methods)


def block(value: Any, chance: random.Random, indent: int = 0) -> str:
    """What stands after a colon: keys in any order, in blocks or on one line, with comments."""
    if not isinstance(value, dict) or not value or chance.random() < 0.3:
        return f" {flow(value, chance)}{chance.choice(['', '  # why'])}"
    lines = [f"{' ' * indent}{scalar(key, chance)}:{block(value[key], chance, indent + 2)}" for key in value]
    chance.shuffle(lines)
    return "".join(f"\n{chance.choice(['', '# and when: now', ''])}\n{line}" for line in lines)


def flow(value: Any, chance: random.Random) -> str:
    if isinstance(value, dict):
        items = [f"{scalar(key, chance)}: {flow(inner, chance)}" for key, inner in value.items()]
        chance.shuffle(items)
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner, chance) for inner in value) + "]"
    return scalar(value, chance)


def scalar(value: Any, chance: random.Random) -> str:
    """A text in one of the quotes that can say it; a number in one of its forms."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return chance.choice([str(value), f"{value}.0"])
    if not isinstance(value, str):
        return json.dumps(value)
    said = ['"' + "".join(letter if letter.isprintable() else escape(letter) for letter in json_text(value)) + '"']
    if value.isprintable():
        said.append("'" + value.replace("'", "''") + "'")
    if value.isascii() and value.isalpha() and value.lower() not in {"y", "n", "yes", "no", "on", "off", "null", "nan"}:
        said.append(value if value.lower() not in {"true", "false", "inf"} else said[0])
    return chance.choice(said)


def json_text(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def escape(letter: str) -> str:
    return f"\\U{ord(letter):08X}"


def desired(document: Document) -> DesiredSet:
    return desire(AvatarRun.model_validate_json(json.dumps(document)), "a.yaml", [an_input()])


@law(2)
@given(RUNS, st.randoms(use_true_random=False))
def test_the_way_a_run_is_written_changes_no_digest(document: Document, chance: random.Random) -> None:
    text = block(document, chance).lstrip(" ") + "\n"
    parsed = parse_run(text, "configs/b.yaml")
    assert parsed.value is not None, (text, parsed.diagnostics)
    assert desire(parsed.value, "configs/b.yaml", [an_input()], {("spec",): 7}).digests == desired(document).digests


def places(one: Any, other: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where two documents differ, and every group around such a place."""
    if one == other and type(one) is type(other):
        return []
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [path]
    below = [place for key in sorted({*one, *other}) for place in places(one.get(key), other.get(key), (*path, key))]
    return [path, *below]


def spliced(one: Document, other: Document, path: tuple[str, ...]) -> Document:
    """The first document with what the second says at one place."""
    result, source = deepcopy(one), other
    target: Any = result
    for key in path[:-1]:
        target, source = target[key], source[key]
    if source.get(path[-1]) is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = source[path[-1]]
    return result


@law(2)
@given(RUNS, RUNS, st.data())
def test_a_field_that_matters_changes_the_digest_of_its_stage_and_no_other(
    document: Document, other: Document, data: st.DataObject
) -> None:
    # The same names of tables, so that their fields are compared and not only their names.
    other["spec"]["tables"] = dict(zip(document["spec"]["tables"], other["spec"]["tables"].values(), strict=False))
    found = [place for place in places(document, other) if place and place != ("spec", "tables")]
    if not found:
        return
    place = data.draw(st.sampled_from(found))
    try:
        new = desired(with_methods(spliced(document, other, place)))
    except ValueError:  # what was taken away was needed
        return
    old = desired(document)
    changes = [c for c in spec_changes(old.resolved, new.resolved, {}) if c.path != ("spec", "jobs")]
    moved = {a.name for a in fields(Digests) if getattr(old.digests, a.name) != getattr(new.digests, a.name)}
    if old.resolved["spec"]["tables"].keys() != new.resolved["spec"]["tables"].keys():
        assert "standard" in moved  # a whole table is one change, with whatever other stages it says something for
        return
    assert moved - {"spec"} == {name for name, stage in STAGES.items() if stage in {c.consequence for c in changes}}
    assert ("spec" in moved) == (old.resolved != new.resolved)
