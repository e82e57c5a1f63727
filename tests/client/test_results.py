"""Results of finished jobs, from listings that may be odd."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx
import pytest

from avatar_gitops.client.objects import Downloaded, Objects, refuse_sensitive
from avatar_gitops.client.results import collect
from avatar_gitops.errors import RemoteRefused
from avatar_gitops.plan.observed import ServerSet
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.spec.models import Job
from tests.support.http import answer, transport

VERSION = ServerSet("v1", "patients", datetime(2026, 1, 1, tzinfo=UTC), ())
Listing = Mapping[str, Mapping[str, bytes]]


class Files(Objects):
    """Object storage that holds what the listing says."""

    def __init__(self, listing: Listing) -> None:
        self.content = {name: data for files in listing.values() for name, data in files.items()}

    def download(self, kind: str, urls: Sequence[str]) -> tuple[Downloaded, ...]:
        refuse_sensitive(kind, urls)
        return tuple(Downloaded(url, self.content[url]) for url in urls)


def collected(job: Job, listing: Listing) -> RunResult:
    def handler(request: httpx.Request) -> httpx.Response:
        return answer({kind: list(files) for kind, files in listing.items()})

    return collect(transport(handler), Files(listing), VERSION, {job: "job-1"}, "engine/9")


def test_avatars_are_found_by_the_name_of_their_table() -> None:
    files = {"a_dot_b.shuffled-0.csv": b"x", "other.shuffled-0.parquet": b"y"}
    result = collected(Job.STANDARD, {"shuffled": files, "unshuffled": {"t.unshuffled-0.csv": b"SECRET"}})
    assert {table: (found.name, found.content) for table, found in result.avatars.items()} == {
        "a.b": ("avatars/a_dot_b.csv", b"x"),
        "other": ("avatars/other.parquet", b"y"),
    }
    assert (result.engine, result.set_id, result.jobs) == ("engine/9", "v1", {"standard": "job-1"})


@pytest.mark.parametrize("name", ["avatars.csv", ".shuffled-0.csv", "t.shuffled-0.exe", "t.shuffled"])
def test_avatars_without_a_table_or_a_format_in_their_name_are_refused(name: str) -> None:
    with pytest.raises(RemoteRefused, match="does not say its table and format"):
        collected(Job.STANDARD, {"shuffled": {name: b""}})


def test_the_run_says_when_it_ran_with_which_engine_and_seed() -> None:
    said = {
        "created_at": "2026-01-01T01:00:00+00:00",
        "finished_at": "2026-01-01T02:00:00+00:00",
        "engine": "engine/10",
        "parameters": {"seed": 7},
    }
    files = {"run_metadata.avatarize.json": json.dumps(said).encode()}
    result = collected(Job.STANDARD, {"run_metadata": files})
    assert (result.started, result.finished) == (said["created_at"], said["finished_at"])
    assert (result.engine, result.seed) == ("engine/10", 7)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b'{"engine": 3, "parameters": 4, "created_at": null}'])
def test_a_run_that_says_nothing_began_when_its_version_did(content: bytes) -> None:
    result = collected(Job.STANDARD, {"run_metadata": {"run_metadata.avatarize.json": content}})
    assert result.started == result.finished == "2026-01-01T00:00:00+00:00"
    assert (result.engine, result.seed) == ("engine/9", None)


def test_reports_are_named_by_their_job() -> None:
    files = {"a.report.pia.docx": b"1", "b.report.pia.docx": b"2"}
    reports = collected(Job.REPORT_PIA, {"report": files}).reports
    assert [(report.name, report.content) for report in reports] == [
        ("report_pia.docx", b"1"),
        ("report_pia-2.docx", b"2"),
    ]


def test_a_report_of_no_known_format_is_refused() -> None:
    with pytest.raises(RemoteRefused, match="does not say its format"):
        collected(Job.REPORT, {"report": {"report.exe": b""}})


def test_metrics_of_both_families_are_blocks() -> None:
    entry = json.dumps({"metadata": {"table_name": "t"}, "hidden_rate": 90.5}).encode()
    result = collected(Job.PRIVACY_METRICS, {"privacy_metrics": {"t_standalone.privacy.json": entry}})
    assert [(block.family, block.values) for block in result.blocks] == [("privacy", {"hidden_rate": 90.5})]
    assert result.metrics == {"t": {"hidden_rate": 90.5}}
