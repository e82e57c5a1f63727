"""Each refusal names what overrides it; the override works, and it stands in the audit log with the refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.flow import Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
Args = tuple[str, ...]
QUICK = "  jobs: [standard]\n"
HEAD = "apiVersion: avatar-gitops/v1\n"
UNMEASURED = "[P020, P021, P022, P023, P040]"  # these scenes run nothing but the job `standard`


@dataclass(frozen=True)
class Scene:
    """What is refused, what the refusal says about its override, and the call that uses it.

    `recorded` is what the audit log has to hold: overrides, approvals or waivers. `kept` = it is no refusal: the set
    just stays as it is.
    """

    call: Args
    exit_code: int
    code: str
    says: str
    allowed: Args
    recorded: dict[str, Any]
    prepare: Callable[[], object] = lambda: None
    kept: bool = False


def project(cli: Cli, more: str) -> None:
    text = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    cli.project(text.split("name: ")[1].split("}")[0], more=more)


def applied(cli: Cli, *names: str, more: str = "") -> None:
    for name in names:
        cli.spec(name, k=12, more=QUICK + more)
    done = cli("apply", "--yes")
    assert done.code == 0, done.text


def override(option: str, value: str = "", reason: str = "") -> dict[str, Any]:
    return {"overrides": [{"option": option, "value": value, "reason": reason}]}


def too_many_relaunches(cli: Cli, name: str) -> Scene:
    project(cli, ", thresholds: {min_sets: 1, max_relaunch_percent: 0}")
    applied(cli, name)
    cli.spec(name, k=15, more=QUICK)
    return Scene(
        ("apply", "--yes"),
        5,
        "R005",
        '--force "why"',
        ("apply", "--yes", "--force", "new data rules"),
        override("--force", reason="new data rules"),
    )


def too_many_deletes(cli: Cli, name: str) -> Scene:
    project(cli, ", prune: owned, thresholds: {min_sets: 1, max_delete_percent: 0}")
    applied(cli, name, name + "-2")
    (cli.root / "configs" / f"{name}.yaml").unlink()
    allowed = ("apply", "--yes", "--allow-delete", name)
    return Scene(("apply", "--yes"), 5, "R005", "--allow-delete NAME", allowed, override("--allow-delete", name))


def everything_is_gone(cli: Cli, name: str) -> Scene:
    project(cli, ", prune: owned")
    applied(cli, name)
    (cli.root / "configs" / f"{name}.yaml").unlink()
    allowed = ("apply", "--yes", "--allow-delete", name)
    return Scene(("apply", "--yes"), 5, "R007", f"--allow-delete {name}", allowed, override("--allow-delete", name))


def somebody_else_made_it(cli: Cli, name: str) -> Scene:
    own = (cli.root / "avatar-gitops.yaml").read_text(encoding="utf-8")
    cli.project("other" + name[-8:])
    applied(cli, name)
    (cli.root / "configs" / f"{name}.lock.yaml").unlink()
    (cli.root / "avatar-gitops.yaml").write_text(own, encoding="utf-8")
    allowed = ("adopt", name, "--take-over", "they closed")
    return Scene(
        ("apply", "--yes"),
        5,
        "R003",
        f"avatar-gitops adopt {name}",
        allowed,
        override("--take-over", name, "they closed"),
    )


def another_project_owns_it(cli: Cli, name: str) -> Scene:
    scene = somebody_else_made_it(cli, name)
    return Scene(("adopt", name), 5, "R004", '--take-over "why"', scene.allowed, scene.recorded)


def plan_is_stale(cli: Cli, name: str) -> Scene:
    for each in (name, name + "-2"):
        cli.spec(each, more=QUICK)
    assert cli("plan", "--out", "json:plan.json").code == 0
    cli.spec(name + "-2", k=5, more=QUICK)
    says = "apply plan.json --yes --only-equal"
    allowed = ("apply", "plan.json", "--yes", "--only-equal")
    return Scene(("apply", "plan.json", "--yes"), 6, "R006", says, allowed, override("--only-equal", "plan.json"))


def protected_from_running(cli: Cli, name: str) -> Scene:
    applied(cli, name, more="  lifecycle: {protect: true}\n")
    cli.spec(name, k=15, more=QUICK + "  lifecycle: {protect: true}\n")
    says = f"--allow-relaunch {name}"
    allowed = ("apply", "--yes", "--allow-relaunch", name)
    return Scene(("plan",), 0, "", says, allowed, override("--allow-relaunch", name), kept=True)


def protected_from_deleting(cli: Cli, name: str) -> Scene:
    project(cli, ", prune: owned")
    applied(cli, name, name + "-2", more="  lifecycle: {protect: true}\n")
    (cli.root / "configs" / f"{name}.yaml").unlink()
    says = f"--allow-delete {name}"
    allowed = ("apply", "--yes", "--allow-delete", name)
    return Scene(("plan",), 0, "", says, allowed, override("--allow-delete", name), kept=True)


def policy(cli: Cli, text: str, waivers: str = "  []") -> None:
    folder = cli.root / "policies"
    folder.mkdir(exist_ok=True)
    (folder / "policy.yaml").write_text(f"{HEAD}kind: Policy\n{text}", encoding="utf-8")
    (folder / "waivers.yaml").write_text(f"{HEAD}kind: Waivers\nwaivers:\n{waivers}\n", encoding="utf-8")


def weaker_without_approval(cli: Cli, name: str) -> Scene:
    applied(cli, name)
    policy(cli, f"disabled: {UNMEASURED}\nrequired_approvers: [dpo]\n")
    cli.spec(name, k=10, more=QUICK)
    allowed = ("apply", "--yes", "--approved-by", "dpo")
    return Scene(("apply", "--yes"), 4, "P031", "--approved-by", allowed, {"approvals": ["dpo"]})


def rule_fails(cli: Cli, name: str) -> Scene:
    cli.spec(name, k=3, more=QUICK)
    policy(cli, f"disabled: {UNMEASURED}\n")
    today = datetime.now(UTC).date()
    expires = (today + timedelta(days=30)).isoformat()
    given = (
        f"  - {{rule: P010, sets: ['{name}'], owner: dpo, reason: Pilot,"
        f" granted: {today.isoformat()}, expires: {expires}}}"
    )
    waived = {"rule": "P010", "set": name, "owner": "dpo", "reason": "Pilot", "expires": expires}
    return Scene(
        ("apply", "--yes"),
        4,
        "P010",
        "policies/waivers.yaml",
        ("apply", "--yes"),
        {"waivers": [waived]},
        prepare=lambda: policy(cli, f"disabled: {UNMEASURED}\n", given),
    )


SCENES: list[Callable[[Cli, str], Scene]] = [
    too_many_relaunches,
    too_many_deletes,
    everything_is_gone,
    somebody_else_made_it,
    another_project_owns_it,
    plan_is_stale,
    protected_from_running,
    protected_from_deleting,
    weaker_without_approval,
    rule_fails,
]


def audit(cli: Cli) -> list[dict[str, Any]]:
    shown = cli("audit", "log", "--format", "json")
    assert shown.code == 0, shown.text
    entries: list[dict[str, Any]] = json.loads(shown.out)["entries"]
    return entries


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_refusal_names_its_override_which_is_used_and_recorded(
    scene: Callable[[Cli, str], Scene], cli: Cli, platform: Platform, unique: Unique
) -> None:
    made = scene(cli, unique("set"))
    before = len(audit(cli))
    refused = cli(*made.call)
    assert refused.code == made.exit_code, refused.text
    assert made.says in refused.text
    entries = audit(cli)[before:]
    if made.kept:
        assert entries == []
    else:
        assert f"error[{made.code}]" in refused.err
        assert [(entry["phase"], entry["refusal"]) for entry in entries] == [("refused", made.code)]

    made.prepare()
    done = cli(*made.allowed)
    assert done.code == 0, done.text
    added = audit(cli)[before + len(entries) :]
    assert {entry["command"] for entry in added} == {made.allowed[0]}
    for name, value in made.recorded.items():
        assert added[0][name] == value
    assert added[-1]["phase"] == "ended"
    shown = cli("audit", "log").out
    assert all(str(part) in shown for value in made.recorded.values() for item in value for part in words(item))


def words(item: Any) -> list[str]:
    return [value for value in item.values() if value] if isinstance(item, dict) else [item]


def test_what_stops_a_retry_is_overridden_by_the_same_options(cli: Cli, unique: Unique) -> None:
    name = unique("again")
    project(cli, ", thresholds: {min_sets: 1, max_relaunch_percent: 0}")
    applied(cli, name)
    broken = "      columns: {city: {type: int}}\n" + QUICK  # text where a number is declared: the job fails
    cli.spec(name, k=15, more=broken)
    assert cli("apply", "--yes", "--force", "try").code == 1
    refused = cli("retry", "--yes")
    assert refused.code == 5, refused.text
    assert "--allow-relaunch NAME" in refused.err
    assert cli("retry", "--yes", "--allow-relaunch", name).code == 1
    entries = [(entry["command"], entry["phase"], len(entry["overrides"])) for entry in audit(cli)[2:]]
    assert entries == [
        ("apply", "begun", 1),
        ("apply", "ended", 1),
        ("retry", "refused", 0),
        ("retry", "begun", 1),
        ("retry", "ended", 1),
    ]


def test_nothing_is_applied_without_a_record(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("unheard")
    cli.spec(name, more=QUICK)
    (cli.root / "audit").write_text("in the way")
    refused = cli("apply", "--yes")
    assert refused.code == 1
    assert "error: the audit log in audit/ cannot be written: Not a directory" in refused.err
    assert platform.jobs(name) == []
