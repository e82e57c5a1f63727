"""Downloads: reports, avatars, the YAML of a run, and what must be confirmed first."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest
from ruamel.yaml import YAML

from avatar_gitops.server.database import results, writing
from avatar_gitops.server.web.files import _attachment
from avatar_gitops.spec.importing import from_platform
from avatar_gitops.wire.models import JobStatus
from tests.server.api import documents
from tests.server.web.story import ARABIC, FRENCH, Story, change, launch
from tests.server.web.visitor import Page, Visitor


def files(page: Page) -> dict[str, str]:
    """Addresses by file name."""
    return {" ".join(link.text_content().split()): link.get("href") for link in page.tree.xpath("//th/a")}


def test_files_stand_in_groups_and_the_sensitive_ones_are_marked(marie: Visitor, story: Story) -> None:
    page = marie.get(f"/runs/{story.runs['finished']}/files")
    headings = [" ".join(h.text_content().split()) for h in page.tree.xpath("//h2")]
    groups = ["Run as YAML", "Reports", "Avatars", "Measurements", "Projections of avatars", "! Sensitive results"]
    assert [heading for heading in headings if heading != "! Before you share the avatars"] == groups
    sensitive = [row[0] for row in page.rows(-1)]
    assert sorted(sensitive) == sorted(
        f"{table}.{what} sensitive, asks first"
        for table in (FRENCH, ARABIC)
        for what in ("unshuffled-0.csv", "projections.original-0.csv")
    )
    assert "Technical report" in page.text and "Privacy impact assessment" in page.text
    assert not any("origins" in name for name in files(page))


def test_a_warning_of_the_run_stands_before_its_files(marie: Visitor, story: Story) -> None:
    text = marie.get(f"/runs/{story.runs['finished']}/files").text
    assert "Before you share the avatars" in text and "Column 'weight' is excluded" in text


def test_reports_and_avatars_are_downloaded(marie: Visitor, story: Story) -> None:
    found = files(marie.get(f"/runs/{story.runs['finished']}/files"))
    report = marie.http.get(found["report.pdf"])
    assert report.content.startswith(b"%PDF") and report.headers["content-type"] == "application/pdf"
    assert report.headers["content-disposition"].startswith('attachment; filename="report.pdf"')
    assert int(report.headers["content-length"]) == len(report.content)
    assert (
        "word/document.xml" in zipfile.ZipFile(io.BytesIO(marie.http.get(found["report.pia.docx"]).content)).namelist()
    )
    avatars = marie.http.get(found[f"{FRENCH}.shuffled-0.csv"])
    frame = pd.read_csv(io.BytesIO(avatars.content))
    assert list(frame.columns) == ["âge", "weight", "région_d'origine", "smoker"] and len(frame) == 120
    assert "filename*=UTF-8''donn%C3%A9es_patientes.shuffled-0.csv" in avatars.headers["content-disposition"]


def test_a_sensitive_result_needs_a_confirmation_and_leaves_a_trace(marie: Visitor, story: Story) -> None:
    address = files(marie.get(f"/runs/{story.runs['finished']}/files"))[f"{FRENCH}.unshuffled-0.csv"]
    ask = marie.get(address)
    assert ask.heading == "Download a sensitive result?"
    assert "Row i of this file is the avatar of person i" in ask.text
    refused = marie.submit(ask, address)
    assert (refused.status, refused.heading) == (422, "Download a sensitive result?")
    assert "Tick the box" in refused.text
    given = marie.http.post(address, data={**ask.form(address), "confirmed": "yes"})
    assert (
        given.headers["content-disposition"].startswith("attachment") and given.headers["cache-control"] == "no-store"
    )
    assert len(pd.read_csv(io.BytesIO(given.content))) == 120
    (row, *_) = marie.get("/events?verb=download").rows()
    assert row[1:3] == ["download", "Sensitive result of finished"]
    assert story.site.audited()[-1]["event"] == "result.download"


def test_a_result_whose_retention_is_over_is_said_to_be_gone(marie: Visitor, story: Story) -> None:
    launch(story, "expired", documents(), only=("standard",))
    job = story.jobs["expired"]["standard"]
    change(story.site.engine, job, status=JobStatus.FINISHED)
    with writing(story.site.engine) as connection:
        row = {"job": job, "position": 0, "kind": "shuffled", "key": "3650d/results/people.shuffled-0.csv"}
        connection.execute(results.insert().values(**row))
    page = marie.get(f"/runs/{story.runs['expired']}/files")
    assert page.rows()[0][::2] == ["people.shuffled-0.csv", "removed after its retention"]
    gone = marie.get(f"/runs/{story.runs['expired']}/files/{job}/0")
    assert (gone.status, gone.heading) == (410, "No longer there")


def test_the_yaml_is_what_was_stored_and_the_documents_that_clients_left_out(marie: Visitor, story: Story) -> None:
    answer = marie.http.get(f"/runs/{story.runs['finished']}/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert 'filename="finished.yaml"' in answer.headers["content-disposition"]
    with story.site.api(story.owner) as api:
        stored = api.http.get(f"/resources/{story.runs['finished']}").text
    assert answer.text.startswith(stored.rstrip("\n"))
    documents_of_it = [document for document in YAML(typ="safe").load_all(answer.text) if document]
    names = [document["metadata"]["name"] for document in documents_of_it]
    assert names[-3:] == ["signal_metrics", "report", "report_pia"] and len(names) == len(set(names)) == 8
    assert [item["spec"]["report_type"] for item in documents_of_it[-2:]] == ["basic", "pia"]


def test_a_run_spec_starts_from_the_yaml(marie: Visitor, story: Story) -> None:
    text = marie.http.get(f"/runs/{story.runs['finished']}/yaml").text
    imported = from_platform(text, "finished.yaml")
    assert imported.ok and not imported.findings
    spec = imported.data["spec"]
    assert list(spec["tables"]) == [FRENCH, ARABIC]
    assert spec["tables"][FRENCH]["avatarization"]["k"] == 6
    assert spec["tables"][FRENCH]["privacy_metrics"]["target"] == "région_d'origine"
    assert spec["seed"] == 7 and "jobs" not in spec, "all five jobs, which is the default"


@pytest.mark.parametrize(
    ("filename", "plain"), [('a"b\\c.csv', "a_b_c.csv"), ("é\r\nX: y.csv", "___X: y.csv"), ("بيان.csv", "____.csv")]
)
def test_no_filename_breaks_the_header(filename: str, plain: str) -> None:
    header = _attachment(filename)
    assert header.startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert header.isascii() and header.isprintable()
