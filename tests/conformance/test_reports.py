"""`download_report` of the official client gives both reports in both languages, as accessible documents."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from avatar_gitops.server import start
from tests.support.official import clean_environment, environment

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

SCRIPT = Path(__file__).with_name("reports_script.py")
TAGS = {"en": "en-GB", "fr": "fr-FR"}
TECHNICAL = {"en": "Technical anonymization report: reports_en", "fr": "Rapport technique d’anonymisation : reports_fr"}
PIA = {
    "en": "Privacy impact assessment: reports_en",
    "fr": "Analyse d’impact relative à la protection des données (AIPD)\u00a0: reports_fr",
}
RECIPIENTS = {"en": "the public (open data)", "fr": "le public (données ouvertes)"}
both = pytest.mark.parametrize("language", ["en", "fr"])


@pytest.fixture(scope="module")
def folder(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the client put its reports."""
    python = environment("1.30.0")
    made = tmp_path_factory.mktemp("reports")
    with start(tmp_path_factory.mktemp("state-reports")) as server:
        arguments = [server.base_url, server.api_key, str(table), str(made)]
        result = subprocess.run(
            [str(python), str(SCRIPT), *arguments], capture_output=True, text=True, env=clean_environment(), check=False
        )
    assert result.returncode == 0, result.stderr[-4000:]
    yield made


@both
def test_the_technical_report_is_an_accessible_pdf_with_figures(folder: Path, language: str) -> None:
    reader = pypdf.PdfReader(io.BytesIO((folder / f"technical.{language}.pdf").read_bytes()))
    assert reader.metadata is not None
    assert str(reader.metadata.title).replace("\u00a0", " ") == TECHNICAL[language]
    assert str(reader.root_object["/Lang"]) == language
    assert reader.xmp_metadata is not None
    assert b"pdfuaid:part" in reader.xmp_metadata.stream.get_data()
    assert sum(len(page.images) for page in reader.pages) == 4
    text = re.sub(r"\s+", " ", "".join(page.extract_text() for page in reader.pages))
    assert RECIPIENTS[language] in text


@both
def test_the_assessment_is_a_word_document_in_its_language(folder: Path, language: str) -> None:
    word = docx.Document(io.BytesIO((folder / f"pia.{language}.docx").read_bytes()))
    assert word.paragraphs[0].text == PIA[language]
    assert word.core_properties.language == TAGS[language]
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    assert RECIPIENTS[language] in cells
    assert [drawn.get("descr") for drawn in word.element.body.iter(qn("wp:docPr"))] != []
