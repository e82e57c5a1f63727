"""Advice through the command line: proposals, what is written into specs, and that nothing of it stays behind."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.flow import Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
Golden = Callable[[str, str], None]

SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: NAME}  # of the ward
spec:
  seed: 7
  tables:
    people:
      source: data/people.csv

      # agreed in May
      avatarization: {k: 30}  # not less
"""


def test_proposals_are_shown_then_written_without_touching_what_is_written(
    cli: Cli, platform: Platform, unique: Unique, golden: Golden
) -> None:
    name = unique("advised")
    spec = cli.spec(name)
    spec.write_text(SPEC.replace("NAME", name), encoding="utf-8")
    rows = (cli.root / "data" / "people.csv").read_text(encoding="utf-8").splitlines()
    table = [f"{row},{'' if number % 7 == 3 else number % 3}" for number, row in enumerate(rows)]
    table[0] = f"{rows[0]},visits"
    (cli.root / "data" / "people.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    before = cli("plan").out

    shown = cli("advise")
    assert shown.code == 0, shown.text
    assert spec.read_text(encoding="utf-8") == SPEC.replace("NAME", name)
    assert not any(city in shown.text for city in ("Lyon", "Nantes", "Paris"))
    assert platform.jobs(name) == []
    assert cli("plan").out == before

    written = cli("advise", name, "--write")
    assert written.code == 0, written.text
    text = spec.read_text(encoding="utf-8")
    golden(
        "cli/advise.txt", f"{shown.out}\n--- advise --write\n{written.out}\n--- the spec\n{text}".replace(name, "ward")
    )
    assert "avatarization: {k: 30, ncp: " in text and "}  # not less" in text and "# agreed in May" in text
    assert cli("fmt", "--check").code == 0
    assert cli("plan").code == 0

    left = json.loads(cli("advise", name, "--format", "json").out)["sets"][0]["proposals"]
    assert {one["field"]: one["privacy"] for one in left}["tables.people.avatarization.k"] == "weaker"
    assert all(one["now"] is not None for one in left)
    replaced = cli("advise", name, "--write", "--overwrite")
    assert replaced.code == 0, replaced.text
    assert "{k: 5, ncp: " in spec.read_text(encoding="utf-8")
    assert "Nothing to propose." in cli("advise", name).out


def test_a_set_that_is_not_there_and_options_that_do_not_fit_are_refused(cli: Cli, unique: Unique) -> None:
    name = unique("known")
    cli.spec(name)
    asked = cli("advise", name + "x")
    assert asked.code == 64
    assert f"did you mean `{name}`" in asked.err
    assert cli("advise", "--overwrite").code == 64


def test_a_server_that_gives_no_advice_says_why_and_keeps_nothing(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("wrong")
    cli.spec(name).write_text(
        SPEC.replace("NAME", name).replace("      # agreed", "      columns: {city: {type: int}}\n      # agreed"),
        encoding="utf-8",
    )
    refused = cli("advise", name)
    assert refused.code == 1
    assert f"gave no advice on {name}: Column 'city' should hold whole numbers" in refused.err
    assert platform.jobs(name) == []


def test_advice_that_somebody_else_asked_for_is_no_set(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("shared")
    cli.spec(name)
    schema = "kind: AvatarSchema\nmetadata: {name: schema}\nspec: {tables: [{name: t, data: {file: t.csv}}]}\n"
    advice = (
        "---\nkind: AvatarAdviceParameters\nmetadata: {name: advice_parameters}\n"
        "spec: {schema: schema, advice: {advisor_type: [parameters]}}\n"
    )
    platform.put(name, schema + advice, ["advice_parameters"])
    planned = cli("plan")
    assert planned.code == 0, planned.text
    assert f"+  {name}" in planned.out
    assert cli("import", name, "--stdout").code == 64
