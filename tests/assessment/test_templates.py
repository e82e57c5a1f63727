"""A project's own templates: which one is used, what it sees, and errors in it told with file and line."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import jsonschema
import pypdf
import pytest

from avatar_gitops.assessment import AssessmentFacts, render, report_view
from avatar_gitops.assessment.facts import FigureFacts, Language
from avatar_gitops.assessment.templates import TemplateProblem, Templates
from avatar_gitops.assessment.view import Kind, facts_from_plain, facts_to_plain, plain, schema_text
from tests.assessment.pictures import PIXEL

Make = Callable[[Language], AssessmentFacts]
KINDS: tuple[Kind, ...] = ("pia", "technical")
SCHEMA = Path(__file__).parents[2] / "schemas" / "report.v1.schema.json"
SHOWN = "patients.raw_series.heart_rate-"
LISTED = "{% for table in facts.tables %}{{ table.name | code }}{% endfor %} {{ kind }}\n"
OWN_TYP = "#let doc = json(bytes(sys.inputs.document))\n#set document(title: doc.title)\n= Own: #doc.title\n"
OWN_TYP += "#let facts = json(bytes(sys.inputs.facts))\n#facts.set_name has #facts.tables.len() table\n"


def with_figure(facts: AssessmentFacts) -> AssessmentFacts:
    table = dataclasses.replace(facts.tables[0], figures=(FigureFacts("raw_series", PIXEL, "heart rate"),))
    return dataclasses.replace(facts, tables=(table,))


def test_the_published_schema_is_that_of_the_classes() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("kind", KINDS)
def test_every_view_is_what_the_schema_says(facts: Make, bare_facts: AssessmentFacts, kind: Kind) -> None:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for made in (facts("fr"), with_figure(facts("en")), bare_facts):
        jsonschema.validate(plain(report_view(kind, made)), schema)


def test_facts_come_back_as_they_were_written(facts: Make, bare_facts: AssessmentFacts) -> None:
    for made in (facts("fr"), with_figure(facts("en")), bare_facts):
        content = json.loads(json.dumps(facts_to_plain(made)))
        found = facts_from_plain(
            content, lambda name: PIXEL if name.startswith("patients.raw_series.heart_rate-") else None
        )
        assert found == made


def test_facts_of_another_version_are_refused(facts: Make) -> None:
    content = {**facts_to_plain(facts("en")), "version": "2.0"}
    with pytest.raises(ValueError, match="version"):
        facts_from_plain(content, lambda name: None)


def test_a_template_for_the_kind_wins_over_the_one_for_both(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "document.md.j2").write_text("Both {{ document.title | escape }}\n")
    (tmp_path / "pia.md.j2").write_text(
        "{% for table in facts.tables %}{{ table.name | code }}{% endfor %} {{ kind }}\n"
    )
    own = Templates(tmp_path)
    assert render(report_view("pia", facts("en")), "markdown", own) == b"`patients` pia\n"
    assert render(report_view("technical", facts("en")), "markdown", own).startswith(b"Both Technical")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("fine\n{% if %}\n", 2, "Expected an expression"),
        ("fine\n\n{{ documnt.title }}\n", 3, "'documnt' is undefined"),
        ("{{ document.blocks[0].content | shout }}\n", 1, "No filter named 'shout'"),
        ("a\n{{ facts.__class__ }}\n", 2, "unsafe"),
        ("a\n{{ 1 // 0 }}\n", 2, "division"),
        ("{% include 'nowhere.md' %}\n", 1, "nowhere.md"),
    ],
)
def test_an_error_in_jinja_names_file_and_line(facts: Make, tmp_path: Path, text: str, line: int, said: str) -> None:
    path = tmp_path / "pia.md.j2"
    path.write_text(text)
    with pytest.raises(TemplateProblem) as caught:
        render(report_view("pia", facts("en")), "markdown", Templates(tmp_path))
    assert str(caught.value).startswith(f"{path.as_posix()}:{line}: ")
    assert said in str(caught.value)


def test_an_own_pdf_template_sees_document_and_facts_and_files_beside_it(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "word.typ").write_text('#let word = "Letterhead"\n')
    (tmp_path / "document.typ").write_text(f'#import "word.typ": word\n#word\n{OWN_TYP}')
    data = render(report_view("pia", facts("en")), "pdf", Templates(tmp_path))
    text = pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()
    assert "Letterhead" in text
    assert "Own: Privacy impact assessment: patients-2026q3" in text
    assert "patients-2026q3 has 1 table" in text


@pytest.mark.parametrize(
    ("text", "line"), [("fine\n\n#let x =\n", 3), ("#nothing\n", 1), ('#read("/etc/hostname")\n', 1)]
)
def test_an_error_in_typst_names_file_and_line(facts: Make, tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "pia.typ"
    path.write_text(text)
    with pytest.raises(TemplateProblem) as caught:
        render(report_view("pia", facts("en")), "pdf", Templates(tmp_path))
    assert str(caught.value).startswith(f"{path.as_posix()}:{line}: ")


def test_an_error_in_an_imported_typst_file_names_that_file(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "word.typ").write_text("\n#let word = #nothing\n")
    (tmp_path / "pia.typ").write_text('#import "word.typ": word\n#word\n')
    with pytest.raises(TemplateProblem) as caught:
        render(report_view("pia", facts("en")), "pdf", Templates(tmp_path))
    assert str(caught.value).startswith(f"{(tmp_path / 'word.typ').as_posix()}:2: ")


def test_an_own_word_file_gives_styles_and_header_and_none_of_its_text(facts: Make, tmp_path: Path) -> None:
    own = docx.Document()
    own.add_paragraph("Text of the template")
    own.sections[0].header.paragraphs[0].text = "Example Hospital"
    own.save(str(tmp_path / "pia.docx"))
    data = render(report_view("pia", facts("fr")), "docx", Templates(tmp_path))
    word = docx.Document(io.BytesIO(data))
    assert word.sections[0].header.paragraphs[0].text == "Example Hospital"
    assert "Text of the template" not in "".join(paragraph.text for paragraph in word.paragraphs)
    assert word.core_properties.language == "fr-FR"
    assert {info.date_time for info in zipfile.ZipFile(io.BytesIO(data)).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_word_file_without_the_styles_is_refused_by_name(facts: Make, tmp_path: Path) -> None:
    own = docx.Document()
    own.styles.element.remove(own.styles["List Bullet"].element)
    own.save(str(tmp_path / "document.docx"))
    with pytest.raises(TemplateProblem, match=r"document\.docx: the Word template has no style List Bullet"):
        render(report_view("pia", facts("en")), "docx", Templates(tmp_path))


def test_what_is_no_word_file_is_refused_by_name(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "document.docx").write_text("no zip")
    with pytest.raises(TemplateProblem, match=r"document\.docx: this is not a Word document"):
        render(report_view("pia", facts("en")), "docx", Templates(tmp_path))


CANARY = "CANARYNAME,CANARYSSN\n"
READING = (
    ("pia.md.j2", '{% include "notes.csv" %}', "markdown"),
    ("pia.md.j2", '{% include "../notes.j2" %}', "markdown"),
    ("pia.md.j2", '{% include "link.j2" %}', "markdown"),
    ("pia.md.j2", '{% include "away.j2" %}', "markdown"),
    ("pia.typ", '#read("notes.csv")', "pdf"),
    ("pia.typ", '#panic(read("notes.csv"))', "pdf"),
    ("pia.typ", '#read("link.svg")', "pdf"),
    ("pia.typ", '#panic(read("../notes.csv"))', "pdf"),
)


@pytest.mark.parametrize(("name", "text", "form"), READING)
def test_a_template_reads_no_data(facts: Make, tmp_path: Path, name: str, text: str, form: Any) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for data in (folder / "notes.csv", tmp_path / "notes.csv", tmp_path / "notes.j2"):
        data.write_text(CANARY)
    for link, target in (("link.j2", "notes.csv"), ("link.svg", "notes.csv"), ("away.j2", "../notes.j2")):
        (folder / link).symlink_to(target)
    (folder / name).write_text(text)
    with pytest.raises(TemplateProblem) as caught:
        render(report_view("pia", facts("en")), form, Templates(folder))
    assert "CANARY" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(("name", "form"), [("pia.md.j2", "markdown"), ("pia.typ", "pdf"), ("pia.docx", "docx")])
def test_a_template_that_is_a_link_to_data_is_refused(facts: Make, tmp_path: Path, name: str, form: Any) -> None:
    (tmp_path / "notes.csv").write_text(CANARY)
    (tmp_path / name).symlink_to("notes.csv")
    with pytest.raises(TemplateProblem, match="is a link to what is no template"):
        render(report_view("pia", facts("en")), form, Templates(tmp_path))


def test_a_panic_does_not_repeat_its_text(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "pia.typ").write_text('#panic("CANARY")\n')
    with pytest.raises(TemplateProblem, match=r"pia\.typ:1: panicked$"):
        render(report_view("pia", facts("en")), "pdf", Templates(tmp_path))


def test_a_typst_package_is_refused_before_anything_is_fetched(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "pia.typ").write_text('#import "word.typ": word\n')
    (tmp_path / "word.typ").write_text('\n#import "@preview/cetz:0.1.0"\n')
    with pytest.raises(TemplateProblem, match=r"word\.typ:2: packages are not loaded"):
        render(report_view("pia", facts("en")), "pdf", Templates(tmp_path))


@pytest.mark.parametrize("text", ['{{ "x" * 9999999999 }}', "{{ 9999999999 * [1] }}", "{{ 2 ** 9999999999 }}"])
def test_a_template_makes_no_huge_product(facts: Make, tmp_path: Path, text: str) -> None:
    (tmp_path / "pia.md.j2").write_text(text)
    with pytest.raises(TemplateProblem, match="larger than 10000"):
        render(report_view("pia", facts("en")), "markdown", Templates(tmp_path))


def test_products_of_usual_size_are_made(facts: Make, tmp_path: Path) -> None:
    (tmp_path / "pia.md.j2").write_text('{{ "x" * 3 }} {{ 20000 * 20000 }} {{ 3 ** 2 }}')
    assert render(report_view("pia", facts("en")), "markdown", Templates(tmp_path)) == b"xxx 400000000 9\n"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateProblem, match="no such folder"):
        Templates(tmp_path / "nowhere")
