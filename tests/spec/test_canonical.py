"""Digests: the same meaning gives the same digest however it is written, any change of a field gives another."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.spec.canonical import canonical, digest, resolved
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.parse import parse_run
from tests.support.laws import law

BASE = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: patients, labels: {domain: health}}
spec:
  seed: 7
  tables:
    patients:
      source: data/patients.csv
      columns: {age: {type: int}, sex: {tag: sensitive}}
      avatarization: {k: 20, ncp: 5, column_weights: {age: 3, sex: 0.5}}
      privacy_metrics: {known_variables: [age, sex]}
  gates: {hidden_rate: ">= 90"}
"""
LISTED = BASE + "  jobs: [standard, privacy_metrics]\n"


def run_of(text: str) -> AvatarRun:
    parsed = parse_run(text, "a.yaml")
    assert parsed.run is not None, parsed.diagnostics
    return parsed.run


def digest_of(text: str) -> str:
    return digest(resolved(run_of(text)))


def rewritten(value: Any, chance: random.Random) -> str:
    """The value as YAML with random key order, quoting, styles and comments."""
    if isinstance(value, dict):
        items = list(value.items())
        chance.shuffle(items)
        return "{" + ", ".join(f"{rewritten(key, chance)}: {rewritten(child, chance)}" for key, child in items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(rewritten(child, chance) for child in value) + "]"
    if isinstance(value, str):
        quoted = chance.choice([json.dumps(value), "'" + value + "'"])
        return quoted if not value.isalpha() else chance.choice([value, quoted])
    if isinstance(value, int) and not isinstance(value, bool):
        return chance.choice([str(value), f"{value}.0"])
    return json.dumps(value)


@law(2)
@given(chance=st.randoms(use_true_random=False))
def test_key_order_quoting_and_styles_never_change_a_digest(chance: random.Random) -> None:
    plain = run_of(BASE).model_dump(mode="json", exclude_unset=True)
    assert digest_of(rewritten(plain, chance) + "  # a comment\n") == digest_of(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  seed: 7\n", "\n  # why\n  seed: 7   # because\n"),
        ("source: data/patients.csv", "source: {uri: data/patients.csv}"),
        ("source: data/patients.csv", "source: {uri: data/patients.csv, options: {}}"),
        ("source: data/patients.csv", "source: &file data/patients.csv"),
        ("{k: 20, ncp: 5,", "{<<: {k: 20, ncp: 5},"),
        ("  seed: 7\n", "  seed: 7\n  lifecycle: {protect: false}\n  results: {}\n"),
        ("avatarization: {", "signal_metrics: \n      avatarization: {imputation: null, "),
        ("ncp: 5", "ncp: 5, generation: barycentre"),
    ],
)
def test_two_ways_to_say_the_same_have_one_digest(old: str, new: str) -> None:
    assert old in BASE
    assert digest_of(BASE.replace(old, new)) == digest_of(BASE)


def test_the_order_and_repetition_of_jobs_say_nothing() -> None:
    assert digest_of(LISTED.replace("standard, privacy_metrics", "privacy_metrics, standard, standard")) == digest_of(
        LISTED
    )
    assert digest_of(LISTED) != digest_of(BASE)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [leaf for key, child in inner for leaf in leaves(child, (*path, key))]
    return below or [path]


def changed(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case list():
            return [*value, "x"]
    return {"x": 1}


def test_any_other_value_anywhere_gives_another_digest() -> None:
    plain = resolved(run_of(BASE))
    before = digest(plain)
    paths = leaves(plain)
    assert len(paths) > 30
    for path in paths:
        copy = json.loads(json.dumps(plain))
        place = copy
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = changed(place[path[-1]])
        assert digest(copy) != before, path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 7", "seed: 8"),
        ("k: 20", "k: 21"),
        ("age: 3", "age: 3.5"),
        ("[age, sex]", "[age]"),
        ("data/patients.csv", "data/other.csv"),
        ("name: patients", "name: patients2"),
        ('">= 90"', '">= 91"'),
        ("  seed: 7\n", "  seed: 7\n  lifecycle: {protect: true}\n"),
        ("  seed: 7\n", ""),
    ],
)
def test_a_changed_field_of_a_file_changes_the_digest(old: str, new: str) -> None:
    assert old in BASE
    assert digest_of(BASE.replace(old, new)) != digest_of(BASE)


def test_defaults_are_written_out_and_absent_values_are_not() -> None:
    plain = resolved(run_of(BASE))
    assert plain["spec"]["jobs"] == ["standard", "privacy_metrics", "signal_metrics", "report", "report_pia"]
    assert plain["spec"]["tables"]["patients"]["source"] == {"uri": "data/patients.csv", "options": {}}
    assert "owner" not in plain["metadata"]
    assert b"null" not in canonical(plain)


def test_a_reference_is_digested_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    source = f"{{uri: s3://b/p.csv, digest: sha256:{'0' * 64}, options: {{access_key_id: env/KEY}}}}"
    text = BASE.replace("data/patients.csv", source)
    monkeypatch.setenv("KEY", "one")
    before = digest_of(text)
    monkeypatch.setenv("KEY", "two")
    assert digest_of(text) == before
    assert b"env/KEY" in canonical(resolved(run_of(text)))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["sha256:3e7", "[1.5", "a:-1234567890123456789", "\u2028", "\x7f\x80\b\n"])
)
KEYS = st.text(max_size=4) | st.sampled_from(["\ue000", "\U0001f600", "é", "z", "A"])
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@settings(max_examples=300, deadline=None)
@given(value=TREES)
def test_the_fast_way_gives_the_bytes_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**60), float("nan"), float("inf"), "\ud800", {"a": {1, 2}}])
def test_what_rfc_8785_refuses_is_refused(value: Any) -> None:
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeError)):
        canonical([value])
