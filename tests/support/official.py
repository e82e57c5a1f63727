"""Environments that hold an unmodified official client or other packages, made on first use in `.conformance/`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ENVIRONMENTS = Path(__file__).parents[2] / ".conformance"
CLIENT = "octopize-avatar"
# Outcome of each tutorial, by name and client: whether it came to its end, and after how many seconds.
Outcomes = dict[tuple[str, str], tuple[bool, float]]
DRAWING = ("matplotlib", "seaborn")  # what the client's tutorials draw with, in the words of its own project file


def find_python() -> str | None:
    """A Python 3.12, which the official client needs."""
    named = os.environ.get("PYTHON312")
    on_path = shutil.which("python3.12")
    managed = sorted(Path.home().glob(".pyenv/versions/3.12*/bin/python"))
    for candidate in (named, *map(str, managed), on_path):
        if candidate and _is_312(candidate):
            return candidate
    return None


def _is_312(python: str) -> bool:
    code = "import sys; print(sys.version_info[:2] == (3, 12))"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == "True"


def unavailable(reason: str) -> None:
    """Skip on a developer's machine, fail where the check is the point."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def environment(version: str) -> Path:
    """Python of an environment with exactly that version of the official client and what its tutorials draw with."""
    base = find_python()
    if base is None:
        unavailable("The official client needs Python 3.12; set PYTHON312 to one.")
    return environment_with(version, (f"{CLIENT}=={version}", *DRAWING), str(base))


def source(version: str) -> Path:
    """The unpacked source distribution of that version of the official client, fetched on first use."""
    base = find_python()
    if base is None:
        unavailable("The official client needs Python 3.12; set PYTHON312 to one.")
    folder = ENVIRONMENTS / "sources" / version
    ready = folder / ".ready"
    if not ready.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        fetch = [str(base), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        only_source = ["--no-binary", CLIENT, "--dest", str(folder), f"{CLIENT}=={version}"]
        result = subprocess.run([*fetch, *only_source], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            unavailable(f"The sources of {CLIENT} {version} could not be fetched:\n{result.stderr[-2000:]}")
        [archive] = folder.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        ready.touch()
    [unpacked] = (entry for entry in folder.iterdir() if entry.is_dir())
    return unpacked


def environment_with(name: str, requirements: Sequence[str], base: str = sys.executable) -> Path:
    """Python of an environment that holds these packages, which need others than ours, made on first use."""
    folder = ENVIRONMENTS / name
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.is_file():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", str(folder)], check=True, capture_output=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run([*install, *requirements], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        unavailable(f"{', '.join(requirements)} could not be installed:\n{result.stderr[-2000:]}")
    ready.touch()
    return python


def clean_environment() -> dict[str, str]:
    """The environment without anything that would lead a client elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AVATAR", "AWS", "STORAGE"))}
