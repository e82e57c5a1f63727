"""The documents: what they say, that every number in them is a fact, and that the same facts give the same bytes."""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, Literal

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from avatar_gitops.assessment import (
    AssessmentFacts,
    PiaContext,
    TableFacts,
    assess,
    metric_facts,
    pia_docx,
    pia_markdown,
    report_view,
    technical_report,
)
from avatar_gitops.assessment.document import Bars, Document, Heading, Table, text_of
from avatar_gitops.assessment.docx import to_docx
from avatar_gitops.assessment.facts import Language, MetricValue
from avatar_gitops.assessment.markdown import to_markdown
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.phrases_technical import TECHNICAL_PHRASES
from avatar_gitops.assessment.pia import pia_document
from avatar_gitops.assessment.technical import technical_document
from avatar_gitops.assessment.view import Kind, ReportView

Make = Callable[[Language], AssessmentFacts]
KINDS: tuple[Kind, ...] = ("pia", "technical")
LANGUAGES: tuple[Language, ...] = ("en", "fr")
both = pytest.mark.parametrize("language", LANGUAGES)
MATRIX = {"en": "Risk matrix. Severity 3", "fr": "Matrice des risques. Gravité 3"}
HOSTILE = "| x* _y_ `z` <b> #[1](http://e) \\ $a$ @ref {{ t }} \x07"


def documents(facts: AssessmentFacts) -> Iterator[Document]:
    yield pia_document(facts, assess(facts))
    yield technical_document(facts, assess(facts))


def pdf_text(data: bytes) -> str:
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    return re.sub(r"\s+", " ", "".join(pages).replace("\u200b", ""))


def read(data: bytes) -> Any:
    return docx.Document(io.BytesIO(data))


def docx_text(data: bytes) -> str:
    word = read(data)
    return "".join(node.text or "" for node in word.element.body.iter(qn("w:t")))


def expected(value: float, decimals: int, language: Language, unit: str = "") -> str:
    text = f"{value:.{decimals}f}"
    text = text.replace(".", ",") if language == "fr" else text
    return text + unit.replace(" ", "\u00a0" if language == "fr" else "")


@both
def test_golden_markdown(facts: Make, language: Language, golden: Callable[[str, str], None]) -> None:
    golden(f"assessment/pia.{language}.md", pia_markdown(facts(language)))


@both
def test_golden_technical_report(facts: Make, language: Language, golden: Callable[[str, str], None]) -> None:
    made = facts(language)
    golden(f"assessment/technical.{language}.md", to_markdown(report_view("technical", made)))


def test_golden_of_a_set_about_which_nothing_is_known(
    bare_facts: AssessmentFacts, golden: Callable[[str, str], None]
) -> None:
    golden("assessment/pia.unstated.md", pia_markdown(bare_facts))


@both
def test_metric_rows_show_the_facts(facts: Make, language: Language) -> None:
    made = facts(language)
    metrics = {metric.name: metric for metric in made.tables[0].metrics}
    for document in documents(made):
        rows = [
            row
            for block in document.blocks
            if isinstance(block, Table) and len(block.header) == 6
            for row in block.rows
        ]
        shown = {text_of(row[-1].content): [text_of(cell.content) for cell in row] for row in rows}
        assert set(metrics) <= set(shown)
        for name, metric in metrics.items():
            decimals, unit = {
                "local_cloaking": (0, ""),
                "distance_to_closest": (3, ""),
                "closest_distances_ratio": (3, ""),
                "hellinger_mean": (3, ""),
                "membership_auc": (3, ""),
            }.get(name, (1, " %"))
            if metric.value is None:
                assert shown[name][1] == PIA_PHRASES["finding.not_measured"].in_(language)
            else:
                assert shown[name][1] == expected(metric.value, decimals, language, unit)
            if metric.low is not None and name != "local_cloaking":
                assert shown[name][2].split(" – ")[0] == expected(metric.low, decimals, language, unit)


@both
def test_no_section_is_empty_and_nothing_is_left_to_fill(
    facts: Make, bare_facts: AssessmentFacts, language: Language
) -> None:
    for made in (facts(language), dataclasses.replace(bare_facts, language=language)):
        for document in documents(made):
            for block, after in itertools.pairwise((*document.blocks, Heading(1, ()))):
                deeper = isinstance(block, Heading) and isinstance(after, Heading) and after.level > block.level
                assert deeper or not isinstance(block, Heading) or not isinstance(after, Heading), block
            text = to_markdown(ReportView("pia", document, made))
            assert not re.search(r"TODO|TBD|XXX|lorem|None|nan\b|[{}]", text)


