"""Screens of real runs as texts that are equal on every run: what cannot be equal is named instead, in `<...>`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tests.support.flow import Cli, Result

WAIVED_DAYS: Final = 60
JOBS: Final = ("standard", "privacy_metrics", "signal_metrics", "report", "report_pia")
DONE: Final = re.compile(rf"\S+ +\S+ +({'|'.join(JOBS)}) +done ")
VARYING: Final = (
    (r"https?://127\.0\.0\.1:\d+", "https://<server>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"sha256:[0-9a-f]{8,64}", "sha256:<digest>"),
    (r"\bjob [0-9a-f]{8}\b", "job <id>"),
    (r"`[0-9a-f]{8}`", "`<digest>`"),
    (r"<day> \d\d:\d\d UTC", "<day> <time> UTC"),
    (r"(?m)^\d\d:\d\d:\d\d  ", "<time>  "),
    (r"\b(\d+m ?)?\d+(\.\d+)?s\b", "<seconds>"),
    (r"\b\d+ s\b", "<seconds>"),
    (r"\b[0-9a-f]{4} <seconds>", "<id> <seconds>"),
    (r"published run [0-9a-f]{8}", "published run <id>"),
    (r"process \d+", "process <number>"),
)


class Unicode(io.StringIO):
    """A stream that can carry every sign."""

    encoding = "utf-8"


@dataclass
class Album:
    """Screens by their names, and what has to be named in them."""

    shots: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, text: str) -> None:
        """Keep a text under a name that no other screen has."""
        assert name not in self.shots
        self.shots[name] = self.settled(text)

    def settled(self, text: str) -> str:
        """A text without anything that differs from run to run."""
        today = datetime.now(UTC).date()
        days = {f"{today + timedelta(days=distance)}": "<day>" for distance in (-1, 0, 1, WAIVED_DAYS - 1, WAIVED_DAYS)}
        for said, instead in sorted({**self.named, **days}.items(), key=lambda item: -len(item[0])):
            text = text.replace(said, instead)
        for pattern, instead in VARYING:
            text = re.sub(pattern, instead, text)
        return in_order(text)


def in_order(text: str) -> str:
    """Jobs that ran beside each other end in any order: lines of ended jobs that stand together, in one order."""
    lines = text.split("\n")
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and DONE.match(lines[end]):
            end += 1
        lines[start:end] = sorted(lines[start:end], key=_rank)
        start = max(end, start + 1)
    return "\n".join(lines)


def _rank(line: str) -> int:
    found = DONE.match(line)
    assert found is not None
    return JOBS.index(found[1])


def aligned(text: str) -> str:
    """A table whose cells stand two or more spaces apart, with the columns as wide as what is in them now."""
    table, blank, rest = text.partition("\n\n")
    rows = [re.split(r" {2,}", line.strip()) for line in table.split("\n")]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    padded = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(padded) + blank + rest


@dataclass
class Studio:
    """The command line on a project, and the album that its screens go to."""

    root: Path
    environment: dict[str, str] = field(repr=False)
    album: Album

    def run(self, *args: str) -> Result:
        """Call the command line without keeping what it shows."""
        return Cli(self.root, self.environment, Unicode)(*args)

    def shoot(self, name: str, *args: str, code: int = 0, table: bool = False) -> None:
        """Call the command line and keep all that it writes, as it stands on a terminal; `code` is how it must end."""
        shown = Unicode()
        result = Cli(self.root, self.environment, lambda: shown)(*args)
        assert result.code == code, shown.getvalue()
        text = self.album.settled(shown.getvalue())
        self.keep(name, args, aligned(text) if table else text, code)

    def keep(self, name: str, args: tuple[str, ...], text: str, code: int = 0) -> None:
        """Keep what a call showed."""
        said = " ".join(f'"{word}"' if " " in word else word for word in args)
        ended = f"exit {code}\n" if code else ""
        self.album.keep(f"{name}.txt", f"$ avatar-gitops {said}\n{text}{ended}")

    def git(self, message: str) -> None:
        """Commit all of the project; its commits are named in every screen from now on."""
        who = ["-c", "user.name=a.martin", "-c", "user.email=a.martin@example.org", "-c", "commit.gpgsign=false"]
        for arguments in (
            ["init", "-q", "-b", "main"],
            ["add", "-A"],
            ["commit", "-q", "--allow-empty", "-m", message],
        ):
            subprocess.run(["git", *who, *arguments], cwd=self.root, check=True, capture_output=True)
        made = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()
        number = sum(value.startswith("<commit") for value in self.album.named.values()) // 3 + 1
        for length in (40, 8, 7):
            self.album.named[made[:length]] = f"<commit {number}>"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """That of a terminal without colours that finds the program; nothing of a pipeline that runs the tests."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "GITLAB", "CI", "AVATAR"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "NO_COLOR": "1", "COLUMNS": "100", "TERM": "xterm", **more}
