"""Laws of layers: what is nearer wins, null takes away, order counts, places follow values, digests do not."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.spec.canonical import digest, resolved
from avatar_gitops.spec.layers import overlay, stack, subtree, without_positions
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.nodes import Document, read
from avatar_gitops.spec.parse import examine, parse_defaults
from avatar_gitops.spec.structure import check_structure

NAMES = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.integers(0, 9) | st.text("xyz", max_size=2) | st.booleans() | st.lists(st.integers(0, 3), max_size=2)


def shaped(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings in which a name is either always a mapping (`a`, `b`) or never one (`c`, `d`)."""
    inner = shaped(depth - 1) if depth else st.just({})
    return st.fixed_dictionaries({}, optional={"a": inner, "b": inner, "c": SCALARS, "d": SCALARS})


def layer(data: dict[str, Any], file: str = "x") -> Document:
    return without_positions(data, file)


def merged(*parts: dict[str, Any]) -> Any:
    return reduce(overlay, map(layer, parts)).data


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {at: leaf for key, child in value.items() for at, leaf in leaves(child, (*path, key)).items()}


@given(a=shaped(2), b=shaped(2), c=shaped(2))
def test_merging_is_associative(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    first = overlay(overlay(layer(a), layer(b)), layer(c))
    last = overlay(layer(a), overlay(layer(b), layer(c)))
    assert first.data == last.data


@given(a=shaped(2))
def test_a_layer_over_itself_and_over_nothing_is_itself(a: dict[str, Any]) -> None:
    assert merged(a, a) == merged({}, a) == merged(a, {}) == a


@given(a=shaped(2), b=shaped(2))
def test_what_is_nearer_wins_and_the_rest_stays(a: dict[str, Any], b: dict[str, Any]) -> None:
    result = leaves(merged(a, b))
    for path, value in leaves(b).items():
        assert not path or value == {} or result[path] == value
    for path, value in leaves(a).items():
        if value != {} and path not in leaves(b):
            assert result[path] == value


@given(a=shaped(1), name=NAMES)
def test_null_takes_an_inherited_key_away_and_a_nearer_layer_can_say_it_again(a: dict[str, Any], name: str) -> None:
    without = {key: value for key, value in a.items() if key != name}
    said = merged(a, {name: None})
    assert said == (without if name in a else {**a, name: None})
    assert merged(a, {name: None}, {name: 7})[name] == 7


@given(a=shaped(1), b=shaped(1))
def test_every_value_keeps_the_file_that_said_it(a: dict[str, Any], b: dict[str, Any]) -> None:
    document = overlay(layer(a, "far"), layer(b, "near"))
    for path, value in leaves(document.data).items():
        if path and value != {}:
            assert document.locate(path).file == ("near" if path in leaves(b) else "far")


SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: patients, owner: anna}
spec:
  seed: 4
  tables:
    patients:
      source: data/patients.csv
      individual_level: false
      columns:
        id: {primary_key: true, pseudonymization: {kind: FAKER, pii_type: EMAIL}}
        age: {type: int, tag: quasi_identifier}
      avatarization: {k: 20, ncp: 5, column_weights: {age: 3}}
      privacy_metrics: {known_variables: [age], target: sex}
    visits:
      source: {uri: data/visits.csv, format: csv}
      avatarization: {open_dp: {epsilon: 1.5}}
  gates: {hidden_rate: ">= 90", local_cloaking: ">= 5"}
  pia: {purpose: test, language: fr, sensitivity_level: High}
  results: {format: csv}
  lifecycle: {keep_versions: 2}
