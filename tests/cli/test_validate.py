"""`validate`, `schema` and `explain` as commands: what they print, their exit codes, and what they do not import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from avatar_gitops.cli.commands.explain import command as explain
from avatar_gitops.cli.commands.schema import command as schema
from avatar_gitops.cli.commands.validate import command as validate
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.catalogue import TITLES
from avatar_gitops.spec.schema import schema_text

PROJECT = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\n"
RUN = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: NAME
spec:
  tables:
    patients:
      source: data/patients.csv
      avatarization: {k: 5}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "avatar-gitops.yaml").write_text(PROJECT)
    (tmp_path / "data/patients.csv").write_text("id,age\n" + "1,2\n" * 20)
    (tmp_path / "configs/a.yaml").write_text(RUN.replace("NAME", "a"))
    (tmp_path / "configs/b.yaml").write_text(RUN.replace("NAME", "b"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(validate, list(arguments))


def test_a_valid_project_says_so_and_exits_0(project: Path) -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, "3 files checked: 3 valid.\n")


def test_a_file_that_is_no_spec_is_told(project: Path) -> None:
    (project / "configs/a.lock.yaml").write_text("")
    result = run("data/patients.csv", "configs/a.lock.yaml", "configs/a.yaml")
    assert (result.exit_code, result.stdout) == (0, "1 file checked: 1 valid.\n")
    assert result.stderr == "warning: data/patients.csv is not a spec of this project, so it was not checked\n"
    assert run("avatar-gitops.yaml", "configs/b.yaml").stderr == ""


def test_errors_exit_3_and_end_with_the_command_that_explains(project: Path) -> None:
    (project / "configs/b.yaml").write_text(RUN.replace("NAME", "b").replace("{k: 5}", "{k: 1}"))
    result = run()
    assert result.exit_code == 3
    assert result.stdout.startswith("error[S004]: `k` must be at least 2\n   --> configs/b.yaml:9:26\n")
    assert result.stdout.endswith(
        "\n3 files checked: 2 valid, 1 with 1 error.\nExplain one: avatar-gitops explain S004\n"
    )


def test_a_name_that_is_used_twice_shows_both_files(project: Path, golden: Callable[[str, str], None]) -> None:
    (project / "configs/sub").mkdir()
    (project / "configs/sub/a.yaml").write_text(RUN.replace("NAME", "a"))
    result = run()
    assert result.exit_code == 3
    golden("diagnostics/name-twice.txt", result.stdout)


def test_a_name_is_used_twice_also_if_the_other_file_has_errors(project: Path) -> None:
    (project / "configs/b.yaml").write_text(RUN.replace("NAME", "a").replace("{k: 5}", "{k: 1}"))
    assert [line for line in run("--format", "short").stdout.splitlines() if "X001" in line] == [
        "configs/b.yaml:4:9: error X001 set name `a` is used twice"
    ]


def test_one_file_is_checked_against_the_names_of_the_whole_project(project: Path) -> None:
    (project / "configs/b.yaml").write_text(RUN.replace("NAME", "a"))
    first = run("configs/a.yaml", "--format", "short")
    assert first.stdout == (
        "configs/a.yaml:4:9: error X001 set name `a` is used twice\n1 file checked: 0 valid, 1 with 1 error.\n"
    )
    (project / "configs/b.yaml").write_text("a: 1\n")
    assert run("configs/a.yaml").stdout == "1 file checked: 1 valid.\n"


def test_of_the_given_files_only_specs_are_checked(project: Path) -> None:
    (project / "configs/a.lock.yaml").write_text("not: a spec\n")
    assert run("configs/a.lock.yaml", "configs/a.yaml").stdout == "1 file checked: 1 valid.\n"
    assert run("avatar-gitops.yaml", "configs/a.yaml").stdout == "2 files checked: 2 valid.\n"
    (project / "extra.yaml").write_text("not: a spec\n")
    assert run("extra.yaml").exit_code == 3


def test_the_project_is_found_from_below_and_paths_fit_where_you_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "configs/b.yaml").write_text("kind: [\n")
    monkeypatch.chdir(project / "data")
    assert run("--format", "short").stdout.startswith("../configs/b.yaml:")
    monkeypatch.chdir(project.parent)
    assert run("--project", project.name, "--format", "short").stdout.startswith(f"{project.name}/configs/b.yaml:")
    assert run("--project", f"{project.name}/avatar-gitops.yaml").exit_code == 3


def test_json_is_one_document_and_nothing_else(project: Path) -> None:
    (project / "configs/b.yaml").write_text(RUN.replace("NAME", "b b"))
    document = json.loads(run("--format", "json").stdout)
    assert document["files"] == 3
    assert [found["code"] for found in document["diagnostics"]] == ["S006"]


def test_github_annotates_the_line(project: Path) -> None:
    (project / "configs/b.yaml").write_text(RUN.replace("NAME", "b b"))
    assert run("--format", "github").stdout.startswith("::error file=configs/b.yaml,line=4,col=9,title=S006::")


def test_quiet_keeps_errors_and_the_verdict(project: Path) -> None:
    text = RUN.replace("NAME", "b").replace("      avatar", "      columns: {id: {tag: identifier}}\n      avatar")
    (project / "configs/b.yaml").write_text(text)
    assert run("-q").stdout == "3 files checked: 3 valid.\n"
    loud = run()
    assert loud.exit_code == 0
    assert loud.stdout.startswith("warning[X010]")
    assert "3 files checked: 3 valid, 1 warning.\n" in loud.stdout


def test_colour_is_a_choice(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "configs/b.yaml").write_text("kind: [\n")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run().stdout
    assert "\x1b" not in run("--color", "never").stdout
    assert "\x1b[" in run("--color", "always").stdout


def test_a_broken_project_file_is_reported_alone(project: Path) -> None:
    (project / "avatar-gitops.yaml").write_text(PROJECT + "spec: {prune: always}\n")
    result = run("--format", "short")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "avatar-gitops.yaml:4:15: error S003 `always` is not a prune setting",
        "1 file checked: 0 valid, 1 with 1 error.",
    ]


def test_outside_of_a_project_the_call_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run()
    assert isinstance(result.exception, UsageError)


def test_validating_imports_nothing_heavy(project: Path) -> None:
    program = (
        "import sys\n"
        "from avatar_gitops.cli.main import run\n"
        "code = run(['validate', 'configs/a.yaml'])\n"
        "heavy = {'pandas', 'numpy', 'pyarrow', 'httpx', 'scipy', 'fastapi', 'sqlalchemy', 'obstore', 'typst',"
        " 'jsonschema', 'ruamel.yaml', 'rfc8785'}\n"
        "print(code, sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "1 file checked: 1 valid.\n0 []\n"


def test_the_schemas_are_printed_and_written(tmp_path: Path) -> None:
    assert CliRunner().invoke(schema, []).stdout == schema_text("run")
    assert CliRunner().invoke(schema, ["project"]).stdout == schema_text("project")
    CliRunner().invoke(schema, ["--write", str(tmp_path / "new")])
    assert (tmp_path / "new/run.v1.schema.json").read_text() == schema_text("run")
    assert (tmp_path / "new/project.v1.schema.json").read_text() == schema_text("project")


def test_a_code_is_explained_in_any_case_and_all_are_listed() -> None:
    assert CliRunner().invoke(explain, ["s004"]).stdout.startswith("S004  a number is out of range\n")
    listed = CliRunner().invoke(explain, []).stdout
    assert all(f"{code}  {title}\n" in listed for code, title in TITLES.items())


def test_an_unknown_code_is_a_usage_error() -> None:
    result = CliRunner().invoke(explain, ["S444"])
    assert isinstance(result.exception, UsageError)
    assert result.exception.hint is not None
    assert "avatar-gitops explain" in result.exception.hint
