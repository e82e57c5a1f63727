"""What a step tells the runner: outputs, the page of the job, and values to hide in logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

SUMMARY_LIMIT: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


def _delimiter() -> str:
    return f"ends-{uuid4().hex}"


def outputs_text(values: Mapping[str, str], delimiter: Callable[[], str] = _delimiter) -> str:
    """Outputs in the form of the runner's file; no value can end itself early or add an output of its own."""
    parts = []
    for name, value in values.items():
        if not _NAME.match(name):
            raise ValueError("a name of an output is letters, digits, `_` and `-`")
        clean = value.replace("\r\n", "\n").replace("\r", "\n")
        mark = delimiter()
        while mark in clean:
            mark = delimiter()
        parts.append(f"{name}<<{mark}\n{clean}\n{mark}\n")
    return "".join(parts)


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Add outputs to the runner's file (`GITHUB_OUTPUT`)."""
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(outputs_text(values))


def dotenv_text(values: Mapping[str, str]) -> str:
    """Outputs as GitLab's report of variables: `AVATAR_` and the name in capitals; values have one line each."""
    return "".join(f"AVATAR_{name.upper()}={' '.join(value.split())}\n" for name, value in values.items())


def room(path: Path) -> int:
    """Bytes that the page of this step (`GITHUB_STEP_SUMMARY`) can still take."""
    used = path.stat().st_size if path.exists() else 0
    return max(0, SUMMARY_LIMIT - used - 1)


def write_summary(path: Path, text: str) -> bool:
    """Add Markdown to the page of the job; False, and nothing written, when it has no room for the text."""
    content = text if text.endswith("\n") else text + "\n"
    if len(content.encode()) > room(path):
        return False
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(content)
    return True


def mask_command(secret: str) -> str:
    """The workflow commands that make the runner hide a value in every later line of the log, one per line of it."""
    lines = [line for line in re.split(r"[\r\n]+", secret) if line.strip()]
    return "".join(f"::add-mask::{line.replace('%', '%25')}\n" for line in lines)
