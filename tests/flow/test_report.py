"""`avatar-gitops report`: documents again from what a run left, signatures bound to statements, what changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import docx
import pytest
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from avatar_gitops.assessment.catalogue import canonical_name, default_target, in_catalogue, written_value
from avatar_gitops.assessment.metric_texts import metric_label
from tests.support.flow import Cli

SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: people}
spec:
  seed: 7
  tables:
    people:
      source: data/people.csv
      avatarization: {k: 5}
  gates: {hidden_rate: ">= 1"}
  pia: {purpose: Teaching, data_recipient: internal, language: fr}
"""


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def published(cli: Cli) -> Cli:
    """A project with one published set, committed with its artifacts, whose owner must sign."""
    (cli.root / "configs").mkdir()
    (cli.root / "configs" / "people.yaml").write_text(SPEC, encoding="utf-8")
    cli.project("signed", more=", reports: {signers: [dpo]}")
    git(cli.root, "init", "-q")
    git(cli.root, "config", "user.email", "dpo@example.org")
    git(cli.root, "config", "user.name", "The officer")
    assert cli("apply", "--yes").code == 0
    git(cli.root, "add", "-A", "-f", "configs", "out")
    git(cli.root, "commit", "-qm", "Publish")
    return cli


def test_a_published_run_is_rendered_signed_and_compared(published: Cli) -> None:
    cli, out = published, published.root / "out" / "people"
    by_server = docx.Document(str(out / "server" / "report_pia.docx"))
    assert "Teaching" in {cell.text for table in by_server.tables for cell in table._cells}
    for extension in ("pdf", "docx"):
        assert cli("report", "people", "--format", extension, "--output", f"again.{extension}").code == 0
        assert (cli.root / f"again.{extension}").read_bytes()[:2] in {b"%P", b"PK"}
    assert cli("report", "people", "--kind", "technical", "--language", "en").code == 0
    assert (cli.root / "people.technical.pdf").read_bytes().startswith(b"%PDF")
    assert cli("report", "render", "people", "--format", "markdown").code == 0
    markdown = (cli.root / "people.pia.md").read_text(encoding="utf-8")
    assert "Statut\u00a0: **à signer**" in markdown
    assert "](people.pia/risk-matrix.svg)" in markdown
    drawn = (cli.root / "people.pia" / "risk-matrix.svg").read_bytes()
    assert drawn == (out / "pictures" / "risk-matrix.svg").read_bytes()

    assert json.loads(cli("report", "diff", "people", "--format", "json").out)["to_sign"] == ["dpo"]
    assert "To sign: people by dpo\n" in cli("status").out
    done = cli("report", "sign", "people", "--role", "dpo", "--note", "As agreed")
    assert (done.code, "Approved as dpo, in signoffs/people.yaml" in done.err) == (0, True)
    assert "Nobody has to sign" not in done.err
    told = cli("report", "diff", "people")
    assert "No statement differs.\nApproved by dpo (dpo@example.org), " in told.out
    cli("report", "people", "--format", "markdown")
    assert "Statut\u00a0: **signée**" in (cli.root / "people.pia.md").read_text(encoding="utf-8")

    spec = cli.root / "configs" / "people.yaml"
    spec.write_text(SPEC.replace("Teaching", "Research"), encoding="utf-8")
    told = cli("plan")
    assert "has an assessment signed by dpo (dpo@example.org)" in " ".join(told.out.split())
    assert cli("apply", "--yes").code == 0
    told = cli("report", "diff", "people", "--exit-code")
    assert told.code == 2
    assert "Context / Processing / Purpose\n  - Value: Teaching\n  + Value: Research" in told.out
    assert "To sign: dpo (dpo@example.org)." in told.out
    assert "To sign again: people by dpo (dpo@example.org)\n" in cli("status").out
    stated = json.loads(cli("status", "--format", "json").out)["signatures"]
    assert stated == {"people": {"state": "to sign again", "to_sign": ["dpo (dpo@example.org)"]}}
    assert "Refused as dpo" in cli("report", "sign", "people", "--role", "dpo", "--refuse").err
    cli("report", "people", "--format", "markdown")
    assert "Statut\u00a0: **refusée**" in (cli.root / "people.pia.md").read_text(encoding="utf-8")


