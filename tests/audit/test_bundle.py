"""Bundles that somebody changed: every change is found, and the file is named; a clean one is whole, also years later.

The bundle in tests/golden/evidence was made by tests/flow/test_evidence.py. Later versions have to verify it, too.
"""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.verifying import Verification, judged, verify_bundle
from avatar_gitops.audit import layout
from avatar_gitops.audit.archive import Opened, packed
from avatar_gitops.audit.entry import line_bytes
from avatar_gitops.audit.integrity import Trust
from avatar_gitops.audit.keys import new_key, public_key
from avatar_gitops.audit.statement import sha256
from avatar_gitops.cli import main
from avatar_gitops.report.verification import render, to_json
from avatar_gitops.spec.canonical import digest
from tests.conftest import GOLDEN
from tests.support.evidence import BUNDLE, GONE, KEPT, KEY, OUT, TRUSTED, Files, edited, named, rechained, relisted

Golden = Callable[[str, str], None]
LOCK = f"project/configs/{KEPT}.lock.yaml"
RECEIPT = f"project/out/{GONE}/deletion.json"
SIGNED = f"project/signoffs/{KEPT}.yaml"
STATEMENT = f"{OUT}/statement.intoto.json"
RUN = f"{OUT}/run.json"


def stored() -> Files:
    with zipfile.ZipFile(BUNDLE) as found:
        return {name: found.read(name) for name in found.namelist()}


FILES = stored()
LOG = next(name for name in FILES if name.startswith("project/audit/") and name.endswith(".jsonl"))
PLAN = next(name for name in FILES if name.startswith("project/audit/plans/") and b"relaunch" in FILES[name])
JOURNAL = next(name for name in FILES if name.startswith("journal/"))
SPEC = f"project/configs/{KEPT}.yaml"


def found_in(files: Files, *, trusted: dict[str, str] | None = None) -> Verification:
    content = packed(files)
    return judged(Opened(files, archive=content), TRUSTED if trusted is None else trusted)


def unsigned() -> Files:
    """The stored bundle as a project without a signing key would have made it."""
    files = {name: content for name, content in FILES.items() if not name.endswith(".dsse.json")}
    lines = [line for line in FILES[LOCK].splitlines(keepends=True) if b"statement.dsse.json" not in line]
    return {**files, LOCK: b"".join(lines)}


def test_a_clean_bundle_is_whole_and_signed(golden: Golden) -> None:
    found = verify_bundle(BUNDLE, TRUSTED)
    assert (found.findings, found.signature.trust, found.exit_code(allow_unsigned=False)) == ((), Trust.TRUSTED, 0)
    golden("evidence/clean.txt", render(found))
    golden("evidence/clean.json", to_json(found))


