"""Schemas of evidence are those of the models; environments, keys and envelopes have one form and tell no more."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from avatar_gitops.app.plan import Consent
from avatar_gitops.audit import dsse
from avatar_gitops.audit.documents import PUBLISHED, schema_text
from avatar_gitops.audit.dsse import NotAnEnvelope, encoded, opened, sealed
from avatar_gitops.audit.keys import KeyUnusable, new_key, public_key, public_pem, signing_key, verified
from avatar_gitops.audit.sbom import sbom
from avatar_gitops.cli.commands.schema import EVIDENCE
from avatar_gitops.engine.environment import environment
from avatar_gitops.wire.environment import parsed

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_published_schema_is_that_of_the_model(kind: str) -> None:
    text = (ROOT / "schemas" / f"{kind}.v1.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(kind), "run `make schemas`"
    Draft202012Validator.check_schema(json.loads(text))


def test_the_command_knows_every_kind() -> None:
    assert set(EVIDENCE) == set(PUBLISHED)


def test_what_a_machine_computes_with_names_no_machine() -> None:
    found = environment()
    assert parsed(found) == found
    text = json.dumps(found)
    assert str(ROOT) not in text
    assert "/" not in text and "\\\\" not in text, "no path"
    assert {"numpy", "scipy", "pyarrow"} <= found["libraries"].keys()
    assert "avatar-gitops" in found["distributions"]
    assert "pytest" not in found["distributions"], "only what the engine could import counts"


@pytest.mark.parametrize(
    "change",
    [
        {"python": "/home/anna/python"},
        {"python": "x" * 200},
        {"libraries": {"numpy": "2\n4"}},
        {"blas": [{"name": "openblas"}]},
        {"processor": "AVX"},
        {"distributions": {f"d{n}": "1" for n in range(5000)}},
    ],
)
def test_an_environment_that_cannot_be_right_is_none(change: dict[str, Any]) -> None:
    assert parsed({**environment(), **change}) == {}
    assert parsed("nothing") == {}


def test_the_bill_of_materials_is_cyclonedx_without_host_time_or_registry() -> None:
    made = sbom("avatar-gitops-engine/1", environment())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    names = [part["name"] for part in made["components"]]
    assert names[1:] == sorted(names[1:])
    assert len({part["bom-ref"] for part in made["components"]}) == len(names)
    assert all(part["purl"].startswith("pkg:pypi/") for part in made["components"][1:])
    text = json.dumps(made)
    assert "timestamp" not in text and "serialNumber" not in text
    assert text.count("://") == 1, "only the address of its schema"


def test_what_is_signed_is_the_statement_with_its_kind() -> None:
    """The example of the DSSE protocol, with our kind of payload."""
    assert encoded(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_an_envelope_has_one_form_and_its_signature_holds_for_one_statement() -> None:
    key, other = new_key(), new_key()
    made = sealed(b"{}\n", key)
    envelope = opened(made)
    assert (envelope.payload, envelope.signed_by([key.public]), envelope.broken()) == (b"{}\n", (key.public,), ())
    assert envelope.signed_by([other.public]) == ()
    moved = json.loads(made)
    moved["payload"] = base64.b64encode(b"[]\n").decode()
    text = (json.dumps(moved, indent=2) + "\n").encode()
    assert opened(text).broken() == (key.public,)
    for wrong in (made[:-1], made.replace(b"  ", b" "), b"{}", b"[]", b"x", made.replace(b"==", b"=", 1)):
        with pytest.raises(NotAnEnvelope):
            opened(wrong)
    assert dsse.PAYLOAD_TYPE in made.decode()


def test_keys_are_told_by_one_text_and_nothing_else_is_a_key() -> None:
    key = new_key()
    assert signing_key(key.pem()).public == key.public
    assert public_key(public_pem(key.public).encode()) == public_key(f"{key.public}\n".encode()) == key.public
    assert key.pem().decode().splitlines()[1] not in repr(key)
    assert verified(key.public, key.sign(b"x"), b"x")
    assert not verified(key.public, key.sign(b"x"), b"y")
    assert not verified(key.public, b"", b"x")
    for wrong in (b"", b"ed25519:12", key.pem()):
        with pytest.raises(KeyUnusable):
            public_key(wrong)
    with pytest.raises(KeyUnusable):
        signing_key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def test_an_approval_may_say_when_it_was_given() -> None:
    said = Consent.of((), (), None, ("d.lead@2026-09-17T08:55:00Z", "dpo@hospital.example", "e.vice"))
    assert said.approved_by == ("d.lead", "dpo@hospital.example", "e.vice")
    assert said.approved_at == {"d.lead": "2026-09-17T08:55:00Z"}
