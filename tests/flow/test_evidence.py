"""Evidence of real runs: statements, a signed bundle with the same bytes each time, no cell value, no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from avatar_gitops.audit import archive, dsse
from avatar_gitops.audit.keys import SigningKey
from avatar_gitops.audit.statement import sha256, subjects
from avatar_gitops.workspace.locks import read_lock
from tests.conftest import GOLDEN
from tests.support.canary import leaks
from tests.support.evidence import CANARY, GONE, KEPT, MORE, evidenced, owned, read
from tests.support.flow import Cli, Platform

pytestmark = pytest.mark.slow

Project = tuple[Cli, SigningKey]
STORED = GOLDEN / "evidence"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, platform: Platform) -> Project:
    return evidenced(tmp_path_factory.mktemp("evidence") / "project", platform, "evidence")


def test_a_published_run_leaves_a_signed_statement_about_its_files(project: Project) -> None:
    cli, key = project
    folder = cli.root / "out" / KEPT
    lock = read_lock(cli.root, f"configs/{KEPT}.yaml")
    assert lock is not None and lock.applied is not None
    written = (folder / "statement.intoto.json").read_bytes()
    said = json.loads(written)
    assert lock.outputs["statement.intoto.json"] == sha256(written)
    files = {name: sha256(content) for name, content in read(folder).items()}
    about_all = {"statement.intoto.json", "statement.dsse.json", "SHA256SUMS"}
    assert subjects(said) == {name: digest for name, digest in files.items() if name not in about_all}
    predicate = said["predicate"]
    assert predicate["spec"]["digest"] == lock.digests.spec
    assert predicate["plan"] == lock.applied.plan_digest
    assert predicate["approved_by"] == ["d.lead"]
    assert predicate["weaker"] == ["k 15 -> 3"]
    assert predicate["engine"]["seed"] == 7
    assert predicate["engine"]["environment"]["libraries"]["numpy"]
    envelope = dsse.opened((folder / "statement.dsse.json").read_bytes())
    assert envelope.payload == written
    assert envelope.signed_by([key.public]) == (key.public,)


def test_the_same_project_gives_the_same_bundle_and_it_verifies(
    project: Project, request: pytest.FixtureRequest
) -> None:
    cli, key = project
    for name in ("one.zip", "two.zip", "folder"):
        made = cli("audit", "bundle", "--output", name)
        assert made.code == 0, made.text
    one = (cli.root / "one.zip").read_bytes()
    assert one == (cli.root / "two.zip").read_bytes()
    assert archive.packed(read(cli.root / "folder")) == one
    for name in ("one.zip", "folder"):
        found = cli("audit", "verify", name)
        assert found.code == 0, found.text
    (cli.root / "release.pub").write_text(key.public + "\n")
    if (
        request.config.getoption("--update-golden") and not (STORED / "bundle.zip").exists()
    ):  # older ones have to verify
        STORED.mkdir(exist_ok=True)
        (STORED / "bundle.zip").write_bytes(one)
        (STORED / "release.pub").write_text(key.public + "\n")


def test_a_bundle_is_never_overwritten_and_unknown_sets_are_named(project: Project) -> None:
    cli, _ = project
    (cli.root / "there.zip").write_text("mine")
    assert cli("audit", "bundle", "--output", "there.zip").code == 64
    assert (cli.root / "there.zip").read_text() == "mine"
    unknown = cli("audit", "bundle", "nobody", "--output", "new.zip")
    assert (unknown.code, (cli.root / "new.zip").exists()) == (64, False)
    assert f"one of {GONE}, {KEPT}" in unknown.err


def test_a_bundle_holds_no_cell_value_and_no_secret(project: Project) -> None:
    cli, key = project
    assert cli("audit", "bundle", "--output", "searched").code == 0
    files = read(cli.root / "searched")
    secrets = [*key.pem().decode().splitlines()[1:-1], cli.environment["AVATAR_API_KEY"]]
    looked_for = [f"{CANARY}{n:03d}x" for n in range(60)] + secrets
    assert [leak for name, content in files.items() for leak in leaks(name, content, looked_for)] == []
    replayed = cli("audit", "replay", KEPT)
    assert replayed.code == 0, replayed.text
    statement = (cli.root / "out" / KEPT / "replay.intoto.json").read_bytes()
    assert leaks("replay", replayed.text.encode() + statement, looked_for) == []
    assert not any("avatars/" in name or name.endswith((".csv", ".parquet")) for name in files)


@contextmanager
def added_to(path: Path, text: bytes) -> Iterator[None]:
    """The file with something at its end."""
    before = path.read_bytes()
    path.write_bytes(before + text)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_documents_that_deny_each_other_make_no_bundle(project: Project) -> None:
    cli, _ = project
    with added_to(cli.root / "out" / KEPT / "summary.md", b"\nAll is well.\n"):
        refused = cli("audit", "bundle", "--output", "wrong.zip")
    assert (refused.code, (cli.root / "wrong.zip").exists()) == (1, False)
    assert f"project/out/{KEPT}/summary.md: it is not the file whose digest is in" in refused.err


def test_a_spec_that_changed_after_its_run_is_bundled_with_a_note(project: Project) -> None:
    cli, _ = project
    path = cli.root / "configs" / f"{KEPT}.yaml"
    before = path.read_text()
    what = f"resolved/{KEPT}.json is what ran"
    try:
        path.write_text(before.replace("k: 3", "k: 2"))
        changed = cli("audit", "bundle", "--output", "changed.zip")
        path.unlink()
        gone = cli("audit", "bundle", "--output", "gone.zip")
    finally:
        path.write_text(before)
    assert (changed.code, gone.code) == (0, 0)
    assert f"configs/{KEPT}.yaml in the bundle is not what ran; {what}" in changed.text
    assert f"its spec configs/{KEPT}.yaml is not in the bundle; {what}" in gone.text
    unchanged = cli("audit", "bundle", "--output", "unchanged.zip")
    assert (unchanged.code, what in unchanged.text, "HOW-TO" in unchanged.text) == (0, False, False)


def test_a_secret_in_a_document_makes_no_bundle(project: Project) -> None:
    cli, _ = project
    with added_to(cli.root / "policies" / "policy.yaml", b"# token: ghp_0123456789abcdefghijABCDEFGHIJ\n"):
        refused = cli("audit", "bundle", "--output", "secret.zip")
    assert (refused.code, (cli.root / "secret.zip").exists()) == (1, False)
    assert "policies/policy.yaml:" in refused.err
    assert "ghp_" not in refused.text


def test_nothing_is_applied_when_the_signing_key_is_not_there(project: Project, tmp_path: Path) -> None:
    cli, key = project
    bare = Cli(cli.root, {name: value for name, value in cli.environment.items() if name != "EVIDENCE_KEY"})
    lines = cli("audit", "log", "--format", "json").out
    path = cli.spec("ev-unsigned", k=15, more=MORE)
    owned(path)
    refused = bare("apply", "--yes", "--select", "ev-unsigned", "--author", "anna", "--approved-by", "d.lead")
    assert refused.code == 64
    assert "neither EVIDENCE_KEY nor EVIDENCE_KEY_FILE is set" in refused.err
    assert cli("audit", "log", "--format", "json").out == lines
    (tmp_path / "key.pem").write_bytes(key.pem()[:-40])
    bare.environment["EVIDENCE_KEY_FILE"] = str(tmp_path / "key.pem")
    broken = bare("apply", "--yes", "--select", "ev-unsigned", "--author", "anna", "--approved-by", "d.lead")
    assert broken.code == 64
    assert "it is not a private key in PEM without password" in broken.err
    path.unlink()


def test_a_workflow_bundles_what_its_apply_published(project: Project, tmp_path: Path) -> None:
    cli, _ = project
    output = tmp_path / "output"
    runner = Cli(cli.root, {**cli.environment, "GITHUB_OUTPUT": str(output)})
    said = {
        "format": "avatar-gitops/apply",
        "version": "1.0",
        "plan_digest": "sha256:" + "0" * 64,
        "outcomes": [
            {"set": KEPT, "action": "relaunch", "state": "published", "message": "", "gates": []},
            {"set": "other", "action": "launch", "state": "failed", "message": "", "gates": []},
        ],
    }
    (tmp_path / "applied.json").write_text(json.dumps(said))
    made = runner("ci", "evidence", str(tmp_path / "applied.json"), "--dir", str(tmp_path / "evidence"))
    assert made.code == 0, made.text
    assert output.read_text().splitlines()[1] == f"{tmp_path}/evidence/evidence.zip"
    assert cli("audit", "verify", str(tmp_path / "evidence" / "evidence.zip")).code == 0
    (tmp_path / "nothing.json").write_text("")
    none = runner("ci", "evidence", str(tmp_path / "nothing.json"), "--dir", str(tmp_path / "none"))
    assert (none.code, (tmp_path / "none").exists()) == (0, False)
