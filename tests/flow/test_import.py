"""Specs from the platform's YAML: a downloaded file, and sets that somebody made by other means."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.support.flow import Cli, Platform

UNKNOWN = "      owner: the ward\n"
Unique = Callable[[str], str]
Golden = Callable[[str, str], None]

WEB = """\
# downloaded in November
kind: AvatarSchema
metadata: {name: schema}
spec:
  tables:
    - name: people
      data: {volume: input, file: people.csv}  # from the ward
      owner: the ward
---
kind: AvatarSchema
metadata: {name: schema_avatarized}
spec:
  tables: [{name: people, avatars_data: {auto: true}}]
  schema_ref: schema
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  schema: schema
  avatarization:
    people:
      # agreed with the ethics board
      k: 30  # not less
      column_weights:
        age: 3
      imputation: {method: mean, k: null, training_fraction: null}
  results: {volume: output, path: standard}
"""


def test_a_downloaded_file_becomes_a_spec_that_plans(cli: Cli, golden: Golden) -> None:
    (cli.root / "web.yaml").write_text(WEB, encoding="utf-8")
    shown = cli("import", "web.yaml", "--name", "ward", "--stdout")
    assert shown.code == 0, shown.text
    assert not (cli.root / "configs").exists()

    made = cli("import", "web.yaml", "--name", "ward")
    assert made.code == 0, made.text
    written = (cli.root / "configs" / "ward.yaml").read_text(encoding="utf-8")
    assert shown.out == written
    golden("cli/import.txt", f"{made.out}\n--- standard error\n{made.err}\n--- configs/ward.yaml\n{written}")

    assert cli("fmt", "--check").code == 0
    assert "+  ward" in cli("plan").out
    again = cli("import", "web.yaml", "--name", "ward")
    assert again.code == 64
    assert (cli.root / "configs" / "ward.yaml").read_text(encoding="utf-8") == written


def test_a_table_whose_file_is_not_here_has_to_be_named(cli: Cli) -> None:
    (cli.root / "web.yaml").write_text(WEB.replace("people.csv", "ward.csv"), encoding="utf-8")
    asked = cli("import", "web.yaml")
    assert asked.code == 64
    assert "on the platform it is called ward.csv" in asked.err and "--source people=PATH" in asked.err
    told = cli("import", "web.yaml", "--source", "people=data/people.csv", "--to", "configs/a/b.yaml")
    assert told.code == 0, told.text
    assert "source: data/people.csv" in (cli.root / "configs" / "a" / "b.yaml").read_text(encoding="utf-8")
    assert "there is no table `x`" in cli("import", "web.yaml", "--name", "w", "--source", "x=y").err
    assert cli("import", "web.yaml", "--source", "people").code == 64
    assert cli("import", "web.yaml", "--to", "../x.yaml").code == 64


def test_findings_point_into_the_file(cli: Cli) -> None:
    (cli.root / "web.yaml").write_text(WEB.replace("k: 30", "k: 1"), encoding="utf-8")
    refused = cli("import", "web.yaml")
    assert refused.code == 3
    assert "web.yaml:23:10" in refused.err
    (cli.root / "web.yaml").write_text("a: &a [*a]\n", encoding="utf-8")
    assert cli("import", "web.yaml").code == 3


def test_a_set_on_the_server_becomes_a_spec(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("wanted")
    spec = cli.spec(name, k=12, more="  pia: {data_type: health, language: fr}\n")
    assert cli("apply", "--yes").code == 0
    before = platform.jobs(name)
    spec.unlink()
    made = cli("import", name)
    assert made.code == 0, made.text
    text = (cli.root / "configs" / f"{name}.yaml").read_text(encoding="utf-8")
    assert re.search(r"imported from set wanted-\w+ \([0-9a-f-]{36}\) on env", text)
    assert "k: 12" in text and "language: fr" in text and "source: data/people.csv" in text
    assert "jobs" not in text and "not recovered" not in text
    assert "No changes" in cli("plan").out
    assert platform.jobs(name) == before


def test_several_sets_of_one_name_are_listed(cli: Cli, platform: Platform, unique: Unique, tmp_path: Path) -> None:
    name = unique("twice")
    text = cli.spec(name).read_text(encoding="utf-8")
    first = platform.put(name, WEB.replace(UNKNOWN, ""))
    second = platform.put(name, WEB.replace(UNKNOWN, "").replace("k: 30", "k: 9"))
    (cli.root / "configs" / f"{name}.yaml").unlink()
    asked = cli("import", name)
    assert asked.code == 64
    assert first in asked.err and second in asked.err and "--id" in asked.err
    chosen = cli("import", name, "--id", first, "--stdout")
    assert chosen.code == 0, chosen.text
    assert "k: 30" in chosen.out and text
    assert cli("import", second, "--stdout").out.count("k: 9") == 1
    missing = cli("import", unique("nobody"))
    assert missing.code == 64
    assert "there is no set" in missing.err