"""


def parsed(text: str, file: str = "configs/a.yaml") -> Document:
    document, findings = read(text, file)
    assert document is not None
    assert not findings
    return document


def run_of(document: Document) -> AvatarRun:
    found = examine(document, (), AvatarRun, "run")
    assert found.value is not None, found.diagnostics
    return found.value


FIXED = {("apiVersion",), ("kind",), ("metadata", "name")}
WHOLE = ("spec", "tables", "patients", "columns", "id", "pseudonymization")


def put(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        data = data.setdefault(name, {})
    data[path[-1]] = value


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_moving_values_into_defaults_changes_no_digest(data: st.DataObject) -> None:
    whole = parsed(SPEC)
    layers: list[dict[str, Any]] = [{"apiVersion": "avatar-gitops/v1", "kind": "Defaults"} for _ in range(3)]
    spec: dict[str, Any] = {"spec": {"tables": {"visits": {}, "patients": {}}}}
    for path, value in leaves(whole.data).items():
        where = data.draw(st.integers(0, 3), label=".".join(path))
        kept = path in FIXED or path[: len(WHOLE)] == WHOLE or where == 3
        put(spec if kept else layers[where], path, value)
    for one in layers:
        text = json.dumps(one)
        assert not parse_defaults(text, "configs/_defaults.yaml").diagnostics
    made = stack([layer(one) for one in layers], None, layer(spec))
    assert not check_structure(made, "run")
    assert digest(resolved(run_of(made))) == digest(resolved(run_of(whole)))


def test_a_default_for_every_table_holds_for_each_and_its_own_name_wins() -> None:
    far = parsed(
        'spec: {tables: {"*": {individual_level: false, avatarization: {ncp: 5}}, b: {avatarization: {ncp: 6}}}}', "far"
    )
    near = parsed('spec: {tables: {"*": {avatarization: {ncp: 7}}, c: {source: x.csv}}}', "near")
    spec = parsed("spec: {tables: {a: {avatarization: {k: 3}}, b: {avatarization: {ncp: null}}}}", "spec")
    made = stack([far], None, spec)
    assert made.data["spec"]["tables"] == {
        "a": {"avatarization": {"k": 3, "ncp": 5}, "individual_level": False},
        "b": {"avatarization": {}, "individual_level": False},
    }
    assert made.locate(("spec", "tables", "a", "avatarization", "ncp")).file == "far"
    both = stack([far, near], None, spec).data["spec"]["tables"]
    assert both["a"]["avatarization"]["ncp"] == 7
    assert set(both) == {"a", "b"}, "a default adds no table"


def test_a_null_in_a_default_takes_away_what_a_farther_one_says_for_every_table() -> None:
    far = parsed('spec: {tables: {"*": {avatarization: {ncp: 5}}}}')
    near = parsed("spec: {tables: {a: {avatarization: {ncp: null}}}}")
    spec = parsed("spec: {tables: {a: {avatarization: {k: 3}}}}")
    assert stack([far, near], None, spec).data["spec"]["tables"]["a"] == {"avatarization": {"k": 3}}


def test_a_null_with_nothing_to_take_away_is_no_matter_in_defaults_and_a_finding_in_a_spec() -> None:
    far = parsed("spec: {lifecycle: {protect: null}, gates: null}")
    assert stack([far], None, parsed("spec: {tables: {a: {}}}")).data == {
        "spec": {"tables": {"a": {}}, "lifecycle": {}}
    }
    assert stack([far], None, parsed("spec: {jobs: null}")).data["spec"]["jobs"] is None


def test_what_a_spec_starts_from_lies_between_defaults_and_spec() -> None:
    far = parsed('spec: {seed: 1, tables: {"*": {avatarization: {ncp: 5, k: 9}}}, gates: {hidden_rate: ">= 90"}}')
    start = layer({"spec": {"seed": 2, "tables": {"t": {"avatarization": {"k": 3}}, "u": {}}}}, "web.yaml")
    spec = parsed("spec: {seed: null, tables: {u: null, t: {source: a.csv}}}")
    made = stack([far], start, spec).data["spec"]
    assert made["tables"] == {"t": {"source": "a.csv", "avatarization": {"k": 3, "ncp": 5}}}
    assert "seed" not in made
    assert made["gates"] == {"hidden_rate": ">= 90"}


def test_another_kind_of_substitute_replaces_the_inherited_one() -> None:
    column = "spec: {{tables: {{t: {{columns: {{id: {{pseudonymization: {}}}}}}}}}}}"
    far = parsed(column.format("{kind: FAKER, pii_type: EMAIL}"))
    for text, wanted in (
        ("{kind: UUID4}", {"kind": "UUID4"}),
        ("{kind: FAKER, consistent: false}", {"kind": "FAKER", "pii_type": "EMAIL", "consistent": False}),
    ):
        made = stack([far], None, parsed(column.format(text)))
        assert made.data["spec"]["tables"]["t"]["columns"]["id"]["pseudonymization"] == wanted


def test_a_part_of_a_document_keeps_its_places() -> None:
    document = parsed("spec:\n  defaults:\n    metadata: {owner: anna}\n", "avatar-gitops.yaml")
    part = subtree(document, ("spec", "defaults"))
    assert part.data == {"metadata": {"owner": "anna"}}
    assert part.locate(("metadata", "owner")).line == 3
    assert subtree(document, ("spec", "nothing")).data is None
