"""A data file where YAML is expected: it is refused, and no command repeats a line of it in any format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FORMATS = ("text", "short", "json", "github", "sarif", "gitlab")
CANARY = "CANARY"
ROWS = (
    "CANARYNAME,CANARYSSN,42\nCANARYB,CANARYC,43\n",
    '`CANARYNAME,"CANARYSSN":42\n',
    "CANARYKEY: 1\nCANARYKEY: 2\n",
    "CANARYKEY:CANARYVALUE\nCANARYB: 2\n",
    "CANARYLINE\nCANARYKEY: 2\n",
    "CANARYKEY: CANARYVALUE: 3\n",
    "*CANARYNAME, !CANARYTAG 1\n",
    "!CANARYTAG CANARYNAME\n",
    '"CANARYNAME\n',
    "[CANARYNAME, CANARYB\n",
    "a: .inf\nCANARYNAME: [1\n",
    "# CANARYNAME\n",
    "- CANARYNAME\n---\n- CANARYB\n",
    "\tCANARYNAME: 1\n",
    "kind: CANARYNAME\nname: CANARYB\n",
    "CANARYNAME\x07,CANARYB\n",
)
SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: a}
spec: {from: data/rows.csv, seed: 1}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    text = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\nspec: {specs: configs}\n"
    (tmp_path / "avatar-gitops.yaml").write_text(text)
    return tmp_path


def said(project: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "avatar_gitops", *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def in_process(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *line: str) -> str:
    from avatar_gitops.cli.main import run

    monkeypatch.chdir(project)
    assert run(list(line)) != 0, line
    printed = capfd.readouterr()
    return printed.out + printed.err


@pytest.mark.parametrize("rows", ROWS)
def test_no_command_repeats_a_line_of_data_that_stands_for_yaml(
    project: Path, rows: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*line: str) -> None:
        assert CANARY not in in_process(project, monkeypatch, capfd, *line), line

    (project / "data/rows.csv").write_text(rows)
    (project / "data/rows.yaml").write_text(rows)
    for file in ("data/rows.csv", "data/rows.yaml"):
        run("import", file, "--stdout")
        (project / "configs/a.yaml").write_text(SPEC.replace("data/rows.csv", file))
        for name in FORMATS:
            run("validate", "--format", name)
        run("plan", "--offline")
        (project / "configs/a.yaml").unlink()
    (project / "configs/link.yaml").symlink_to("../data/rows.csv")
    for name in FORMATS:
        run("validate", "--format", name)
        run("validate", "--format", name, "configs/link.yaml")
    run("plan", "--offline")
    (project / "configs/link.yaml").unlink()
    (project / "configs/_defaults.yaml").symlink_to("../data/rows.csv")
    (project / "policies").mkdir()
    (project / "policies/base.yaml").symlink_to("../data/rows.csv")
    for name in FORMATS:
        run("validate", "--format", name)
    (project / "avatar-gitops.yaml").write_text(rows)
    run("validate")


def test_a_data_file_is_refused_by_its_name_and_the_reason_is_said(project: Path) -> None:
    (project / "data/rows.csv").write_text(ROWS[0])
    code, text = said(project, "import", "data/rows.csv", "--stdout")
    assert code == 64
    assert text.startswith("error: data/rows.csv is no YAML file\n")
    (project / "configs/a.yaml").write_text(SPEC)
    code, text = said(project, "validate")
    assert code == 3
    assert "error[X064]: the file of `from` cannot be used: it is no YAML file\n   --> configs/a.yaml:4:14\n" in text
    (project / "configs/a.yaml").unlink()
    (project / "configs/link.yaml").symlink_to("../data/rows.csv")
    code, text = said(project, "validate")
    assert code == 3
    assert text.startswith("error[S001]: this is no document of avatar-gitops or of the Avatar platform\n")


@pytest.mark.parametrize(
    "begun",
    [
        "apiVersion: avatar-gitops/v1\nspec: [\n",
        "metadata: {name: a\n",
        '{"kind": "AvatarRun",\n "spec" 1}\n',
        "\ufeff---\r\nspec:\r\n\tk: 1\r\n",
        "- kind: AvatarRun\n- [\n",
    ],
)
def test_a_broken_document_is_still_quoted(project: Path, begun: str) -> None:
    (project / "configs/a.yaml").write_bytes(begun.encode())
    code, text = said(project, "validate")
    assert code == 3
    assert "| " in text
    assert "is no document" not in text
