"""The run summary and the index: golden texts, verdicts that follow from the numbers, tables nothing can break."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.assessment import metric_facts
from avatar_gitops.assessment.templates import TemplateProblem
from avatar_gitops.report.index import IndexRow, index_markdown
from avatar_gitops.report.jinja import environment
from avatar_gitops.report.pareto import Candidate, Siblings, plot
from avatar_gitops.report.summary import GateView, MadeFrom, State, SummaryView, TableView, plots, summary_markdown
from avatar_gitops.report.words import Language

LANGUAGES: tuple[Language, ...] = ("en", "fr")
both = pytest.mark.parametrize("language", LANGUAGES)

METRICS = metric_facts(
    {
        "hidden_rate": 91.44,
        "local_cloaking": 11.0,
        "column_direct_match_protection": 97.31,
        "inference_accuracy_ratio": None,
        "hellinger_mean": 0.0514,
    },
    intervals={"hidden_rate": (89.61, 93.04), "local_cloaking": (9.0, 13.0)},
    targets={"column_direct_match_protection": ">= 50", "inference_accuracy_ratio": ">= 95"},
)


def view(language: Language = "en") -> SummaryView:
    return SummaryView(
        set_name="patients-2026q3",
        state=State.PUBLISHED,
        gates=(
            GateView("hidden_rate", ">= 90", 91.44),
            GateView("local_cloaking", ">= 5", 11.0, table="patients"),
            GateView("hellinger_mean", "<= 0.1", 0.0514),
        ),
        tables=(TableView("patients", METRICS),),
        made_from=MadeFrom(
            "sha256:2e400b7967c8a1d1",
            {"patients": "hmac-sha256:32be81470a1b2c3d"},
            is_keyed=True,
            engine="avatar-gitops 0.1.0",
            seed=20260917,
        ),
        when="2026-09-17 09:18 UTC",
        notes=("k 20 → 15",),
        level="high",
        conclusion="with_measures",
        documents={"pia.docx": "pia.docx", "report.pdf": "report.pdf"},
        check="avatar-gitops audit verify patients-2026q3",
        repeat="avatar-gitops audit replay patients-2026q3",
        language=language,
    )


def failed(language: Language = "en") -> SummaryView:
    return SummaryView(
        set_name="wbcd",
        state=State.NOT_PUBLISHED,
        gates=(GateView("hidden_rate", ">= 90", 89.97), GateView("inference_accuracy_ratio", ">= 95", None)),
        tables=(TableView("wbcd", metric_facts({"hidden_rate": 89.97})),),
        next_step="avatar-gitops advise configs/wbcd.yaml",
        language=language,
    )


@both
def test_golden_summary(language: Language, golden: Callable[[str, str], None]) -> None:
    golden(f"summary/published.{language}.md", summary_markdown(view(language)))


@both
def test_golden_summary_of_a_run_that_was_not_published(language: Language, golden: Callable[[str, str], None]) -> None:
    golden(f"summary/not_published.{language}.md", summary_markdown(failed(language)))


@both
def test_golden_index(language: Language, golden: Callable[[str, str], None]) -> None:
    rows = [
        IndexRow("wbcd", State.NOT_PUBLISHED, 0, 2, 89.97, bounds={"hidden_rate": ">= 90"}),
        IndexRow("patients", State.PUBLISHED, 3, 3, 91.44, 11.0, 0.0514, "patients/summary.md", "patients/pia.docx"),
        IndexRow("visits", State.RUNNING),
    ]
    golden(f"summary/index.{language}.md", index_markdown(rows, language))
    assert index_markdown(reversed(rows), language) == index_markdown(rows, language)


def test_a_gate_that_was_not_measured_has_not_passed() -> None:
    text = summary_markdown(failed())
    assert not GateView("hidden_rate", ">= 90", None).passed
    assert "2 of 2 gates failed" in text
    assert "✘ not measured" in text


def test_a_value_that_misses_its_gate_by_a_hair_does_not_look_passed() -> None:
    assert "| 89.97% | ✘ failed |" in summary_markdown(failed())


def test_the_only_gate_and_no_gate_are_said_in_words() -> None:
    one = SummaryView("s", State.PUBLISHED, gates=(GateView("hidden_rate", ">= 90", 95.0),))
    assert "the only gate passed" in summary_markdown(one)
    assert "no gate is set" in summary_markdown(SummaryView("s", State.FAILED))


def test_a_gate_holds_for_every_block_of_a_table_and_for_older_names() -> None:
    metrics = (
        *metric_facts({"correlation_protection_rate": 98.0}),
        *metric_facts({"knowledge_protection_rate": 60.0}, scope="to_top_enriched", reference="u"),
    )
    gates = (GateView("correlation_protection_rate", ">= 95", 60.0),)
    text = summary_markdown(SummaryView("s", State.PUBLISHED, gates=gates, tables=(TableView("t", metrics),)))
    lines = [line for line in text.splitlines() if line.startswith("| `knowledge_protection_rate`")]
    assert "≥ 95% (gate)" in lines[0]
    assert "(with what its child tables add, u)" in lines[1]
    assert "≥ 95% (gate)" in lines[1]


def test_what_has_no_target_of_the_run_is_judged_as_in_the_longer_documents() -> None:
    metrics = metric_facts({"hidden_rate": 60.0, "multivariate_hellinger_mean": 0.287})
    public = SummaryView("s", State.PUBLISHED, tables=(TableView("t", metrics),), folder="pictures")
    text = summary_markdown(public)
    assert "| 0.287 | exact | \\< 0.1 (default target) |" in text
    assert "missed: Hidden rate 60.0%, Multivariate Hellinger distance 0.287." in text
    inside = summary_markdown(replace(public, recipient="internal"))
    assert "≥ 30% (default target)" in inside
    assert "missed: Multivariate Hellinger distance 0.287." in inside
    (only_informs,) = (replace(metric, informs=True) for metric in metrics[:1])
    assert "| 60.0% | unknown | – |" in summary_markdown(replace(public, tables=(TableView("t", (only_informs,)),)))


def test_unknown_provenance_is_bold() -> None:
    text = summary_markdown(SummaryView("s", State.RUNNING))
    assert "Made from: spec **unknown** · engine **unknown**" in text
    assert "seed" not in text


@given(st.text(min_size=1, max_size=30))
def test_no_name_can_break_the_tables(name: str) -> None:
    made = SummaryView(
        set_name=name,
        state=State.PUBLISHED,
        gates=(GateView("hidden_rate", ">= 90", 91.0, table=name),),
        tables=(TableView(name, METRICS),),
    )
    for text, columns in ((summary_markdown(made), 5), (index_markdown([IndexRow(name, State.PUBLISHED)]), 7)):
        rows = [line for line in text.split("\n") if line.startswith("|")]
        assert {re.sub(r"\\.", "", row).count("|") for row in rows} == {columns + 1}
    assert len([line for line in summary_markdown(made).split("\n") if line.startswith("# ")]) == 1


def test_links_are_relative_and_escaped() -> None:
    text = index_markdown([IndexRow("a", State.PUBLISHED, summary="a b/(1)/summary.md")])
    assert "[summary](a%20b/%281%29/summary.md) · –" in text


def test_a_project_may_override_a_template(tmp_path: Path) -> None:
    (tmp_path / "summary.md.j2").write_text("own {{ view.set_name | cell }}\n", encoding="utf-8")
    assert summary_markdown(view(), tmp_path) == "own patients-2026q3\n"
    assert index_markdown([], overrides=tmp_path).startswith("# Anonymized sets")


def test_an_unknown_name_in_a_template_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "summary.md.j2").write_text("{{ view.rows }}", encoding="utf-8")
    with pytest.raises(TemplateProblem, match=r"summary\.md\.j2:1: .*rows"):
        summary_markdown(view(), tmp_path)
    assert environment().undefined is jinja2.StrictUndefined


def test_plots_show_the_metrics_that_have_a_bound_and_say_which_are_missed() -> None:
    shown = replace(view(), folder="pictures", gates=(GateView("hidden_rate", ">= 95", 91.44),))
    ((name, svg),) = plots(shown).items()
    text = summary_markdown(shown)
    alt = "Metrics of patients against their gates and targets; missed: Hidden rate 91.4%."
    assert f"![{alt}](pictures/{name})" in text
    assert f"<title>{alt}</title>" in svg
    drawn = ElementTree.fromstring(svg)
    words = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    labels = ["Hidden rate", "Local cloaking", "Column direct match protection", "Mean Hellinger distance"]
    assert words[::2] == labels
    assert words[1::2] == ["91.4%", "11", "97.3%", "0.051"]
    assert summary_markdown(replace(shown, folder="")).count("![") == 0


def candidate(name: str, k: int, privacy: float | None, utility: float | None) -> Candidate:
    return Candidate(name, {"k": str(k)}, privacy, utility, "✔ 1/1")


FAMILY = Siblings(
    "configs/patients.yaml",
    (
        candidate("patients-k5", 5, 80.0, 0.03),
        candidate("patients-k10", 10, 90.0, 0.05),
        candidate("patients-k20", 20, 85.0, 0.06),  # beaten by k 10 in both
        candidate("patients-k40", 40, None, 0.02),
    ),
    "index-configs-patients.svg",
)


@both
def test_golden_index_of_a_matrix(language: Language, golden: Callable[[str, str], None]) -> None:
    rows = [IndexRow(item.set_name, State.PUBLISHED, 1, 1, item.privacy) for item in FAMILY.candidates]
    golden(f"summary/matrix.{language}.md", index_markdown(rows, language, siblings=[FAMILY]))


def test_only_what_no_other_set_beats_is_on_the_front() -> None:
    assert [FAMILY.is_best(item) for item in FAMILY.candidates] == [True, True, False, False]
    svg = plot(FAMILY, "en")
    assert svg is not None
    ElementTree.fromstring(svg)
    assert svg.count("<circle") == 3
    assert plot(replace(FAMILY, candidates=FAMILY.candidates[:1]), "en") is None


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1)), min_size=2, max_size=8))
def test_a_front_is_never_empty_and_nobody_on_it_is_beaten(values: list[tuple[float, float]]) -> None:
    found = tuple(candidate(f"s{at}", at, *pair) for at, pair in enumerate(values))
    family = Siblings("p", found)
    best = [item for item in found if family.is_best(item)]
    assert best
    assert not any(one.beats(other) for one in best for other in best)
    assert plot(family, "fr") is not None
