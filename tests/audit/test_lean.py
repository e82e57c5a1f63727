"""A bundle is checked where nothing but the lean core is installed, without any network."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import GOLDEN

ROOT = Path(__file__).parents[2]
STORED = GOLDEN / "evidence"
OFFLINE = """\
import sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"}:
        raise RuntimeError("the network was used")

sys.addaudithook(refuse)
from avatar_gitops.cli.main import run
code = run(sys.argv[1:])
heavy = {"numpy", "pandas", "pyarrow", "scipy", "fastapi", "sqlalchemy"} & sys.modules.keys()
sys.exit(code if not heavy else 70)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_lean_core_alone_verifies_a_bundle_offline(tmp_path: Path) -> None:
    folder = tmp_path / "lean"
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    fixed = ["--constraint", str(ROOT / ".ci" / "constraints.txt"), str(ROOT)]
    subprocess.run([python, *install, *fixed], check=True, capture_output=True)
    listed = subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert not {"numpy", "pandas", "pyarrow", "fastapi"} & {line.split()[0] for line in listed.splitlines()}

    def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
        call = [python, "-c", OFFLINE, "audit", "verify", *arguments]
        return subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)

    trusted = ("--trust-key", str(STORED / "release.pub"))
    clean = verify(str(STORED / "bundle.zip"), *trusted)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "Verified offline." in clean.stdout
    content = bytearray((STORED / "bundle.zip").read_bytes())
    content[content.index(b'"seed": 7')] ^= 0x01
    (tmp_path / "forged.zip").write_bytes(content)
    assert verify("forged.zip", *trusted).returncode == 1


def test_verifying_loads_no_heavy_library() -> None:
    call = [sys.executable, "-c", OFFLINE, "audit", "verify", str(STORED / "bundle.zip"), "--allow-unsigned"]
    assert subprocess.run(call, cwd=STORED, capture_output=True, check=False).returncode == 0
