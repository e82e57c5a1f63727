"""What plan and apply start from: every run with the facts of its inputs, or an error that carries every finding."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from avatar_gitops.app.validate import LoadedProject, load_project, validate
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import AvatarGitOpsError

PROJECT = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\nspec: {SETTINGS}\n"
RUN = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: patients}
spec:
  tables:
    patients:
      source: SOURCE
      avatarization: {k: 5}
"""
DATA = "id,age\n" + "".join(f"zq{row}qz,{row}\n" for row in range(150))
REMOTE = "{uri: s3://bucket/p.csv, digest: sha256:" + "1" * 64 + "}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/patients.csv").write_text(DATA)
    write(tmp_path)
    return tmp_path


def write(root: Path, source: str = "data/patients.csv", settings: str = "", run: str = RUN) -> None:
    (root / "avatar-gitops.yaml").write_text(PROJECT.replace("SETTINGS", settings))
    (root / "configs/patients.yaml").write_text(run.replace("SOURCE", source))


def load(root: Path, **environ: str) -> LoadedProject:
    return load_project(root, cwd=root, environ=environ)


def test_a_run_comes_with_its_path_positions_and_facts(project: Path) -> None:
    loaded = load(project)
    assert (loaded.root, loaded.project.metadata.name, loaded.warnings) == (project, "demo", ())
    (run,) = loaded.runs
    assert run.path == project / "configs/patients.yaml"
    assert run.run.metadata.name == "patients"
    assert run.locate(("spec", "tables", "patients", "avatarization", "k")).line == 8
    (facts,) = run.inputs
    assert (facts.table, facts.uri, facts.columns) == ("patients", "data/patients.csv", ("id", "age"))
    assert (facts.rows_bucket, facts.bytes) == ("100-1k", len(DATA))
    assert facts.digest == "sha256:" + hashlib.sha256(DATA.encode()).hexdigest()
    assert "zq" not in repr(loaded)


def test_a_digest_key_makes_digests_that_prove_nothing_to_others(project: Path) -> None:
    write(project, settings="digest_key: env/DIGEST_KEY")
    (run,) = load(project, DIGEST_KEY="secret").runs
    assert run.inputs[0].digest == "hmac-sha256:" + hmac.new(b"secret", DATA.encode(), "sha256").hexdigest()
    with pytest.raises(AvatarGitOpsError, match="DIGEST_KEY is not set"):
        load(project)


def test_existing_avatars_are_an_input_of_their_own(project: Path) -> None:
    (project / "data/avatars.csv").write_text("id,age\n1,2\n")
    write(project, run=RUN.replace("avatarization: {k: 5}", "avatars: data/avatars.csv"))
    (run,) = load(project).runs
    assert [facts.table for facts in run.inputs] == ["patients", "patients#avatars"]


def test_a_remote_input_is_what_the_spec_declares(project: Path) -> None:
    write(project, REMOTE)
    (run,) = load(project).runs
    assert run.inputs[0].digest == "sha256:" + "1" * 64
    assert run.inputs[0].columns == ()


def test_a_file_that_is_not_the_declared_one_is_refused(project: Path) -> None:
    declared = "sha256:" + hashlib.sha256(DATA.encode()).hexdigest()
    write(project, f"{{uri: data/patients.csv, digest: {declared}}}")
    assert load(project).runs
    (project / "data/patients.csv").write_text(DATA + "x,1\n")
    with pytest.raises(SpecError) as raised:
        load(project)
    assert [finding.code for finding in raised.value.diagnostics] == ["X020"]


def test_an_invalid_project_is_one_error_with_every_finding(project: Path) -> None:
    write(project, "data/missing.csv", run=RUN.replace("k: 5", "k: 1"))
    with pytest.raises(SpecError, match="2 errors in 1 file") as raised:
        load(project)
    assert [finding.code for finding in raised.value.diagnostics] == ["X002", "S004"]
    assert raised.value.exit_code == 3
    write(project, settings="prune: always")
    with pytest.raises(SpecError, match="1 error in 1 file"):
        load(project)


def test_warnings_do_not_stop_a_plan(project: Path) -> None:
    write(project, run=RUN.replace("      avatar", "      columns: {id: {tag: identifier}}\n      avatar"))
    loaded = load(project)
    assert [finding.code for finding in loaded.warnings] == ["X010"]
    assert len(loaded.runs) == 1


def test_a_project_without_specs_is_valid_and_empty(project: Path) -> None:
    (project / "configs/patients.yaml").unlink()
    assert load(project).runs == ()
    result = validate(project, cwd=project)
    assert (result.ok, result.files_checked) == (True, 1)
