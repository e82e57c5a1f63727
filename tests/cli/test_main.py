"""The entry point: help, exit codes, one text per error, and nothing imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_gitops import __version__
from avatar_gitops.cli import main
from avatar_gitops.errors import Locked, UnsafePlan

HEAVY = {
    "docx",
    "fastapi",
    "httpx",
    "jsonschema",
    "numpy",
    "obstore",
    "pandas",
    "pyarrow",
    "pydantic",
    "rich",
    "ruamel",
    "scipy",
    "sqlalchemy",
    "typst",
}


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]) -> None:
    assert main.run(["--help"]) == 0
    golden("cli/help.txt", capsys.readouterr().out)


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([name, "--help"]) == 0
    assert f"avatar-gitops {name}" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from avatar_gitops.cli import main; main.run(['--help']); print(*sorted(sys.modules), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {line.partition(".")[0] for line in done.stdout.splitlines()}
    assert loaded & HEAVY == set()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plna"], "Did you mean 'plan'?"),
        (["plan", "--sumary"], "--summary"),
        (["serve", "--port", "99999"], "99999"),
        (["apply", "no-such-plan.json"], "no-such-plan.json"),
        (["plan", "--out", "pdf:x"], "FORMAT:PATH"),
    ],
)
def test_a_usage_error_is_64(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 64
    assert says in capsys.readouterr().err


def test_no_project_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["plan", "--project", str(tmp_path)]) == 64
    error = capsys.readouterr().err
    assert "avatar-gitops.yaml" in error
    assert "avatar-gitops init" in error


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (Locked("somebody else works here", hint="wait", code="R008"), 8),
        (UnsafePlan("too much would be deleted"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_have_their_exit_code(
    raised: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**options: object) -> None:
        raise raised

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["plan"]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_unexpected_error_shows_its_place_and_not_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**options: object) -> None:
        raise ValueError("row 7 holds zqsecretx")

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["plan"]) == 1
    error = capsys.readouterr().err
    assert "unexpected ValueError" in error
    assert "zqsecretx" not in error
