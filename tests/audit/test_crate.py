"""The description of a bundle: what RO-Crate 1.2 asks of its entities, and words for every kind of file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.audit.crate import About, RunAction, check, crate
from avatar_gitops.audit.layout import CRATE, purpose

STORED = Path(__file__).parents[1] / "golden" / "evidence" / "bundle.zip"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    with zipfile.ZipFile(STORED) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def described(files: dict[str, bytes], engine: str = "avatar-gitops-engine/0.1.0") -> dict[str, dict[str, Any]]:
    run = RunAction("ev-kept", "2026-11-28T17:10:31Z", "2026-11-28T17:10:32Z", engine, ())
    made = crate(files, About("evidence", "2026-11-28T17:10:36Z", "avatar-gitops 0.1.0", (run,)))
    assert list(check({**files, CRATE: made})) == []
    return {entity["@id"]: entity for entity in json.loads(made)["@graph"]}


def test_every_entity_that_is_referred_to_is_described_and_has_a_name(files: dict[str, bytes]) -> None:
    entities = described(files)
    for entity in entities.values():
        assert entity["@type"] and entity["name"]
        for value in entity.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    assert one["@id"] in entities or one["@id"] == "https://w3id.org/ro/crate/1.2"


@pytest.mark.parametrize(
    ("engine", "version", "url"),
    [
        ("avatar-gitops-engine/0.1.0", "0.1.0", "pkg:generic/avatar-gitops-engine@0.1.0"),
        ("some engine", "not stated", "pkg:generic/some%20engine"),
    ],
)
def test_programs_have_a_version_and_a_package_url(
    files: dict[str, bytes], engine: str, version: str, url: str
) -> None:
    entities = described(files, engine)
    found = entities[entities["#run-ev-kept"]["instrument"]["@id"]]
    assert (found["version"], found["url"]) == (version, url)
    assert entities["#tool"]["url"] == "pkg:pypi/avatar-gitops@0.1.0"


def test_every_file_of_a_bundle_has_words_for_what_it_is_for(files: dict[str, bytes]) -> None:
    assert {name for name in files if name != CRATE and purpose(name) == "A document of the project."} == set()
    assert purpose("project/docs/notes.md") == "A document of the project."


def test_a_description_in_the_words_of_another_version_fits(files: dict[str, bytes]) -> None:
    """The stored bundle has none at all; what a file holds must still be said rightly."""
    assert list(check(files)) == []
    content = json.loads(files[CRATE])
    for entity in content["@graph"]:
        entity["description"] = "Other words."
    assert list(check({**files, CRATE: json.dumps(content).encode()})) == []
    next(entity for entity in content["@graph"] if entity["@id"] == "HOW-TO-CHECK.md")["name"] = "another.md"
    (found,) = check({**files, CRATE: json.dumps(content).encode()})
    assert "HOW-TO-CHECK.md" in found.message
