"""Figures in the technical report: numbered under their captions, told to who cannot see them, never torn apart."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from avatar_gitops.assessment import AssessmentFacts, FigureFacts, render, report_view
from avatar_gitops.assessment.document import Heading, Picture, text_of
from avatar_gitops.assessment.facts import Language, TableFacts
from tests.assessment.pictures import picture

Make = Callable[[Language], AssessmentFacts]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
SERIES = ("raw_series", "normalized_series")
VARIABLES = ("heart_rate", "temperature", "pressure")


def shown(facts: AssessmentFacts) -> AssessmentFacts:
    """A table with figures of columns, and two with figures of series."""
    png = picture(1100, 560)
    series = tuple(FigureFacts(kind, png, name) for kind in SERIES for name in VARIABLES)
    first = dataclasses.replace(facts.tables[0], figures=(FigureFacts("2d_projection", picture(1100, 900)),))
    tables = (TableFacts(name, figures=series, metrics=first.metrics) for name in ("vitals", "nights"))
    return dataclasses.replace(facts, tables=(first, *tables))


def section(text: str) -> str:
    """What a Markdown report says about figures."""
    return text[text.index("### 4.4 Figures") : text.index("## 5 ")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_golden_section_of_figures(facts: Make, language: Language, golden: Callable[[str, str], None]) -> None:
    text = render(report_view("technical", shown(facts(language))), "markdown", folder="report").decode()
    golden(f"assessment/figures.{language}.md", section(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_heading_stands_on_the_page_of_its_first_figure(facts: Make, language: Language) -> None:
    made = report_view("technical", shown(facts(language)))
    reader = pypdf.PdfReader(io.BytesIO(render(made, "pdf")))
    pages = [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]
    for table, number in (("patients", 1), ("vitals", 2), ("nights", 8)):
        [page] = [text for text in pages if f"Figures of {table} " in text or f"Figures de {table} " in text][-1:]
        assert f"Figure {number}." in page
    assert all(f"Figure {number}." in "".join(pages) for number in range(1, 14))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_stays_with_its_picture_in_word(facts: Make, language: Language) -> None:
    view = report_view("technical", shown(facts(language)))
    word = docx.Document(io.BytesIO(render(view, "docx")))
    captions = {f"Figure {number}." for number in range(1, 14)}
    followed = [
        after.text[: len("Figure 10.")].strip().partition(". ")[0].rstrip(".") + "."
        for before, after in zip(word.paragraphs, word.paragraphs[1:], strict=False)
        if list(before._p.iter(qn("wp:inline"))) and before.paragraph_format.keep_with_next
    ]
    assert captions <= set(followed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_is_told_in_words_and_the_captions_are_no_repetition(facts: Make, language: Language) -> None:
    view = report_view("technical", shown(facts(language)))
    pictures = [block for block in view.document.blocks if isinstance(block, Picture)]
    assert len({block.alt for block in pictures}) == 1 + 6
    for block in pictures:
        if "series" in block.name:
            assert len(block.alt) > len(text_of(block.caption)) - len("Figure 1. ")
    headings = [text_of(block.content) for block in view.document.blocks if isinstance(block, Heading)]
    assert sum("Figures" in text for text in headings) == 3


def test_words_are_as_large_in_every_picture_and_none_leaves_the_line() -> None:
    small, large = (Picture("a.png", picture(*size), "a") for size in ((300, 200), (900, 200)))
    assert small.printed == (105.0, 70.0)
    assert large.printed == (315.0, 70.0)
