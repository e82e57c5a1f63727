"""Sets that somebody made by other means become ours: compared, listed in the project file, published as they are."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from avatar_gitops.spec import emit
from tests.support.flow import FIVE, Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
Golden = Callable[[str, str], None]

ORDER = ["standard", "privacy_metrics", "signal_metrics", "report", "report_pia"]
PROJECT = """\
apiVersion: avatar-gitops/v1
kind: Project
metadata: {name: NAME}
spec:
  server: env  # the ward's
  # nothing below
"""


def elsewhere(cli: Cli, platform: Platform, name: str, *, marked: bool) -> str:
    """A finished set that another project applied, or with the marks taken out as somebody else would have made it."""
    original = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    cli.project("other" + name[-8:])
    spec = cli.spec(name, k=12)
    assert cli("apply", "--yes").code == 0
    set_id: str = platform.jobs(name)[0]["set_name"]
    spec.with_name(f"{name}.lock.yaml").unlink()
    spec.unlink()
    (cli.root / "avatar-gitops.yaml").write_text(original, encoding="utf-8")
    if marked:
        return set_id
    headers = {"Authorization": f"api-key-v1 {platform.api_key}"}
    documents = httpx.get(f"{platform.base_url}/api/resources/{set_id}", headers=headers, timeout=30).text
    platform.delete(name)
    made = platform.put(name, re.sub(r"(?m)^  avatar-gitops/.*\n", "", documents), ORDER)
    platform.wait(name)
    return made


def test_a_set_of_nobody_is_compared_listed_and_published(
    cli: Cli, platform: Platform, unique: Unique, golden: Golden
) -> None:
    name = unique("found")
    (cli.root / "avatar-gitops.yaml").write_text(PROJECT.replace("NAME", f"p-{name}"), encoding="utf-8")
    set_id = elsewhere(cli, platform, name, marked=False)
    cli.spec(name, k=10)
    refused = cli("plan")
    assert refused.code == 5
    assert f"avatar-gitops adopt {name}" in refused.err

    differs = cli("adopt", name)
    assert differs.code == 5, differs.text
    path = cli.root / "avatar-gitops.yaml"
    assert path.read_text(encoding="utf-8") == PROJECT.replace("NAME", f"p-{name}")

    cli.spec(name, k=12, more="  pia: {purpose: research}\n")
    agreed = cli("adopt", name)
    assert agreed.code == 0, agreed.text
    listed = f"  adopted:\n    - {emit.flow({'set': name, 'id': set_id})}\n  # nothing"
    written = PROJECT.replace("NAME", f"p-{name}").replace("  # nothing", listed)
    assert path.read_text(encoding="utf-8") == written
    text = f"{differs.text}\n--- after the spec was corrected\n{agreed.text}"
    golden("cli/adopt.txt", text.replace(name, "found").replace(set_id, "1b4e28ba-2fa1-11d2-883f-0016d3cca427"))

    assert f"=  {name}" in cli("plan").out
    before = {job["name"] for job in platform.jobs(name)}
    assert cli("apply", "--yes").code == 0
    assert {job["name"] for job in platform.jobs(name)} == before
    assert len(before) == len(FIVE)
    assert "No changes" in cli("plan").out
    assert "nothing to do" in cli("adopt", name).out


def test_a_set_without_spec_gets_one(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("fresh")
    adopted = cli("adopt", elsewhere(cli, platform, name, marked=False))
    assert adopted.code == 0, adopted.text
    assert "k: 12" in (cli.root / "configs" / f"{name}.yaml").read_text(encoding="utf-8")
    assert f"=  {name}" in cli("plan").out


def test_a_set_made_from_another_spec_runs_again_after_it_was_adopted(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name = unique("older")
    elsewhere(cli, platform, name, marked=False)
    cli.spec(name, k=10)
    adopted = cli("adopt", name, "--accept-differences")
    assert adopted.code == 0, adopted.text
    assert "differs: true" in (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    planned = cli("plan")
    assert planned.code == 0, planned.text
    assert re.search(rf"-/\+ +{name}", planned.out), planned.out


def test_a_set_of_another_project_is_taken_only_with_a_reason(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("owned")
    elsewhere(cli, platform, name, marked=True)
    cli.spec(name, k=12)
    refused = cli("adopt", name)
    assert refused.code == 5
    assert refused.err.startswith("error[R004]: set owned-") and "--take-over" in refused.err
    taken = cli("adopt", name, "--take-over", "the ward\nmoved")
    assert taken.code == 0, taken.text
    file = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    assert "take_over: true" in file
    assert ": the ward moved\n" in file
    recorded = "".join(path.read_text(encoding="utf-8") for path in (cli.root / "audit").glob("*.jsonl"))
    assert "R004" in recorded and "--take-over" in recorded and "the ward" in recorded
    assert f"=  {name}" in cli("plan").out
