"""Parsing never fails, says everything at once, in order, and points into the file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.report.diagnostics import as_github, as_json, as_short, as_text
from avatar_gitops.spec.checks import check_run
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.parse import parse_project, parse_run

BAD = Path(__file__).parent / "bad"
GOOD = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: patients
spec:
  tables:
    patients:
      source: data/patients.csv
      columns: {age: {type: int}}
      avatarization: {k: 5}
  gates: {hidden_rate: ">= 90"}
"""
PIECES = [*(line for path in sorted(BAD.glob("*.yaml")) for line in path.read_text().splitlines()[:20])]
SHAPES = {"patients": Shape(("age", "sex", "zip"), 1000)}


def everything(text: str | bytes) -> None:
    """Parse, check and render a text in every form."""
    source = text if isinstance(text, str) else text.decode("utf-8", "replace")
    for parsed in (parse_run(text, "a.yaml"), parse_project(text, "a.yaml")):
        for finding in parsed.diagnostics:
            assert finding.span.line >= 1
            assert finding.span.column >= 1
            assert finding.message
        as_text(parsed.diagnostics, {"a.yaml": source}, width=60)
        as_short(parsed.diagnostics)
        as_github(parsed.diagnostics)
        as_json(parsed.diagnostics, 1)
        assert parsed.value is None or not parsed.diagnostics
    check_run(parse_run(text, "a.yaml"), SHAPES)


@settings(max_examples=80, deadline=None, database=None)
@given(text=st.text(max_size=60) | st.binary(max_size=40))
def test_any_text_gets_findings_and_no_exception(text: str | bytes) -> None:
    everything(text)
    assert parse_run(text, "a.yaml").diagnostics


@settings(max_examples=80, deadline=None, database=None)
@given(lines=st.lists(st.sampled_from(PIECES), min_size=1, max_size=15))
def test_lines_of_bad_specs_in_any_order_get_findings_and_no_exception(lines: list[str]) -> None:
    everything("\n".join(lines))


@settings(max_examples=80, deadline=None, database=None)
@given(chance=st.randoms(use_true_random=False))
def test_a_good_spec_with_a_few_wrong_letters_gets_no_exception(chance: random.Random) -> None:
    letters = list(GOOD)
    for _ in range(chance.randint(1, 4)):
        letters[chance.randrange(len(letters))] = chance.choice("\t\n :{}[],'\"&*!|>%@`#?-0\x07é\u2028")
    everything("".join(letters))


def test_a_good_spec_gives_a_run_and_no_finding() -> None:
    parsed = parse_run(GOOD, "a.yaml")
    assert parsed.diagnostics == ()
    assert parsed.run is not None
    assert parsed.run.metadata.name == "patients"
    assert parsed.locate(("spec", "tables", "patients", "avatarization", "k")).line == 10
    assert parsed.locate(("spec", "tables", "patients", "source", "uri")).column == 15


def test_findings_come_in_the_order_of_the_file() -> None:
    text = GOOD.replace("k: 5", "k: 0").replace("kind: AvatarRun", "kind: Run").replace(">= 90", "ninety")
    assert [finding.span.line for finding in parse_run(text, "a.yaml").diagnostics] == [2, 10, 11]


def test_a_run_with_errors_is_still_checked_where_it_can_be() -> None:
    text = GOOD.replace("k: 5", "k: 0").replace("{age:", "{agee:")
    parsed = parse_run(text, "a.yaml")
    assert parsed.run is None
    assert [finding.code for finding in check_run(parsed, SHAPES)] == ["X003"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{k: 5}", "{k: 0}"),
        ("{k: 5}", "{kk: 5, k: '5'}"),
        ("{k: 5}", "{open_dp: {}}"),
        ("data/patients.csv", "5"),
        ("  gates:", "  jobs: [report, nonsense]\n  gates:"),
    ],
)
def test_a_wrong_place_has_no_echo_in_the_checks(old: str, new: str) -> None:
    parsed = parse_run(GOOD.replace(old, new), "a.yaml")
    assert parsed.diagnostics
    assert check_run(parsed, SHAPES) == []
