"""The annex of an assessment says the rules of severity and exposure that the code follows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from avatar_gitops.assessment import PiaContext
from avatar_gitops.assessment.facts import Language
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.risk import EXPOSURE, SEVERITY_BASE, SEVERITY_FLOOR, VULNERABLE_SUBJECTS, severity
from tests.assessment.contexts import FROM_LOW_TO_HIGH, contexts


def listed(phrases: list[str], language: Language) -> str:
    *first, last = phrases
    joint = ", ".join(first)
    return f"{joint} {'or' if language == 'en' else 'ou'} {last}" if first else last


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_annex_says_the_rule_of_severity_that_the_code_follows(language: Language) -> None:
    rule = PIA_PHRASES["rule.severity"].in_(language)
    starts = "{step} for {names}" if language == "en" else "{step} pour {names}"
    for step in sorted(set(SEVERITY_BASE.values())):
        named = sorted((name for name, value in SEVERITY_BASE.items() if value == step), key=FROM_LOW_TO_HIGH.index)
        words = listed([PIA_PHRASES[f"sensitivity.{name}"].in_(language) for name in named], language)
        assert starts.format(step=step, names=words) in rule
    floors = {"en": "at least {} for ", "fr": "au moins {} pour des données de "}[language]
    parts = {step: rule.partition(floors.format(step))[2] for step in set(SEVERITY_FLOOR.values())}
    for kind, step in SEVERITY_FLOOR.items():
        assert PIA_PHRASES[f"type.{kind}"].in_(language) in parts[step]
    people = rule.rpartition(" 2 ")[2]
    said = {
        name for name in ("patients", "employees", "clients", "users", "students") if said_in(name, people, language)
    }
    assert said == VULNERABLE_SUBJECTS


def said_in(subject: str, text: str, language: Language) -> bool:
    return PIA_PHRASES[f"subject.{subject}"].in_(language) in text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_annex_says_the_exposure_that_the_code_uses(language: Language) -> None:
    rule = PIA_PHRASES["rule.exposure"].in_(language)
    parts = dict(zip((-1, 0, 1), re.split(r"−1|, 0|, \+1", rule)[1:], strict=True))
    for recipient, shift in EXPOSURE.items():
        assert PIA_PHRASES[f"recipient.{recipient}"].in_(language).removeprefix("a ") in parts[shift]


@given(contexts)
def test_severity_is_what_the_annex_says(context: PiaContext) -> None:
    least = max(SEVERITY_BASE[context.sensitivity_level], SEVERITY_FLOOR.get(context.data_type, 1))
    raised = least == 2 and context.data_subject in VULNERABLE_SUBJECTS
    assert severity(context).value == (3 if raised else least)
