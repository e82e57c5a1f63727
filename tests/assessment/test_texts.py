"""Words: complete in both languages, typeset as each language wants, numbers that never hide a missed target."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.assessment.catalogue import (
    CATALOGUE,
    CRITERIA,
    Family,
    written_interval,
    written_target,
    written_value,
)
from avatar_gitops.assessment.metric_texts import METRIC_TEXTS, metric_label
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.phrases_technical import TECHNICAL_PHRASES
from avatar_gitops.assessment.risk import Conclusion, Finding, Flag, Level
from avatar_gitops.assessment.targets import parse_target
from avatar_gitops.assessment.text import NBSP, THIN, Text, bare, number, typeset
from avatar_gitops.report.words import WORDS

TABLES: Mapping[str, Mapping[str, Text]] = {"pia": PIA_PHRASES, "technical": TECHNICAL_PHRASES, "summary": WORDS}
EVERY_TEXT = [
    *((f"{table}.{key}", text) for table, texts in TABLES.items() for key, text in texts.items()),
    *(
        (f"{name}.{part}", getattr(words, part))
        for name, words in METRIC_TEXTS.items()
        for part in ("label", "meaning", "definition")
    ),
]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def faults(text: Text) -> list[str]:
    english, french = text.in_("en"), text.in_("fr")
    found = {
        "empty": not english or not french,
        "padded": english.strip() != english or french.strip() != french,
        "places": places(english) != places(french),
        "space before a sign in English": NBSP in english or THIN in english or re.search(r" [:;?!%]", english),
        "no space before a sign in French": re.search(r"(?<!\u00a0)[:%]|(?<!\u202f)[;?!]", french),
        "typewriter quotes": re.search(r"['\"]", f"{english}{french}"),
        "claims anonymity": re.search(r"\banonym(ous|e|es)\b", f"{english} {french}", re.IGNORECASE),
    }
    return [name for name, holds in found.items() if holds]


def test_every_text_is_complete_and_typeset_in_both_languages() -> None:
    assert len(EVERY_TEXT) > 300
    assert {key: found for key, text in EVERY_TEXT if (found := faults(text))} == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (Text("", "a"), "empty"),
        (Text("a {x}", "a {y}"), "places"),
        (Text("a :", "a :"), "space before a sign in English"),
        (Text("a:", "a:"), "no space before a sign in French"),
        (Text("the data are anonymous", "a"), "claims anonymity"),
    ],
)
def test_the_check_of_the_texts_finds_faults(text: Text, fault: str) -> None:
    assert fault in faults(text)


def test_every_metric_has_words_and_every_word_a_metric() -> None:
    assert set(METRIC_TEXTS) == set(CATALOGUE)


@pytest.mark.parametrize("phrases", [PIA_PHRASES, TECHNICAL_PHRASES])
def test_every_enumeration_has_words(phrases: Mapping[str, Text]) -> None:
    wanted = [f"criterion.{item}" for item in Family] + [f"level.{item}" for item in Level]
    wanted += [f"finding.{item}" for item in Finding] + [f"flag.{item}" for item in Flag]
    wanted += [f"conclusion.{item}" for item in Conclusion] + [f"scenario.{item}" for item in CRITERIA]
    wanted += [
        f"{axis}.{step}{part}" for axis in ("severity", "likelihood") for step in "1234" for part in ("", ".meaning")
    ]
    groups = {
        "recipient": "unknown opendata contractual_thirdparty internal outside_eu trusted_thirdparty",
        "type": "unknown health hr mobility insurance finance education",
        "subject": "unknown patients employees clients users students",
    }
    wanted += [f"{group}.{value}" for group, values in groups.items() for value in values.split()]
    wanted += [
        f"sensitivity.{level}"
        for level in ("Undefined", "Very High", "High", "Medium", "Low", "Very Low", "Negligible")
    ]
    assert [key for key in wanted if key not in phrases] == []


@given(
    st.sampled_from(sorted(CATALOGUE)),
    st.floats(min_value=0, max_value=100),
    st.sampled_from([">= 90", "> 5", "<= 0.1", "< 10"]),
)
def test_a_written_value_stands_on_the_side_of_its_target(name: str, value: float, target: str) -> None:
    written = float(written_value(name, value, "en", target).rstrip("%"))
    bound = parse_target(target)
    if abs(value - bound.bound) > 1e-6:
        assert bound.met_by(written) == bound.met_by(value)
    assert written == pytest.approx(value, abs=0.051)


def test_a_value_that_misses_by_a_hair_does_not_look_met() -> None:
    assert written_value("hidden_rate", 89.97, "en", ">= 90") == "89.97%"
    assert written_value("hidden_rate", 89.97, "en") == "90.0%"


def test_numbers_in_both_languages() -> None:
    assert written_value("hidden_rate", 91.44, "en") == "91.4%"
    assert written_value("hidden_rate", 91.44, "fr") == "91,4\u00a0%"
    assert written_value("hellinger_mean", 0.0514, "fr") == "0,051"
    assert written_value("local_cloaking", 11.0, "en") == "11"
    assert written_value("local_cloaking", 9.5, "fr") == "9,5"
    assert written_target("hidden_rate", ">= 90", "fr") == "≥ 90\u00a0%"
    assert written_target("hellinger_mean", "< 0.1", "fr") == "< 0,1"
    assert written_value("new_metric", 1.234, "en") == "1.23"
    assert number(-0.0001, 1, "en") == "0.0"


def test_both_ends_of_an_interval_have_the_same_decimals() -> None:
    assert written_interval("local_cloaking", 5.0, 9.5, "fr") == "5,0 – 9,5"
    assert written_interval("local_cloaking", 5.0, 9.0, "fr") == "5 – 9"
    assert written_interval("hidden_rate", 89.96, 93.0, "en", ">= 90") == "89.96% – 93.00%"


def test_french_has_its_spaces_and_both_languages_their_quotation_marks() -> None:
    french = "a\u00a0: b\u202f; «\u00a0c\u00a0»\u202f? 5\u00a0% l’«\u00a0x\u00a0»"
    assert typeset('a : b ; « c » ? 5 % l\'"x"', "fr") == french
    assert typeset('the person\'s "x": 5%', "en") == "the person’s “x”: 5%"


def test_large_numbers_are_written_in_groups() -> None:
    assert number(1234567.5, 1, "fr") == "1\u202f234\u202f567,5"
    assert number(-12345.0, 0, "en") == "\u221212,345"
    assert (bare(-0.5, "fr"), written_value("utility_loss", -1.2, "en")) == ("\u22120,5", "\u22121.2%")
    assert (bare(9999.0, "fr"), bare(10000.0, "fr"), bare(1e-07, "fr")) == ("9999", "10\u202f000", "1e-07")


def test_a_metric_without_words_keeps_its_name() -> None:
    assert metric_label("new_metric", "fr") == "new_metric"
