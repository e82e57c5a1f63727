"""Documents in the programs people open them with: LibreOffice reads the Word files whole, no word leaves a page."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from avatar_gitops.assessment import AssessmentFacts, render, report_view
from avatar_gitops.assessment.facts import FigureFacts, Language, TableFacts
from avatar_gitops.assessment.guarantee import Guarantee
from avatar_gitops.assessment.view import Kind
from tests.assessment.pictures import PIXEL

pytestmark = pytest.mark.documents

Make = Callable[[Language], AssessmentFacts]
CASES: tuple[tuple[Kind, Language], ...] = (("pia", "en"), ("pia", "fr"), ("technical", "en"), ("technical", "fr"))
every = pytest.mark.parametrize(("kind", "language"), CASES)
A4 = (595.3, 841.9)
MARGIN = 56.0  # points; 2 cm less a hair
WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>')


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed: .ci/services installs it"
    return found


def large(facts: AssessmentFacts) -> AssessmentFacts:
    """Several tables with long names, a promise, excluded columns in their order, a picture."""
    first = dataclasses.replace(facts.tables[0], figures=(FigureFacts("raw_series", PIXEL, "heart_rate"),))
    long = "a_table_whose_name_is_as_long_as_names_of_columns_in_registries_tend_to_be"
    promise = Guarantee(2.5, 3.0, 1e-9, False, 4, (("bounds", long), ("schema", "")), (("categories", "b"),), "opendp")
    second = dataclasses.replace(first, name=long, links={"visits": "time_series"}, figures=())
    third = TableFacts("visits", method="open_dp", guarantee=promise, metrics=first.metrics, columns=1234)
    fourth = TableFacts("t", excluded=(long, "b"), replacement_strategy="row_order")
    return dataclasses.replace(facts, tables=(first, second, third, fourth))


def letters(text: str) -> str:
    """A text without spaces and hyphens of line ends, as programs break lines where they like."""
    return re.sub(r"[\s\u00a0\u202f\u200b-]", "", text)


def texts(word: Any) -> Iterator[str]:
    for paragraph in word.paragraphs:
        yield paragraph.text
    for table in word.tables:
        yield from (cell.text for row in table.rows for cell in row.cells)


@every
def test_libreoffice_reads_every_text_of_a_word_document(
    facts: Make, kind: Kind, language: Language, tmp_path: Path
) -> None:
    path = tmp_path / "report.docx"
    path.write_bytes(render(report_view(kind, large(facts(language))), "docx"))
    home = f"-env:UserInstallation=file://{tmp_path}/profile"
    call = [program("soffice"), home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(call, check=True, capture_output=True, timeout=170)
    reader = pypdf.PdfReader(str(tmp_path / "report.pdf"))
    converted = letters("".join(page.extract_text() for page in reader.pages))
    # Footers stand between pages, so that a text that breaks there is looked for in its halves.
    missing = [text for text in texts(docx.Document(str(path))) if not _stands(letters(text), converted)]
    assert missing == []
    assert sum(len(page.images) for page in reader.pages) >= (1 if kind == "pia" else 3)


def _stands(text: str, converted: str) -> bool:
    if text in converted:
        return True
    return any(text[:at] in converted and text[at:] in converted for at in range(1, len(text)))


@every
def test_a_word_document_tells_programs_what_it_shows(facts: Make, kind: Kind, language: Language) -> None:
    word = docx.Document(io.BytesIO(render(report_view(kind, large(facts(language))), "docx")))
    tag = {"en": "en-GB", "fr": "fr-FR"}[language]
    assert word.core_properties.language == tag
    assert word.core_properties.title == word.paragraphs[0].text
    assert {node.get(qn("w:val")) for node in word.styles.element.iter(qn("w:lang"))} == {tag}
    levels = [int(p.style.name[-1]) for p in word.paragraphs if p.style and p.style.name.startswith("Heading")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in word.tables:
        assert list(table.rows[0]._tr.iter(qn("w:tblHeader")))
        assert table._tbl.tblPr.find(qn("w:tblDescription")).get(qn("w:val"))
        assert all(cell.text.strip() for cell in table.rows[0].cells)
    drawn = list(word.element.body.iter(qn("wp:docPr")))
    assert drawn
    assert all(len(item.get("descr")) > 20 for item in drawn)


@every
def test_no_word_leaves_its_page(facts: Make, kind: Kind, language: Language, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(render(report_view(kind, large(facts(language))), "pdf"))
    done = subprocess.run([program("pdftotext"), "-bbox", str(path), "-"], check=True, capture_output=True, text=True)
    words = WORD.findall(done.stdout)
    assert len(words) > 1000
    outside = [
        word
        for left, top, right, bottom, word in words
        if float(left) < MARGIN or float(right) > A4[0] - MARGIN or float(top) < 40 or float(bottom) > A4[1] - 25
    ]
    assert outside == []


@every
def test_no_page_is_empty(facts: Make, kind: Kind, language: Language, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(render(report_view(kind, large(facts(language))), "pdf"))
    subprocess.run([program("pdftoppm"), "-r", "20", "-gray", str(path), str(tmp_path / "page")], check=True)
    pages = sorted(tmp_path.glob("page-*.pgm"))
    assert len(pages) == len(pypdf.PdfReader(str(path)).pages) > 3
    for page in pages:
        dark = sum(value < 200 for value in page.read_bytes()[20:])
        assert dark > 60, page.name
