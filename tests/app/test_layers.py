"""Findings in layers: at the file that said it, once, whatever the number of specs that stand on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.fix import fix
from avatar_gitops.app.fmt import fmt
from avatar_gitops.app.validate import load_project, validate
from avatar_gitops.diagnostics import Severity
from avatar_gitops.report.diagnostics import as_json, as_text, summary
from avatar_gitops.spec.schema import schema_text

Golden = Callable[[str, str], None]

PROJECT = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\n"
DEFAULTS = "apiVersion: avatar-gitops/v1\nkind: Defaults\n"
SPEC = "apiVersion: avatar-gitops/v1\nkind: AvatarRun\n"
TABLE = "    patients:\n      source: data/patients.csv\n"
SECRET = "hunter2x"


def default(text: str) -> str:
    return DEFAULTS + text


def spec(name: str, text: str = "", table: str = TABLE) -> str:
    return f"{SPEC}metadata: {{name: {name}}}\nspec:\n  tables:\n{table}{text}"


K = "      avatarization: {k: 20}\n"

PROJECTS: dict[str, dict[str, str]] = {
    "default-wrong": {
        "configs/_defaults.yaml": default(
            'metadata: {name: same, owner: anna}\nspec:\n  sed: 3\n  tables:\n    "*":\n      avatarization: {k: 0}\n'
        ),
        "configs/a.yaml": spec("a"),
        "configs/b.yaml": spec("b"),
        "configs/deep/c.yaml": spec("c"),
    },
    "default-of-one-column": {
        "configs/_defaults.yaml": default(
            'spec:\n  tables:\n    "*":\n      privacy_metrics: {known_variables: [zip_code]}\n'
        ),
        "configs/a.yaml": spec("a", table=TABLE + K),
        "configs/b.yaml": spec("b", table=TABLE + K),
    },
    "default-and-other-method": {
        "configs/_defaults.yaml": default('spec:\n  tables:\n    "*":\n      avatarization: {k: 20}\n'),
        "configs/a.yaml": spec("a", table=TABLE + "      avatarization: {open_dp: {epsilon: 1.0}}\n"),
        "configs/b.yaml": spec("b", table=TABLE + "      avatarization: {k: null, open_dp: {epsilon: 1.0}}\n"),
    },
    "default-half-a-method": {
        "configs/_defaults.yaml": default('spec:\n  tables:\n    "*":\n      avatarization: {open_dp: {}}\n'),
        "configs/a.yaml": spec("a"),
        "configs/b.yaml": spec("b"),
    },
    "default-unreadable": {
        "configs/_defaults.yaml": default("spec: {tables: [\n"),
        "configs/a.yaml": spec("a"),
        "configs/other/b.yaml": spec("b"),
    },
    "default-of-project": {
        "avatar-gitops.yaml": PROJECT
        + "spec:\n  defaults:\n    metadata: {name: x}\n    spec:\n      gates: {hidden_rate: 90}\n",
        "configs/a.yaml": spec("a", table=TABLE + K),
    },
    "default-secret": {
        "configs/_defaults.yaml": default(
            f'spec:\n  tables:\n    "*":\n      source: {{options: {{password: {SECRET}}}}}\n'
        ),
        "configs/a.yaml": spec("a", table=TABLE + K),
    },
    "default-other-kind": {
        "configs/_defaults.yaml": spec("a"),
        "configs/a.yaml": spec("a", table=TABLE + K),
    },
    "matrix-wrong": {
        "configs/a.yaml": spec("a", "  matrix: {kk: [5, 10]}\n"),
        "configs/b.yaml": spec("b", "  matrix:\n    k: [5, 1]\n    tables.patients.avatarization.ncpp: [1, 2]\n"),
        "configs/c.yaml": spec("c", "  matrix: {k: 5}\n"),
        "configs/d.yaml": spec('"d-{k}"', "  matrix: {k: [5, 10], seed: [1, 2]}\n"),
        "configs/e.yaml": spec('"e-{k}"', table=TABLE + K),
    },
    "every-table-in-a-spec": {
        "configs/a.yaml": spec("a", table=TABLE.replace("patients:", '"*":')),
    },
    "matrix-taken": {
        "configs/a.yaml": spec("a", "  matrix: {k: [5, 10]}\n"),
        "configs/b.yaml": spec("a-k10", table=TABLE + K),
    },
    "from-outside": {
        "configs/a.yaml": spec("a", "  from: ../run.yaml\n"),
        "configs/b.yaml": spec("b", "  from: downloads/rum.yaml\n"),
        "configs/c.yaml": spec("c", "  from: [1]\n"),
        "downloads/run.yaml": "kind: AvatarSchema\n",
    },
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in {"avatar-gitops.yaml": PROJECT, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    rows = "".join(f"zq{row}qz,{row},zq{row % 7}qz\n" for row in range(60))
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "patients.csv").write_text(f"patient_id,age,sex\n{rows}", encoding="utf-8")


@pytest.mark.parametrize("name", PROJECTS)
def test_a_finding_is_at_the_file_that_said_it(name: str, tmp_path: Path, golden: Golden) -> None:
    write(tmp_path, PROJECTS[name])
    found = validate(tmp_path, cwd=tmp_path)
    verdict = summary(found.diagnostics, found.files_checked, found.sets_made)
    text = f"{as_text(found.diagnostics, found.sources)}\n{verdict}\n"
    assert not found.ok
    for form in (text, as_json(found.diagnostics, found.files_checked, found.sets_made)):
        assert "zq" not in form
        assert SECRET not in form
    golden(f"layers/{name}.txt", text)


def test_the_nearest_folder_wins_and_a_default_outside_of_the_specs_is_never_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "avatar-gitops.yaml": PROJECT + "spec: {defaults: {spec: {seed: 1, gates: {hidden_rate: '>= 90'}}}}\n",
            "_defaults.yaml": default("spec: {seed: 9}\n"),
            "configs/_defaults.yaml": default("spec: {seed: 2, pia: {language: fr}}\n"),
            "configs/a.yaml": spec("a", table=TABLE + K),
            "configs/deep/_defaults.yaml": default("spec: {seed: 3, gates: {hidden_rate: null}}\n"),
            "configs/deep/b.yaml": spec("b", table=TABLE + K),
        },
    )
    runs = {run.run.metadata.name: run for run in load_project(tmp_path, cwd=tmp_path).runs}
    assert [runs[name].run.spec.seed for name in "ab"] == [2, 3]
    assert [len(runs[name].run.spec.gates) for name in "ab"] == [1, 0]
    assert {run.run.spec.pia.language.value for run in runs.values()} == {"fr"}
    assert runs["b"].locate(("spec", "seed")).file == "configs/deep/_defaults.yaml"
    assert runs["a"].locate(("spec", "gates", "hidden_rate")).file == "avatar-gitops.yaml"


def test_a_default_that_is_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write(root, {"configs/a.yaml": spec("a", table=TABLE + K)})
    (tmp_path / "secret.yaml").write_text(default("spec: {seed: 5}\n"), encoding="utf-8")
    (root / "configs" / "_defaults.yaml").symlink_to(tmp_path / "secret.yaml")
    found = validate(root, cwd=root)
    assert [(one.code, one.span.file) for one in found.diagnostics] == [("X019", "configs/_defaults.yaml")]
    assert found.runs == ()
    assert fmt(root, (), check=False).changed == ()
    assert (tmp_path / "secret.yaml").read_text(encoding="utf-8") == default("spec: {seed: 5}\n")


def test_a_chosen_default_checks_the_specs_that_it_holds_for(tmp_path: Path) -> None:
    write(tmp_path, PROJECTS["default-half-a-method"] | {"configs/zz/_defaults.yaml": default("spec: {seed: 1}\n")})
    (tmp_path / "other").mkdir()
    found = validate(tmp_path, (Path("configs/_defaults.yaml"),), cwd=tmp_path)
    assert {one.code for one in found.diagnostics} == {"S001"}
    assert found.files_checked == 3
    one = validate(tmp_path, (Path("configs/a.yaml"),), cwd=tmp_path)
    assert one.files_checked == 2
    assert [finding.note for finding in one.diagnostics] == ["for configs/a.yaml"]


def test_the_sets_of_a_matrix_share_the_facts_of_their_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from avatar_gitops.app import inputs
    from avatar_gitops.app import validate as module

    write(tmp_path, {"configs/a.yaml": spec("a", "  matrix: {k: [5, 10, 20]}\n")})
    calls: list[object] = []
    facts = inputs.facts_of

    def counted(*args: Any) -> Any:
        calls.append(args)
        return facts(*args)

    monkeypatch.setattr(module, "facts_of", counted)
    runs = load_project(tmp_path, cwd=tmp_path).runs
    assert [run.run.metadata.name for run in runs] == ["a-k5", "a-k10", "a-k20"]
    assert len({run.inputs for run in runs}) == 1
    assert len(calls) == 1


def test_a_default_is_repaired_in_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = 'spec:\n  tables:\n    "*": {avatarization: {use_categorical_reducton: yes, k: 3}}\n'
    write(
        tmp_path, {"configs/_defaults.yaml": default(wrong), "configs/a.yaml": spec("a"), "configs/b.yaml": spec("b")}
    )
    monkeypatch.chdir(tmp_path)
    assert {done.file for done in fix(None, ())} == {"configs/_defaults.yaml"}
    fix(None, ())
    text = (tmp_path / "configs" / "_defaults.yaml").read_text(encoding="utf-8")
    assert "use_categorical_reduction: true" in text
    assert validate(tmp_path, cwd=tmp_path).ok


def test_every_file_that_people_write_is_formatted_and_names_its_schema(tmp_path: Path) -> None:
    policy = "kind: Policy\nenabled: [baseline]\napiVersion: avatar-gitops/v1\n"
    write(
        tmp_path,
        {
            "configs/_defaults.yaml": "kind: Defaults\napiVersion: avatar-gitops/v1\nspec: {seed: 1}\n",
            "configs/deep/a.yaml": spec("a", table=TABLE + K),
            "policies/p.yaml": policy,
        },
    )
    assert fmt(tmp_path, (), check=True).changed == ("configs/_defaults.yaml", "policies/p.yaml")
    (tmp_path / "schemas").mkdir()
    for kind in ("run", "defaults", "policy"):
        (tmp_path / "schemas" / f"{kind}.v1.schema.json").write_text(schema_text(kind), encoding="utf-8")
    assert len(fmt(tmp_path, (), check=False).changed) == 3
    first = [
        (tmp_path / name).read_text(encoding="utf-8").splitlines()[:2]
        for name in ("configs/_defaults.yaml", "configs/deep/a.yaml", "policies/p.yaml")
    ]
    assert [lines[0].partition("$schema=")[2] for lines in first] == [
        "../schemas/defaults.v1.schema.json",
        "../../schemas/run.v1.schema.json",
        "../schemas/policy.v1.schema.json",
    ]
    assert {lines[1] for lines in first} == {"apiVersion: avatar-gitops/v1"}
    assert fmt(tmp_path, (), check=True).changed == ()
    assert all(one.severity is not Severity.ERROR for one in validate(tmp_path, cwd=tmp_path).diagnostics)