def number_words(text: str) -> set[str]:
    return {found.replace(",", ".") for found in re.findall(r"\d+(?:[.,]\d+)?", text)}


@both
def test_no_number_comes_from_nowhere(facts: Make, language: Language) -> None:
    made = facts(language)
    table = made.tables[0]
    phrases = " ".join(text.in_(language) for text in (*PIA_PHRASES.values(), *TECHNICAL_PHRASES.values()))
    allowed = number_words(phrases + repr(made)) | {str(step) for step in range(20)}
    for metric in table.metrics:
        for value in filter(None, (metric.value, metric.low, metric.high)):
            allowed |= {f"{value:.{decimals}f}" for decimals in (0, 1, 3)}
    defaults = {"50", "90", "95", "0.55", "0.2", "0.3", "0.05", "0.1", "0.094", "0.127"}
    sections = {f"{chapter}.{part}" for chapter in range(1, 9) for part in range(1, 20)}
    for kind in KINDS:
        text = re.sub(r"`[^`]*`", "", to_markdown(report_view(kind, made)))
        definitions = re.compile(r"^(\| (Definition|Définition)|100 ).*$", re.MULTILINE)
        assert number_words(definitions.sub("", text)) - allowed - defaults - sections - {"100"} == set()


@both
def test_every_measured_value_stands_in_the_printed_documents(facts: Make, language: Language) -> None:
    made = facts(language)
    printed = (pdf_text(technical_report(made)), docx_text(technical_report(made, "docx")), docx_text(pia_docx(made)))
    percents = {name: value for metric in made.tables[0].metrics if (name := metric.name) and (value := metric.value)}
    for text in (text.replace("\u00a0", " ") for text in printed):
        for name in ("hidden_rate", "closest_rate", "inference_categorical", "column_direct_match_protection"):
            assert expected(percents[name], 1, language) in text
        assert expected(0.0514, 3, language) in text
        assert ("≥ 90 %" if language == "fr" else "≥ 90%") in text


@both
def test_the_pdf_says_what_the_document_says(facts: Make, language: Language) -> None:
    made = facts(language)
    document = technical_document(made, assess(made))
    data = technical_report(made)
    reader = pypdf.PdfReader(io.BytesIO(data))
    text = pdf_text(data)
    assert document.title.replace("\u00a0", " ") in text
    for key in ("h.objective", "h.summary", "h.attack", "h.signal", "h.parameters", "h.limits", "h.metadata"):
        assert TECHNICAL_PHRASES[key].in_(language).replace("\u00a0", " ") in text.replace("\u00a0", " ")
    assert reader.metadata is not None
    assert reader.metadata.title == document.title
    assert str(reader.root_object["/Lang"]) == language
    assert f"{len(reader.pages)} / {len(reader.pages)}" in text


@both
@pytest.mark.parametrize("make", [pia_docx, lambda facts: technical_report(facts, "docx"), technical_report])
def test_the_same_facts_give_the_same_bytes(facts: Make, language: Language, make: Callable[..., bytes]) -> None:
    assert make(facts(language)) == make(facts(language))


def test_docx_parts_have_a_fixed_order_and_date(facts: Make) -> None:
    archive = zipfile.ZipFile(io.BytesIO(pia_docx(facts("en"))))
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert archive.namelist()[0] == "[Content_Types].xml"
    assert archive.namelist()[1:] == sorted(archive.namelist()[1:])


@both
def test_docx_structure(facts: Make, language: Language) -> None:
    made = facts(language)
    document = pia_document(made, assess(made))
    word = read(pia_docx(made))
    chapters = [
        paragraph.text for paragraph in word.paragraphs if paragraph.style and paragraph.style.name == "Heading 1"
    ]
    assert [int(title.split()[0]) for title in chapters] == list(range(1, 9))
    assert word.paragraphs[0].style.name == "Title"
    assert word.paragraphs[0].text == document.title
    assert word.core_properties.language == {"en": "en-GB", "fr": "fr-FR"}[language]
    assert word.core_properties.created.year == 1980
    languages = {node.get(qn("w:val")) for node in word.styles.element.iter(qn("w:lang"))}
    assert languages == {{"en": "en-GB", "fr": "fr-FR"}[language]}
    assert len(word.tables) == sum(isinstance(block, Table) for block in document.blocks)
    for table in word.tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert table._tbl.tblPr.find(qn("w:tblDescription")).get(qn("w:val"))
    (drawn,) = word.element.body.iter(qn("wp:docPr"))
    assert drawn.get("descr").startswith(MATRIX[language])


