"""Advice on links as the official client asks for it (example 15 of its documents), and answers that are strange."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from avatar_gitops.client.advice import Adviser
from avatar_gitops.client.objects import Downloaded
from avatar_gitops.errors import RemoteUnavailable
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.plan.link_advice import AdvisedLinks, Ends
from avatar_gitops.spec.models import AvatarRun, LinkMethod
from tests.client.test_gateway import Platform
from tests.support.http import BASE, KEY, StillClock, answer, transport
from tests.support.planning import plain

LINK = {"field": "p_id", "to": {"table": "visit", "field": "patient_id"}, "method": "minimum_distance_assignment"}


def clinic() -> DesiredSet:
    """Patients and visits whose keys are declared."""
    tables = {
        "patient": {"source": "patient.csv", "columns": {"p_id": {"primary_key": True}}, "avatarization": {"k": 5}},
        "visit": {
            "source": "visit.csv",
            "individual_level": False,
            "columns": {"visit_id": {"primary_key": True}, "patient_id": {"identifier": True}},
            "avatarization": {"k": 5},
        },
    }
    inputs = [
        TableInput(name, "sha256:" + digit * 64, 9, (), "<100") for name, digit in (("patient", "a"), ("visit", "b"))
    ]
    return desire(AvatarRun.model_validate_json(json.dumps(plain("links_advice", tables=tables))), "x.yaml", inputs)


class Advising(Platform):
    """The routes that advice needs, too."""

    def reply(self, request: httpx.Request, path: str) -> httpx.Response:
        if request.method == "GET" and path.startswith("/results/"):
            return answer({"advice": [f"{BASE}/a", f"{BASE}/b"]})
        return super().reply(request, path)


class Files:
    """Object storage that takes everything and holds these advice files."""

    def __init__(self, said: Sequence[Any]) -> None:
        self._said = said

    def download(self, kind: str, urls: Sequence[str]) -> tuple[Downloaded, ...]:
        assert (kind, len(urls)) == ("advice", 2)
        return tuple(Downloaded(f"{at}.advice.json", json.dumps(said).encode()) for at, said in enumerate(self._said))


@pytest.fixture
def platform() -> Advising:
    return Advising()


def asked(platform: Platform, patch: pytest.MonkeyPatch, *said: Any) -> AdvisedLinks:
    adviser = Adviser(BASE, KEY, root=Path(), clock=StillClock())
    patch.setattr(adviser, "_http", transport(platform))
    patch.setattr(adviser, "_objects", Files(said))
    patch.setattr(adviser, "upload", lambda _: None)
    return adviser.advise_links(clinic())


def entry(table: str, **advice: Any) -> list[dict[str, Any]]:
    return [{"table_name": table, "advice": advice}]


def test_the_documents_are_those_of_the_official_client(platform: Advising, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(platform, monkeypatch, entry("patient", links=[LINK]), entry("visit"))
    [text] = platform.documents.values()
    metadata, schema, advice = YAML(typ="safe", pure=True).load_all(text)
    assert metadata["kind"] == "AvatarMetadata"
    assert (schema["kind"], schema["metadata"]) == ("AvatarSchema", {"name": "schema"})
    assert schema["spec"] == {
        "tables": [
            {
                "name": "patient",
                "data": {"volume": "input", "file": f"patient-{'a' * 16}.csv"},
                "columns": [{"field": "p_id", "primary_key": True}],
            },
            {
                "name": "visit",
                "data": {"volume": "input", "file": f"visit-{'b' * 16}.csv"},
                "individual_level": False,
                "columns": [{"field": "visit_id", "primary_key": True}, {"field": "patient_id", "identifier": True}],
            },
        ],
        "check_links_between_tables": False,
    }
    assert advice == {
        "kind": "AvatarAdviceParameters",
        "metadata": {"name": "advice_tables_links"},
        "spec": {
            "schema": "schema",
            "advice": {"advisor_type": ["tables_links"]},
            "results": {"volume": "results", "path": "advice"},
        },
    }
    assert platform.jobs == {}, "the job is deleted afterwards"


def test_links_and_keys_without_one_are_read(platform: Advising, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = [{"field": "patient_id", "candidate_tables": ["patient"]}, {"field": "x", "candidate_tables": None}]
    patient = entry("patient", links=[{**LINK, "confidence": "low"}], unlinked_foreign_keys=None)
    found = asked(platform, monkeypatch, patient, entry("visit", links=None, unlinked_foreign_keys=nowhere))
    ends = Ends("patient", "p_id", "visit", "patient_id")
    assert found.links == {ends: (LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT, "low")}
    assert found.unlinked == {("visit", "patient_id"): ("patient",), ("visit", "x"): ()}


def test_what_leads_out_of_the_set_is_left_out(platform: Advising, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = [
        {**LINK, "to": {"table": "elsewhere", "field": "patient_id"}},
        {**LINK, "to": {"table": "visit", "field": "day"}},
        {**LINK, "field": "age"},
        {**LINK, "method": "by_magic"},
    ]
    stray = entry("ward", links=[LINK], unlinked_foreign_keys=[{"field": "x"}])
    found = asked(platform, monkeypatch, entry("patient", links=strange), stray)
    assert [method for method, _ in found.links.values()] == [LinkMethod.LINEAR_SUM_ASSIGNMENT]
    assert found.unlinked == {}


def test_a_platform_without_this_advice_says_so_and_the_rest_goes_on(
    platform: Advising, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = platform.add
    monkeypatch.setattr(platform, "add", lambda *given: add(*given, status="error", exception="no such advisor"))
    found = asked(platform, monkeypatch, entry("patient"), entry("visit"))
    assert found == AdvisedLinks(refused=f"{BASE} gave no advice on links_advice: no such advisor")
    assert platform.jobs == {}


def test_a_platform_that_is_gone_is_no_platform_without_this_advice(
    platform: Advising, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.lose = ["PUT /resources/links_advice"] * 9
    with pytest.raises(RemoteUnavailable):
        asked(platform, monkeypatch, entry("patient"), entry("visit"))


def test_an_answer_of_another_form_is_refused(platform: Advising, monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(platform, monkeypatch, [{"table": "patient"}], entry("visit"))
    assert "another form than this client knows" in found.refused
