"""No output of any command holds a value of the data: a table of unique strings goes through the whole flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import canary
from tests.support.flow import Cli, Platform

ROWS = 40
DELIVERED = "avatars"  # the anonymized tables themselves: their modalities come from the data by design
SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: canary
spec:
  seed: 3
  tables:
    birds:
      source: data/birds.csv
      columns:
        ring: {drop: true, tag: identifier}
        colour: {type: category}
      avatarization: {k: 5}
      privacy_metrics: {known_variables: [weight], target: colour}
  gates:
    hidden_rate: ">= 1"
"""


def canaries() -> list[str]:
    rings = [f"zqring{i:03d}x" for i in range(ROWS)]
    colours = [f"zqcolour{i}x" for i in range(4)]
    weights = [f"{771000 + 137 * i}.25" for i in range(ROWS)]
    return [*rings, *colours, *weights]


def birds() -> str:
    rows = (
        f"zqring{i:03d}x,zqcolour{i % 4}x,{771000 + 137 * i}.25,{880000 + 211 * (i * 7 % ROWS)}.75" for i in range(ROWS)
    )
    return "\n".join(["ring,colour,weight,wing", *rows]) + "\n"


@pytest.fixture
def flock(cli: Cli) -> Cli:
    (cli.root / "data" / "birds.csv").write_text(birds(), encoding="utf-8")
    path = cli.root / "configs" / "canary.yaml"
    path.parent.mkdir()
    path.write_text(SPEC, encoding="utf-8")
    cli.project("canaries")
    return cli


def written(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that commands wrote, but the data, the delivered avatars and the state of embedded servers."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        state = parts[:1] == (".avatar",) and parts[1:2] in {("server",), ("preview",)} and path.name != "server.log"
        if path.is_file() and parts[0] != "data" and DELIVERED not in parts and not state:
            yield path.relative_to(root).as_posix(), path.read_bytes()


def leaks(name: str, content: bytes) -> list[str]:
    return canary.leaks(name, content, canaries())


@pytest.mark.slow
def test_no_command_shows_or_writes_a_cell_value(flock: Cli, platform: Platform) -> None:
    calls = [
        ("validate",),
        ("plan",),
        ("plan", "--format", "json"),
        ("plan", "--format", "markdown"),
        ("plan", "--explain"),
        ("plan", "--offline"),
        ("plan", "--offline", "--format", "json"),
        ("plan", "--offline", "--format", "markdown"),
        ("ci", "plan", "--offline", "--dry-run"),
        ("preview", "--seeds", "2", "--out", "json:preview.json", "--out", "markdown:preview.md"),
        ("noise", "canary", "--seeds", "3"),
        ("apply", "--yes", "--events", "events.jsonl", "-v"),
        ("plan",),
        ("status",),
        ("status", "--format", "json"),
        ("show", "canary"),
        ("show", "canary", "--resolved"),
        ("show", "canary", "--resolved", "--origin", "--format", "json"),
        ("resume", "--yes"),
        ("report", "canary", "--output", "pia.pdf"),
        ("report", "canary", "--format", "docx", "--language", "fr", "--output", "pia.docx"),
        ("report", "canary", "--format", "markdown", "--output", "pia.md"),
        ("report", "canary", "--kind", "technical", "--output", "technical.pdf"),
        ("report", "canary", "--kind", "technical", "--format", "docx", "--output", "technical.docx"),
        ("report", "sign", "canary", "--role", "dpo", "--person", "dpo@example.org"),
        ("report", "diff", "canary", "out/canary"),
        ("doctor",),
        ("drift",),
        ("drift", "--format", "json"),
        ("drift", "--format", "github"),
        ("status", "--wide"),
        ("watch", "--once"),
        ("unlock", "--id", "nobody"),
        ("history",),
        ("audit", "log"),
        ("audit", "bundle", "--output", "evidence.zip"),
        ("audit", "verify", "evidence.zip", "--allow-unsigned"),
        ("audit", "verify", "evidence.zip", "--allow-unsigned", "--format", "json"),
        ("retry", "--yes"),
        ("fmt",),
        ("advise",),
        ("advise", "--format", "json"),
        ("import", "canary", "--stdout"),
        ("adopt", "canary"),
        ("policy", "list"),
        ("policy", "check"),
        ("policy", "check", "--format", "sarif"),
        ("policy", "ledger"),
        ("policy", "ledger", "--format", "json"),
        ("ci", "plan", "--dry-run"),
        ("schema",),
        ("explain", "S004"),
        ("init", "fresh"),
    ]
    found = []
    for call in calls:
        done = flock(*call)
        assert done.code == 0, (call, done.text)
        found += leaks(" ".join(call), done.text.encode())
    for name, content in written(flock.root):
        found += leaks(name, content)
    found += leaks("server.log", platform.log)
    assert found == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{drop: true, tag: identifier}", "{type: int}"),  # text where a number is declared
        ("{drop: true, tag: identifier}", "{type: datetime}"),
        ("{drop: true, tag: identifier}", "{type: category}"),  # all values unique
        pytest.param("{k: 5}", "{k: 39}", marks=pytest.mark.slow),
        pytest.param("target: colour", "target: wing", marks=pytest.mark.slow),
    ],
)
def test_no_failure_shows_or_writes_a_cell_value(flock: Cli, platform: Platform, before: str, after: str) -> None:
    path = flock.root / "configs" / "canary.yaml"
    spec = SPEC.replace(before, after).replace("name: canary", "name: flown")  # the other test's set is the only canary
    path.write_text(spec, encoding="utf-8")
    found = []
    for call in [("validate",), ("advise",), ("apply", "--yes"), ("status",), ("show", "flown"), ("plan",)]:
        found += leaks(" ".join(call), flock(*call).text.encode())
    for name, content in written(flock.root):
        found += leaks(name, content)
    found += leaks("server.log", platform.log)
    assert found == []
