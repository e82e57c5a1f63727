"""What a bundle says of how to check it by hand works: sha256sum, jq and openssl, without avatar-gitops."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import GOLDEN

STORED = GOLDEN / "evidence"


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    with zipfile.ZipFile(STORED / "bundle.zip") as found:
        found.extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


def commands(folder: Path) -> list[str]:
    """The commands of HOW-TO-CHECK.md, with the set and the key of this bundle; the one that writes the key first."""
    text = (folder / "HOW-TO-CHECK.md").read_text(encoding="utf-8")
    key = (STORED / "release.pub").read_text().strip().removeprefix("ed25519:")
    lines = [line.strip() for line in text.splitlines() if line.startswith("       ")]
    for mark, value in {"SET": "ev-kept", "100HEX": f"100{key}", "PUBLIC_KEY.pem": "../key.pem"}.items():
        lines = [line.replace(mark, value) for line in lines]
    return sorted(lines, key=lambda line: "xxd" not in line)


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("bash")
    assert program is not None
    return subprocess.run(
        [program, "-euo", "pipefail", "-c", script.replace("/tmp/", f"{folder.parent}/")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_every_command_of_the_guide_works_in_its_order(unpacked: Path) -> None:
    said = [(line, run(unpacked, line)) for line in commands(unpacked)]
    assert [(line, done.stderr) for line, done in said if done.returncode != 0] == []
    outputs = [done.stdout for _, done in said]
    assert any("Signature Verified Successfully" in text for text in outputs)
    assert "SHA256SUMS\nmanifest.dsse.json\nmanifest.intoto.json\n" in outputs
    digests = [re.findall(r"[0-9a-f]{64}", text) for text in outputs]
    single = [found[0] for found in digests if len(found) == 1]
    assert len(single) == 4 and len(set(single)) == 2, "list and manifest, spec and statement say the same"
