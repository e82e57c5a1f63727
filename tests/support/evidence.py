"""A project with complete evidence: signed, approved, with a waiver and a deleted set; and what forgers do to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from avatar_gitops.app.verifying import Verification
from avatar_gitops.audit import dsse, layout
from avatar_gitops.audit.entry import line_bytes, line_digest
from avatar_gitops.audit.keys import SigningKey, new_key, public_key
from avatar_gitops.audit.statement import sha256
from tests.conftest import GOLDEN
from tests.support.flow import Cli, Platform, people

Files = dict[str, bytes]
CANARY = "zqcanary"
KEPT, GONE = "ev-kept", "ev-gone"
OUT = f"project/out/{KEPT}"
BUNDLE = GOLDEN / "evidence" / "bundle.zip"
KEY = public_key((GOLDEN / "evidence" / "release.pub").read_bytes())
TRUSTED = {KEY: "release"}
SIGNING = ", signing: {{key: env/EVIDENCE_KEY, trusted: [{{name: release, key: '{key}'}}]}}, prune: owned"
POLICY = """\
apiVersion: avatar-gitops/v1
kind: Policy
required_approvers: [dpo]
approvers: {dpo: [d.lead, e.vice]}
"""
WAIVERS = """\
apiVersion: avatar-gitops/v1
kind: Waivers
waivers:
  - {rule: P010, sets: [ev-kept], owner: e.vice, reason: Pilot on site, granted: {{granted}}, expires: {{expires}}}
"""
MORE = """\
      columns: {note: {drop: true, tag: identifier}}
  jobs: [standard, privacy_metrics]
  gates: {hidden_rate: ">= 1"}
"""


def named(found: Verification) -> set[str]:
    """Files that the findings name."""
    return {one.file for one in found.findings}


def table() -> str:
    """People of whom one column is made of strings that stand nowhere else."""
    lines = people().splitlines()
    return "\n".join([lines[0] + ",note", *(f"{line},{CANARY}{n:03d}x" for n, line in enumerate(lines[1:]))]) + "\n"


def evidenced(root: Path, platform: Platform, name: str) -> tuple[Cli, SigningKey]:
    """Apply a project with a set that is made weaker with approval, and one that is deleted again."""
    key = new_key()
    environment = {
        **os.environ,
        "AVATAR_BASE_URL": platform.base_url,
        "AVATAR_API_KEY": platform.api_key,
        "EVIDENCE_KEY": key.pem().decode(),
        "LOGNAME": "anna",
        "NO_COLOR": "1",
    }
    cli = Cli(root, environment)
    (root / "data").mkdir(parents=True)
    (root / "data" / "people.csv").write_text(table(), encoding="utf-8")
    cli.project(name, SIGNING.format(key=key.public))
    (root / "policies").mkdir()
    (root / "policies" / "policy.yaml").write_text(POLICY, encoding="utf-8")
    today = datetime.now(UTC).date()
    days = {"{{granted}}": today - timedelta(days=30), "{{expires}}": today + timedelta(days=30)}
    waivers = WAIVERS
    for mark, day in days.items():
        waivers = waivers.replace(mark, day.isoformat())
    (root / "policies" / "waivers.yaml").write_text(waivers, encoding="utf-8")
    owned(cli.spec(KEPT, k=15, more=MORE))
    gone = cli.spec(GONE, k=15, more=MORE)
    owned(gone)
    well(cli("apply", "--yes", "--author", "anna"))
    owned(cli.spec(KEPT, k=3, more=MORE))
    approved = "d.lead@2026-01-02T03:04:05Z"
    well(cli("apply", "--yes", "--select", KEPT, "--author", "anna", "--approved-by", approved))
    well(cli("report", "sign", KEPT, "--role", "dpo", "--person", "d.lead"))
    gone.unlink()
    well(cli("apply", "--yes", "--allow-delete", GONE, "--author", "anna", "--force", "the site closes"))
    return cli, key


def owned(path: Path) -> None:
    path.write_text(path.read_text().replace("metadata:\n", "metadata:\n  owner: data@example.org\n"))


def well(result: Any) -> None:
    assert result.code == 0, result.text


def read(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edited(content: bytes, change: Callable[[Any], None]) -> bytes:
    """A JSON document with a field changed, written as it was."""
    said = json.loads(content)
    change(said)
    return (json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def relisted(files: Mapping[str, bytes], key: SigningKey | None = None) -> Files:
    """What a knowing forger makes of changed files: all digests again; signed only where the forger has a key."""
    made = {name: content for name, content in files.items() if name not in layout.ABOUT_ALL}
    crate = json.loads(made[layout.CRATE])
    here = {*made, layout.MANIFEST, *({layout.MANIFEST_ENVELOPE} & files.keys())}
    crate["@graph"] = [item for item in crate["@graph"] if item["@type"] != "File" or item["name"] in here]
    for entity in crate["@graph"]:
        for word in {"hasPart", "result"} & entity.keys():
            entity[word] = [part for part in entity[word] if part["@id"] in here]
        name = entity.get("name")
        if entity["@type"] == "File" and "sha256" in entity and name in made:
            entity |= {"contentSize": str(len(made[name])), "sha256": sha256(made[name]).removeprefix("sha256:")}
    made[layout.CRATE] = (json.dumps(crate, indent=2, ensure_ascii=False) + "\n").encode()
    made[layout.SUMS] = layout.sums(made)

    def recount(statement: Any) -> None:
        statement["subject"] = [
            {"name": name, "digest": {"sha256": sha256(made[name]).removeprefix("sha256:")}} for name in sorted(made)
        ]

    made[layout.MANIFEST] = edited(files[layout.MANIFEST], recount)
    if key is not None:
        made[layout.MANIFEST_ENVELOPE] = dsse.sealed(made[layout.MANIFEST], key)
    elif layout.MANIFEST_ENVELOPE in files:
        made[layout.MANIFEST_ENVELOPE] = files[layout.MANIFEST_ENVELOPE]
    return made


def rechained(files: Mapping[str, bytes], change: Callable[[list[dict[str, Any]]], None]) -> Files:
    """The audit log with lines changed by a forger who computes its digests again, and its head."""
    made = dict(files)
    place = next(name for name in made if name.startswith("project/audit/") and name.endswith(".jsonl"))
    lines = [json.loads(line) for line in made[place].splitlines()]
    change(lines)
    before = ""
    for number, line in enumerate(lines, start=1):
        line |= {"seq": number, "prev": before}
        line["digest"] = before = line_digest(line)
    made[place] = b"".join(map(line_bytes, lines))
    made["project/audit/head.json"] = line_bytes({"seq": len(lines), "digest": before})
    return made
