"""Drift that everybody knows of, part of the sets, and the same findings for an issue, a program or a workflow."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.flow import Cli, Platform

Unique = Callable[[str], str]
IGNORE = """
  ignore_drift:
    - {{set: {name}, kind: {kind}, reason: retired machine, expires: "{day}", ticket: OPS-91}}
"""


@pytest.mark.slow
def test_known_drift_does_not_count_until_its_day_and_selected_sets_are_compared_alone(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    gone, calm = unique("gone"), unique("calm")
    for name in (gone, calm):
        cli.spec(name)
    project = (cli.root / "avatar-gitops.yaml").read_text().replace("{server: env}", "\n  server: env")
    assert cli("apply", "--yes").code == 0
    platform.delete(gone)

    def ignore(kind: str, day: str) -> None:
        text = project + IGNORE.format(name=gone, kind=kind, day=day)
        (cli.root / "avatar-gitops.yaml").write_text(text.replace("\n\n", "\n"))

    assert cli("drift").code == 2
    assert cli("drift", "--exclude", gone).code == 0
    assert cli("drift", "--select", gone[:-3] + "*").code == 2
    assert "cannot be used here" in cli("drift", "--select", "state:failed").err
    assert "matches no set" in cli("drift", "--select", "elsewhere").err
    github = cli("drift", "--format", "github")
    assert github.out.startswith(f"::warning file=configs/{gone}.yaml,title=drift missing::{gone}:")

    ignore("missing", "2099-01-01")
    known = cli("drift")
    assert known.code == 0, known.text
    assert f"Ignored: 1 ({gone} missing, until 2099-01-01, OPS-91)" in known.out
    document = json.loads(cli("drift", "--format", "json").out)
    assert (document["findings"], document["ignored"][0]["reason"]) == ([], "retired machine")

    ignore("missing", "2026-01-01")
    over = cli("drift")
    assert over.code == 2
    assert "ignored until 2026-01-01, expired " in over.out

    ignore("foreign", "2099-01-01")
    assert "Unused: ignore_drift has an entry" in cli("drift").out
    ignore("mising", "2099-01-01")
    wrong = cli("validate")
    assert wrong.code == 3
    assert "did you mean `missing`?" in wrong.text
    ignore("missing", "2026-02-31")
    assert "X075" in cli("validate").text