# 1. One byte, in each file of the bundle: thirty files.


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_byte_is_found_in_every_file(name: str) -> None:
    content = bytearray(FILES[name])
    content[len(content) // 2] ^= 0x01
    assert name in named(found_in({**FILES, name: bytes(content)}))


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_found(name: str) -> None:
    found = found_in({other: content for other, content in FILES.items() if other != name})
    assert name in named(found)


@pytest.mark.parametrize("name", ["extra.txt", f"{OUT}/avatars/people.csv", "project/notes.md", "resolved/other.json"])
def test_an_added_file_is_found(name: str) -> None:
    assert name in named(found_in({**FILES, name: b"x"}))


@pytest.mark.parametrize("part", range(12))
def test_a_changed_byte_of_the_archive_is_found(part: int, tmp_path: Path) -> None:
    """Headers, checksums, times, the list at the end: no place of the file is free."""
    content = bytearray(BUNDLE.read_bytes())
    with zipfile.ZipFile(BUNDLE) as found:
        entries = found.infolist()
        places = [entries[7].header_offset + at for at in (4, 8, 10, 14, 18, 26)]
        places += [found.start_dir + at for at in (4, 10, 12, 38)] + [len(content) - 22 + at for at in (8, 20)]
    content[places[part]] ^= 0x01
    (tmp_path / "bundle.zip").write_bytes(content)
    assert not verify_bundle(tmp_path / "bundle.zip", TRUSTED).whole


# 2. Fields, changed by somebody who knows the form and computes every digest again, but has no trusted key.


def set_in(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


FIELDS: list[tuple[str, Callable[[Any], None]]] = [
    (STATEMENT, set_in("predicate", "engine", "seed", value=8)),
    (STATEMENT, set_in("predicate", "approved_by", value=["d.lead", "e.vice"])),
    (STATEMENT, set_in("predicate", "plan", value="sha256:" + "0" * 64)),
    (STATEMENT, set_in("predicate", "weaker", value=[])),
    (STATEMENT, set_in("predicate", "gates", 0, "value", value=99.5)),
    (STATEMENT, set_in("predicate", "run", "finished", value="2026-01-01T00:00:00+00:00")),
    (STATEMENT, set_in("predicate", "inputs", 0, "digest", value="sha256:" + "1" * 64)),
    (STATEMENT, set_in("subject", 0, "digest", "sha256", value="2" * 64)),
    (STATEMENT, set_in("predicate", "project", value="another")),
    (STATEMENT, set_in("predicate", "note", value="trust me")),
    (STATEMENT, set_in("predicate", "engine", "environment", "note", value="trust me")),
    (RUN, set_in("environment", "note", value="trust me")),
    (RUN, set_in("engine", value="avatar-gitops-engine/9")),
    (RUN, set_in("gates", 0, "passed", value=False)),
    (RUN, set_in("applied", "approved_by", value=["e.vice"])),
    (f"{OUT}/metrics.json", set_in("blocks", 0, "values", "hidden_rate", value=99.9)),
    (f"{OUT}/sbom.cdx.json", set_in("components", 1, "version", value="9")),
    (RECEIPT, set_in("approved_by", value=["d.lead"])),
    (RECEIPT, set_in("deleted_at", value="2020-01-01T00:00:00+00:00")),
    (RECEIPT, set_in("plan_digest", value="sha256:" + "3" * 64)),
    (PLAN, set_in("changes", 0, "content", "fields", value=[])),
    (PLAN, set_in("digest", value="sha256:" + "4" * 64)),
    (PLAN, set_in("server", value="prod")),
    (layout.CRATE, set_in("@graph", 1, "name", value="")),
    (layout.CRATE, set_in("@context", 0, value="https://w3id.org/ro/crate/1.1/context")),
]


@pytest.mark.parametrize(("name", "change"), FIELDS)
def test_a_changed_field_is_found_though_all_digests_fit(name: str, change: Callable[[Any], None]) -> None:
    forged = relisted({**FILES, name: edited(FILES[name], change)})
    found = found_in(forged)
    assert named(found) & {name, LOCK, layout.MANIFEST_ENVELOPE}
    assert layout.MANIFEST_ENVELOPE in named(found), "what was signed is another manifest"
    assert found.signature.trust is Trust.UNSIGNED


@pytest.mark.parametrize(("name", "change"), FIELDS)
def test_documents_deny_the_forger_also_where_nothing_is_signed(name: str, change: Callable[[Any], None]) -> None:
    """An unsigned bundle: only what one document says of another tells."""
    found = found_in(relisted({**unsigned(), name: edited(FILES[name], change)}), trusted={})
    assert named(found) & {name, LOCK, STATEMENT}


def test_a_forger_with_a_key_of_his_own_is_nobody_here() -> None:
    forged = relisted(FILES, new_key())
    found = found_in(forged)
    assert (found.findings, found.signature.trust, found.exit_code(allow_unsigned=False)) == ((), Trust.UNKNOWN_KEY, 4)


def test_a_bundle_without_its_signature_is_said_to_be_unsigned(golden: Golden) -> None:
    found = found_in(relisted(unsigned()))
    assert (found.findings, found.exit_code(allow_unsigned=False), found.exit_code(allow_unsigned=True)) == ((), 4, 0)
    golden("evidence/unsigned.txt", render(found))


# 3. The chain and the order of approvals, forged with all digests of the log computed again.


def approval_after(lines: list[dict[str, Any]]) -> None:
    lines[2]["approved_at"] = {"d.lead": "2099-01-01T00:00:00Z"}


def no_approval(lines: list[dict[str, Any]]) -> None:
    lines[2]["approvals"], lines[2]["approved_at"] = [], {}


def approved_by_its_author(lines: list[dict[str, Any]]) -> None:
    lines[2]["authors"] = ["D.Lead"]


def approved_by_nobody_who_may(lines: list[dict[str, Any]]) -> None:
    lines[2]["approvals"] = ["somebody"]


def another_plan(lines: list[dict[str, Any]]) -> None:
    lines[2]["plan"] = "sha256:" + "5" * 64


def no_override(lines: list[dict[str, Any]]) -> None:
    lines[4]["overrides"] = []


def a_line_less(lines: list[dict[str, Any]]) -> None:
    del lines[4:6]


CHAINS: dict[Callable[[list[dict[str, Any]]], None], str] = {
    approval_after: LOG,
    no_approval: LOCK,
    approved_by_its_author: LOCK,
    approved_by_nobody_who_may: LOCK,
    another_plan: "project/audit/head.json",
    no_override: "project/audit/head.json",
    a_line_less: "project/audit/head.json",
}


@pytest.mark.parametrize("change", CHAINS)
def test_a_log_with_a_new_chain_is_found(change: Callable[[list[dict[str, Any]]], None]) -> None:
    found = found_in(relisted(rechained(FILES, change)))
    assert CHAINS[change] in named(found)
    assert layout.MANIFEST_ENVELOPE in named(found)


def test_a_forged_lock_and_statement_that_agree_are_found_by_signature_plan_and_log() -> None:
    """Whoever makes lock, statement and `run.json` say that another spec ran has the plan and the log against him."""
    other = json.loads(FILES[f"resolved/{KEPT}.json"])
    other["spec"]["seed"] = 8
    told = digest(other)
    before = json.loads(FILES[STATEMENT])["predicate"]["spec"]["digest"]
    forged = {name: content.replace(before.encode(), told.encode()) for name, content in FILES.items()}
    found = found_in(relisted(forged))
    assert {PLAN, f"resolved/{KEPT}.json", f"{OUT}/statement.dsse.json", layout.MANIFEST_ENVELOPE} <= named(found)


def test_a_signature_is_about_the_statements_of_its_run() -> None:
    """Somebody moves the signature under another assessment, or puts other statements under it."""
    before = json.loads(FILES[f"{OUT}/pia.json"])
    assert before
    digest_of = sha256(FILES[f"{OUT}/pia.json"])
    moved = FILES[SIGNED].replace(digest_of.encode(), b"sha256:" + b"6" * 64)
    assert moved != FILES[SIGNED]
    found = found_in(relisted({**FILES, SIGNED: moved}))
    assert any(one.file == SIGNED and "d.lead as dpo" in one.message for one in found.findings)
    other = edited(FILES[f"{OUT}/pia.json"], lambda said: said.update(extra=1))
    assert f"{OUT}/pia.json" in named(found_in(relisted({**FILES, f"{OUT}/pia.json": other})))
    assert SIGNED in named(found_in(relisted({**FILES, SIGNED: FILES[SIGNED].replace(b"dpo", b"DPO ")})))


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A document with one value replaced by one of another kind, or one byte of its text."""
    try:
        said = json.loads(content)
    except ValueError:
        at = draw.randrange(len(content))
        return content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
    place: Any = said
    while isinstance(place, dict | list) and place:
        key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or draw.random() < 0.3:
            place[key] = draw.choice([None, [], {}, "", "x", 0, -1, 2**70, 1e300, True, [[]], {"a": None}])
            break
        place = place[key]
    return (json.dumps(said, indent=2) + "\n").encode()


@pytest.mark.parametrize("seed", range(40))
def test_no_document_of_another_form_stops_the_check(seed: int) -> None:
    """Whatever a forger writes, the verification says something: it does not end with an error of its own."""
    draw = random.Random(seed)
    name = draw.choice([name for name in FILES if name.endswith((".json", ".jsonl", ".yaml"))])
    changed = FILES[name]
    while changed == FILES[name]:
        changed = mutated(FILES[name], draw)
    forged = {**FILES, name: changed}
    if name == LOG:
        line = json.loads(draw.choice(FILES[LOG].splitlines()))
        line[draw.choice(sorted(line))] = draw.choice([None, [0], {"a": 0}, -1, "x"])
        forged[LOG] = b"".join(line_bytes(line) if line["seq"] == number else raw + b"\n" for number, raw in numbered())
    assert found_in(forged if name in layout.TOP else relisted(forged)).findings


def numbered() -> list[tuple[int, bytes]]:
    return list(enumerate(FILES[LOG].splitlines(), start=1))


def test_a_lock_whose_anchors_unfold_is_not_read() -> None:
    levels = [f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]" for below, name in pairwise("abcdefghijklmnop")]
    bomb = "\n".join(["a: &a [x, x]", *levels, ""]).encode()
    found = found_in(relisted({**FILES, LOCK: bomb}))
    assert any(one.file == LOCK and "writes lock files" in one.message for one in found.findings)


def test_a_finding_names_file_and_fault(golden: Golden) -> None:
    forged = relisted(rechained({**FILES, RUN: edited(FILES[RUN], set_in("seed", value=8))}, no_approval))
    found = found_in(forged)
    assert found.exit_code(allow_unsigned=True) == 1
    golden("evidence/forged.txt", render(found))
    golden("evidence/forged.json", to_json(found))


# 4. The command.


def test_the_command_says_whose_word_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    key = str(GOLDEN / "evidence" / "release.pub")
    assert main.run(["audit", "verify", str(BUNDLE), "--trust-key", key]) == 0
    assert "signed with release.pub" in capsys.readouterr().out
    assert main.run(["audit", "verify", str(BUNDLE)]) == 4
    assert f"signed with {KEY}, which nobody here trusts" in capsys.readouterr().out
    assert main.run(["audit", "verify", str(BUNDLE), "--allow-unsigned", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["signature"]["trust"] == "unknown_key"
    assert main.run(["audit", "verify", "nothing.zip"]) == 64


def test_a_private_key_is_no_key_to_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["audit", "key", "new", "key.pem"]) == 0
    public = capsys.readouterr().out.strip()
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert main.run(["audit", "key", "new", "key.pem"]) == 64
    for place in ("key.pem/key.pem", "key.pem/below/key.pem"):
        capsys.readouterr()
        assert main.run(["audit", "key", "new", place]) == 64
        assert "the folder" in capsys.readouterr().err
    assert main.run(["audit", "key", "show", "key.pem"]) == 0
    assert capsys.readouterr().out.strip() == public
    assert main.run(["audit", "key", "show", "key.pem", "--pem"]) == 0
    (tmp_path / "key.pub.pem").write_text(capsys.readouterr().out)
    assert public_key((tmp_path / "key.pub.pem").read_bytes()) == public
    assert main.run(["audit", "verify", str(BUNDLE), "--trust-key", "key.pem"]) == 64
    assert "it holds a private key" in capsys.readouterr().err
