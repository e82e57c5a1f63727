"""Sets that somebody made by other means become ours: compared, listed in the project file, published as they are."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from avatar_gitops.spec import emit
from tests.support.flow import FIVE, Cli, Platform, people

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


def elsewhere(cli: Cli, platform: Platform, name: str, *, marked: bool, more: str = "") -> str:
    """A finished set that another project applied, or with the marks taken out as somebody else would have made it."""
    original = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    cli.project("other" + name[-8:])
    spec = cli.spec(name, k=12, more=more)
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


def test_the_holdout_of_a_new_spec_is_named_as_its_rows_are(
    cli: Cli, platform: Platform, unique: Unique, golden: Golden
) -> None:
    name = unique("held")
    controls = cli.root / "data" / "controls.csv"
    controls.write_text(people(40, seed=2), encoding="utf-8")
    set_id = elsewhere(cli, platform, name, marked=False, more="      holdout: data/controls.csv\n")
    (cli.root / "kept").mkdir()
    kept = controls.rename(cli.root / "kept" / "after-may.csv")
    project = (cli.root / "avatar-gitops.yaml").read_bytes()
    said = ["adopt", name, "--source", "people=data/people.csv"]

    screens = [(call, cli(*call)) for call in (["adopt", "--help"], said, [*said, "--holdout", "people"])]
    screens += [
        ((call := [*said, "--holdout", f"{table}=kept/after-may.csv"]), cli(*call)) for table in ("x", "people")
    ]
    assert [screen.code for _, screen in screens] == [0, 64, 64, 64, 0], [screen.text for _, screen in screens]
    spec = cli.root / "configs" / f"{name}.yaml"
    assert "holdout: kept/after-may.csv" in spec.read_text(encoding="utf-8")
    assert f"=  {name}" in cli("plan").out

    listed = (cli.root / "avatar-gitops.yaml").read_bytes()
    (cli.root / "avatar-gitops.yaml").write_bytes(project)
    screens.append((screens[-1][0], cli(*screens[-1][0])))
    assert screens[-1][1].code == 64
    assert (cli.root / "avatar-gitops.yaml").read_bytes() == project != listed
    text = "\n".join(f"$ avatar-gitops {' '.join(call)}\n{screen.text}" for call, screen in screens)
    text = re.sub(r"people_holdout-[0-9a-f]{16}", "people_holdout-5fd1ab2c0d9e8f37", text)
    golden("cli/adopt-holdout.txt", text.replace(name, "held").replace(set_id, "1b4e28ba-2fa1-11d2-883f-0016d3cca427"))
    assert kept.is_file()


def test_a_file_that_the_set_does_not_have_is_refused(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("unheld")
    elsewhere(cli, platform, name, marked=False)
    refused = cli("adopt", name, "--source", "people=data/people.csv", "--holdout", "people=data/people.csv")
    assert refused.code == 64
    assert "table `people` has no holdout in what is imported" in refused.err
    assert not (cli.root / "configs" / f"{name}.yaml").exists()


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