def test_every_number_of_the_technical_report_is_one_of_metrics_json(published: Cli) -> None:
    cli = published
    cli("report", "people", "--kind", "technical", "--language", "en", "--format", "docx", "--output", "t.docx")
    word = docx.Document(str(cli.root / "t.docx"))
    told: dict[str, list[list[str]]] = {}
    heading = ""
    for part in word.element.body.iterchildren():
        if part.tag == qn("w:p"):
            paragraph = Paragraph(part, word)
            named = paragraph.style is not None and str(paragraph.style.name).startswith("Heading 2")
            heading = paragraph.text.partition(" ")[2] if named else heading
        elif part.tag == qn("w:tbl"):
            rows = [[cell.text for cell in row.cells] for row in Table(part, word).rows]
            if rows[0] == ["Table", "Value", "95% interval", "Target", "Finding"]:
                told[heading] = rows[1:]
    blocks = json.loads((cli.root / "out/people/metrics.json").read_text(encoding="utf-8"))["blocks"]
    known = {canonical_name(name): (value, block) for block in blocks for name, value in block["values"].items()}
    expected: dict[str, list[list[str]]] = {}
    for name, (value, block) in known.items():
        if in_catalogue(name) and value is not None:
            target = block["targets"].get(name) or default_target(name, "internal")
            ends = [written_value(name, end, "en", target) for end in block["intervals"].get(name, [])]
            expected[metric_label(name, "en")] = [
                ["people", written_value(name, value, "en", target), " – ".join(ends)]
            ]
    assert len(expected) > 15
    shown = {
        label: [row[:3] if row[2] not in {"–", "exact", "unknown"} else [*row[:2], ""] for row in rows]
        for label, rows in told.items()
    }
    assert shown == expected


def test_what_was_altered_or_is_not_there_is_refused(published: Cli) -> None:
    cli, out = published, published.root / "out" / "people"
    assert "did you mean `people`?" in cli("report", "peple").err
    assert "git does not know the commit `nowhere`" in cli("report", "diff", "people@nowhere", "people").err
    (cli.root / "own").mkdir()
    (cli.root / "own" / "pia.md.j2").write_text("\n{{ nothing }}\n")
    done = cli("report", "people", "--format", "markdown", "--templates", "own")
    assert (done.code, "own/pia.md.j2:2: 'nothing' is undefined" in done.err) == (1, True)
    (cli.root / "pia.md.j2").write_text('{% include "data/people.csv" %}')
    done = cli("report", "people", "--format", "markdown", "--templates", ".")
    assert (done.code, "the folder of templates holds the whole project" in done.err) == (1, True)
    people = (cli.root / "data" / "people.csv").read_text(encoding="utf-8")
    for name, text in (
        ("pia.md.j2", '{% include "../data/people.csv" %}{% include "link.j2" %}'),
        ("pia.typ", '#panic(read("../data/people.csv"), read("link.svg"))'),
        ("pia.docx", ""),
    ):
        for link in ("link.j2", "link.svg", "pia.docx"):
            (cli.root / "own" / link).unlink(missing_ok=True)
            (cli.root / "own" / link).symlink_to("../data/people.csv")
        if text:
            (cli.root / "own" / name).write_text(text)
        form = {"j2": "markdown", "typ": "pdf", "docx": "docx"}[name.rpartition(".")[2]]
        done = cli("report", "people", "--format", form, "--templates", "own")
        assert (done.code, f"own/{name}" in done.err) == (1, True)
        assert not [line for line in people.splitlines() if line in done.out + done.err]
    facts = out / "report-facts.json"
    facts.write_text(facts.read_text(encoding="utf-8").replace("Teaching", "Anything"), encoding="utf-8")
    done = cli("report", "people")
    assert (done.code, "is not what the lock file says was published" in done.err) == (1, True)
    (out / "pia.json").unlink()
    done = cli("report", "sign", "people", "--role", "dpo")
    assert "out/people/pia.json is not here" in done.err
    assert not (cli.root / "signoffs").exists()


def test_a_role_that_nobody_asked_for_is_told_so(published: Cli) -> None:
    done = published("report", "sign", "people", "--role", "intern")
    assert (done.code, "Nobody has to sign as intern; the roles that have to: dpo" in done.err) == (0, True)
    assert "To sign: people by dpo" in published("status").out


def test_avatars_from_elsewhere_in_another_order_do_not_look_protected(cli: Cli) -> None:
    head, *rows = (cli.root / "data" / "people.csv").read_text(encoding="utf-8").splitlines()
    middle = len(rows) // 2
    (cli.root / "data" / "avatars.csv").write_text("\n".join([head, *rows[middle:], *rows[:middle]]) + "\n")
    (cli.root / "configs").mkdir()
    spec = SPEC.replace("avatarization: {k: 5}", "avatars: data/avatars.csv").replace("language: fr", "language: en")
    spec = spec.replace("{name: people}", "{name: elsewhere}")
    (cli.root / "configs" / "people.yaml").write_text(spec, encoding="utf-8")
    assert cli("apply", "--yes").code == 0
    out = cli.root / "out" / "elsewhere"
    values = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["blocks"][0]["values"]
    assert values["hidden_rate"] > 90
    assessed = (out / "pia.md").read_text(encoding="utf-8")
    assert "these hold only if row i of the avatars belongs to row i of the originals" in assessed
    assert "| Singling out | 3 |" in assessed or "| Singling out | 4 |" in assessed
    summary = (out / "summary.md").read_text(encoding="utf-8")
    assert "hold only if row i of the avatars belongs to row i of the originals, which nobody has checked" in summary