def test_the_risk_matrix_is_a_coloured_table_with_words(facts: Make) -> None:
    word = read(pia_docx(facts("en")))
    (matrix,) = [table for table in word.tables if table.rows[0].cells[0].text.startswith("Severity \\")]
    colours: dict[str, set[str]] = {}
    for row in matrix.rows[1:]:
        for cell in row.cells[1:]:
            fill = cell._tc.tcPr.find(qn("w:shd")).get(qn("w:fill"))
            colours.setdefault(cell.text.split(" · ")[0], set()).add(fill)
    assert set(colours) == {"low", "moderate", "high", "very high"}
    assert all(len(fills) == 1 for fills in colours.values())
    assert len({fill for fills in colours.values() for fill in fills}) == 4
    placed = [cell.text for row in matrix.rows[1:] for cell in row.cells[1:] if "·" in cell.text]
    assert placed == ["high · after: patients", "very high · before"]


@both
def test_unknown_is_bold_and_never_filled_in(bare_facts: AssessmentFacts, language: Language) -> None:
    made = dataclasses.replace(bare_facts, language=language)
    word = read(pia_docx(made))
    runs = [run for table in word.tables for row in table.rows for cell in row.cells for run in cell.paragraphs[0].runs]
    unknown = PIA_PHRASES["unknown"].in_(language)
    found = [run for run in runs if run.text == unknown]
    assert len(found) > 15
    assert all(run.bold for run in found)
    assert f"**{unknown}**" in pia_markdown(made)


@pytest.mark.parametrize("output_format", ["pdf", "docx"])
def test_user_text_is_never_markup(facts: Make, output_format: Literal["pdf", "docx"]) -> None:
    made = facts("en")
    table = dataclasses.replace(
        made.tables[0],
        name=HOSTILE,
        dropped=(HOSTILE,),
        column_hellinger={HOSTILE: 0.4},
        metrics=(MetricValue("column_direct_match_protection", 60.0, column=HOSTILE),),
    )
    hostile = dataclasses.replace(made, tables=(table,), set_name="s", context=PiaContext(purpose=HOSTILE))
    data = technical_report(hostile, output_format)
    text = pdf_text(data) if output_format == "pdf" else docx_text(data)
    assert "http://e" in text
    assert "$a$" in text
    assert "{{ t }}" in text
    markdown = pia_markdown(hostile)
    assert "<b>" not in re.sub(r"`[^`]*`", "", markdown).replace("\\<b\\>", "")
    rows = [line for line in markdown.splitlines() if line.startswith("| Purpose |")]
    assert re.sub(r"\\\|", "", rows[0]).count("|") == 4


def test_several_tables_and_scopes(facts: Make) -> None:
    made = facts("fr")
    child = TableFacts(
        "visits",
        method="open_dp",
        excluded=("day",),
        replacement_strategy="row_order",
        metrics=(
            *metric_facts({"hidden_rate": 40.0}, targets={"hidden_rate": ">= 90"}),
            *metric_facts({"hidden_rate": 95.0}, targets={"hidden_rate": ">= 90"}, scope="to_top_enriched"),
        ),
    )
    both_tables = dataclasses.replace(made, tables=(*made.tables, child))
    markdown = pia_markdown(both_tables)
    assert "4.3 Table `visits`" in markdown
    assert "| Taux de dissimulation | 40,0\u00a0% |" in markdown  # the worst; the technical report has all
    technical = to_markdown(report_view("technical", both_tables))
    assert "| `visits` (avec l’apport des tables filles) | 95,0\u00a0% |" in technical
    assert "**non compatible**" in markdown
    assert "coordinate\\_similarity" in markdown
    assert pdf_text(technical_report(both_tables)).count("visits") > 3


def test_the_mean_of_the_avatars_of_a_person_has_words_and_is_no_link(facts: Make) -> None:
    alone = metric_facts({"hidden_rate": 95.0})
    means = metric_facts({"hidden_rate": 80.0}, scope="barycentered")
    made = dataclasses.replace(facts("fr"), tables=(TableFacts("t", metrics=(*alone, *means)),))
    for text in (pia_markdown(made), to_markdown(report_view("technical", made))):
        assert "(moyenne des avatars de chaque personne)" in text
        assert "sur la table seule et sur la moyenne des avatars de chaque personne" in text
        assert "sur ce que ses liens ajoutent" not in text
        assert "barycentered" not in text


