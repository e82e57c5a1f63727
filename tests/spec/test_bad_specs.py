"""Every bad spec in `bad/` gives exactly the text that a person reads; none of them shows a value of the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_gitops.app.validate import validate
from avatar_gitops.diagnostics import Severity
from avatar_gitops.report.diagnostics import as_github, as_json, as_short, as_text, summary

BAD = Path(__file__).parent / "bad"
NAMES = sorted(path.stem for path in BAD.glob("*.yaml"))
WARNINGS_ONLY = {"identifier-untouched", "link-original-order", "weight-of-excluded"}
PROJECT = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\n"
HEADER = "patient_id,age,sex,zip,admission,diagnosis"
SECRET = "hunter2x"


def cells(row: int) -> list[str]:
    return [f"zq{row}{column}qz" for column in range(6)]


@pytest.fixture(scope="module")
def canaries() -> list[str]:
    return ["zq", "qz", "61.25", "1972-03-01", "anna@example.org"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    rows = "".join(",".join(cells(row)) + "\n" for row in range(120))
    (data / "patients.csv").write_text(f"{HEADER}\n{rows}")
    (data / "visits.csv").write_text("visit_id,patient_id,referred_by\n" + "zq1qz,zq2qz,zq3qz\n" * 9)
    (data / "sample.csv").write_text("patient_id,age,gender,zip,admission,diagnosis\nzq0qz,1,2,3,4,5\n")
    (data / "headerless.csv").write_text("zq1qz,61.25,1972-03-01,anna@example.org\n" + "zq2qz,61.25,1972-03-01,x\n" * 9)
    (data / "repeated.csv").write_text("age,sex,age\n" + "1,2,3\n" * 9)
    (data / "pointer.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n")
    (tmp_path / "configs").mkdir()
    (tmp_path / "avatar-gitops.yaml").write_text(PROJECT)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_spec_explains_itself(
    name: str, project: Path, golden: Callable[[str, str], None], canaries: list[str]
) -> None:
    target = project / "avatar-gitops.yaml" if name.startswith("project-") else project / "configs" / f"{name}.yaml"
    target.write_bytes((BAD / f"{name}.yaml").read_bytes())
    result = validate(project, cwd=project)
    text = as_text(result.diagnostics, result.sources) + "\n" + summary(result.diagnostics, result.files_checked) + "\n"
    assert any(found.severity is Severity.ERROR for found in result.diagnostics) is (name not in WARNINGS_ONLY)
    assert result.diagnostics
    forms = (text, as_short(result.diagnostics), as_json(result.diagnostics, 1), as_github(result.diagnostics))
    for form in forms:
        assert not [canary for canary in (*canaries, SECRET) if canary in form]
    golden(f"diagnostics/{name}.txt", text)


def test_there_are_enough_bad_specs() -> None:
    assert len(NAMES) >= 40
