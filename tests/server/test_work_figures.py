"""Figures of a run: their documents, the pages that clients see, and the pictures in a report."""

from __future__ import annotations

import io
import zipfile

import pypdf

from avatar_gitops.server.naming import figure_files, page_of
from avatar_gitops.server.objects import find_object
from avatar_gitops.server.pages import make_page
from tests.server.api import documents
from tests.server.workshop import Plain, Workshop, edited


def test_what_a_figure_shows_is_listed(workshop: Workshop, default_run: dict[str, str]) -> None:
    listing = workshop.listing(default_run["standard"])
    listed = workshop.json(default_run["standard"], "figures_metadata.json")
    assert [item["filename"] for item in listed] == [url.rpartition("/")[2] for url in listing["figures"]]
    assert {item["table_name"] for item in listed} == {"people"}
    assert {"2d_projection", "distribution", "metrics_summary"} <= {item["kind"] for item in listed}


def test_a_page_is_written_when_it_is_asked_for(workshop: Workshop, default_run: dict[str, str]) -> None:
    bucket, storage = workshop.account.id, workshop.platform.storage
    url = workshop.listing(default_run["standard"])["figures"][0]
    key = url.removeprefix(f"?url=s3://{bucket}/")
    assert find_object(storage, bucket, key) is None
    page = make_page(storage, bucket, key)
    assert page is not None
    assert b"vegaEmbed" in b"".join(storage.blobs.read(page.blob, 0, page.size))
    assert find_object(storage, bucket, key) == page


def test_there_is_no_page_of_what_is_no_figure(workshop: Workshop, default_run: dict[str, str]) -> None:
    bucket = workshop.account.id
    for key in ("nothing.html", workshop.listing(default_run["standard"])["shuffled"][0]):
        assert make_page(workshop.platform.storage, bucket, key) is None


def test_a_run_can_do_without_figures_or_with_few(workshop: Workshop) -> None:
    def without(specs: dict[str, Plain]) -> None:
        specs["standard"]["compute_figures"] = False

    listing = workshop.listing(workshop.run(edited(without))["name"])
    assert not {"figures", "figures_metadata"} & listing.keys()
    few = workshop.run(documents(results={"max_distribution_plots": 1}))["name"]
    assert sum("distribution" in url for url in workshop.listing(few)["figures"]) == 1


def test_a_report_shows_figures_in_both_formats(workshop: Workshop, default_run: dict[str, str]) -> None:
    pdf = pypdf.PdfReader(io.BytesIO(workshop.files(default_run["report"])["report.pdf"]))
    assert sum(len(page.images) for page in pdf.pages) == 4
    with zipfile.ZipFile(io.BytesIO(workshop.files(default_run["report_pia"])["report.pia.docx"])) as assessment:
        media = [name for name in assessment.namelist() if name.startswith("word/media/")]
        assert media == ["word/media/image1.png"]  # the risk matrix


def test_figures_of_one_kind_are_numbered() -> None:
    names = figure_files("a.b", ["correlation", "distribution", "distribution"])
    assert names == ["a_dot_b.correlation.vl.json", "a_dot_b.distribution-0.vl.json", "a_dot_b.distribution-1.vl.json"]
    assert page_of(names[1]) == "a_dot_b.distribution-0.html"
    assert page_of("a_dot_b.shuffled-0.csv") == "a_dot_b.shuffled-0.csv"