def test_what_was_not_measured_is_told_with_its_reason(facts: Make) -> None:
    values = {"hidden_rate": None, "membership_auc": None, "knowledge_protection_rate": None, "closest_rate": None}
    kinds = {"inference_continuous": None, "inference_categorical": 20.0}
    table = TableFacts("t", method="open_dp", inference_target="c", metrics=metric_facts({**values, **kinds}))
    text = to_markdown(report_view("technical", dataclasses.replace(facts("en"), tables=(table,))))
    assert "asked for" not in text
    assert "inference_continuous" not in text
    told = [line.strip("| ").split(" | ") for line in text.splitlines() if "**not measured** |" in line]
    why = {cells[3].strip("`"): cells[2] for cells in told if len(cells) == 4}
    assert why == {
        "hidden_rate": "no avatar belongs to one person",
        "knowledge_protection_rate": "no avatar belongs to one person",
        "membership_auc": "no people who were not used as a control",
        "closest_rate": "no reason is on record",
    }


def test_a_drawing_says_what_is_missed(facts: Make) -> None:
    table = TableFacts("t", metrics=metric_facts({"hidden_rate": 60.0, "local_cloaking": 9.0}))
    text = to_markdown(report_view("technical", dataclasses.replace(facts("en"), tables=(table,))))
    assert "Privacy metrics of table t; missed: Hidden rate 60.0%." in text


@pytest.mark.parametrize(
    ("purpose", "end"),
    [("A purpose", ": A purpose. "), ("One.", ": One. "), ("Why the « heart » ?", ": Why the « heart » ? ")],
)
def test_a_purpose_has_one_end(facts: Make, purpose: str, end: str) -> None:
    made = facts("en")
    made = dataclasses.replace(made, context=dataclasses.replace(made.context, purpose=purpose))
    assert f"with the intended use{end}Recipients:" in pia_markdown(made)


def test_sizes_are_in_the_words_of_the_language(facts: Make) -> None:
    assert "| 1\u202f000 à 10\u202f000 |" in pia_markdown(facts("fr"))
    assert "| 1k-10k |" in pia_markdown(facts("en"))


def test_a_metric_that_no_criterion_knows_is_shown_and_said_not_to_count(facts: Make) -> None:
    made = facts("en")
    unknown = metric_facts({"new_rate": 12.5}, targets={"new_rate": ">= 40"})
    table = dataclasses.replace(made.tables[0], metrics=(*made.tables[0].metrics, *unknown))
    with_unknown = dataclasses.replace(made, tables=(table,))
    assert assess(with_unknown).level is assess(made).level
    text = pia_markdown(with_unknown)
    assert "they do not enter the level" in text
    assert "| 12.50 | **unknown** | ≥ 40 | **target missed by more than 50%** | `new_rate` |" in text


def test_bars_are_written_with_their_values(facts: Make) -> None:
    made = facts("en")
    document = technical_document(made, assess(made))
    (bars,) = [block for block in document.blocks if isinstance(block, Bars)]
    assert list(zip(bars.names, bars.labels, strict=True)) == [
        ("site", "0.127"),
        ("Class", "0.094"),
        ("age", "0.031"),
        ("sex", "0.012"),
    ]
    assert "0.127" in docx_text(to_docx(report_view("technical", made)))


def test_the_conclusion_never_calls_data_anonymous(facts: Make, bare_facts: AssessmentFacts) -> None:
    for made in (facts("en"), facts("fr"), bare_facts):
        text = pia_markdown(made).lower()
        assert not re.search(r"\banonym(ous|e|es)\b", text)


@pytest.mark.parametrize("name", ["名前", "اسم", "😀", "a\tb\x07c"])
def test_a_column_name_in_any_script_gives_a_report(facts: Make, name: str) -> None:
    made = facts("en")
    table = TableFacts(name, dropped=(name,), column_hellinger={name: 0.2})
    odd = dataclasses.replace(made, tables=(table,))
    assert technical_report(odd).startswith(b"%PDF")
    assert technical_report(odd) == technical_report(odd)
    assert name.replace("\x07", "").replace("\t", "") in docx_text(technical_report(odd, "docx"))
