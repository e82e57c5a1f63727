"""`serve` on a terminal: what it says when it answers, and when others can reach it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path


def test_a_server_that_others_can_reach_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "avatar_gitops", "serve", "--host", "0.0.0.0", "--port", "0"]
    with subprocess.Popen(
        [*command, "--state-dir", str(tmp_path / "state")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("Next:"):
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    said = "".join(lines)
    assert "Serving http://127.0.0.1:" in said
    assert "Others on the network can reach it" in said
    assert "octopize_apikey" not in said
