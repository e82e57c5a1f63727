"""The policy as people and machines read it: what it says about a plan, the list of its rules, results of its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.policy.model import Finding, Level, PolicyReport, Rule, Waiver
from avatar_gitops.report.values import Style, count, plain, safe, to_ascii

WORDS: Final = {Level.FAIL: "FAIL", Level.WARN: "WARN", Level.INFO: "INFO"}
WAIVED: Final = "WAIV"
SIGNS: Final = {Level.FAIL: "⛔", Level.WARN: "⚠️", Level.INFO: "ℹ️"}
WIDEST: Final = 62
ASSUMED: Final = "no policy file, so the baseline only warns"


def verdict(report: PolicyReport) -> str:
    """`Policy: 8 passed, 1 warned, 1 waived, 1 failed.`; what is zero is left out, except what passed."""
    counts = report.counts
    parts = [f"{counts['passed']} passed"]
    parts += [f"{counts[name]} {name}" for name in ("info", "warned", "waived", "failed") if counts[name]]
    return f"Policy: {', '.join(parts)}" + (f" ({ASSUMED})." if report.assumed else ".")


def section(report: PolicyReport, *, style: Style = plain, ascii_only: bool = False) -> str:
    """The verdict and one line per finding, worst first."""
    text = "\n".join([verdict(report), *_lines(report.findings, style), *expiry(report.expiring)])
    return to_ascii(text) if ascii_only else text


def expiry(expiring: Sequence[tuple[Waiver, int]]) -> list[str]:
    """`1 waiver expires in 9 days: P044 for claims-*, dpo-lead.`; nothing when none ends soon."""
    if not expiring:
        return []
    first, days = expiring[0]
    when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    each = "" if len(expiring) == 1 else ", the first"
    verb = "expires" if len(expiring) == 1 else "expire within 2 weeks"
    about = f"{first.rule} for {', '.join(first.sets)}, {safe(first.owner)}"
    return [f"{count(len(expiring), 'waiver')} {verb}{each} {when}: {about}."]


def short(report: PolicyReport) -> str:
    """What a summary of two lines adds: ` Policy: 1 failed.`; nothing when nothing is wrong."""
    counts = report.counts
    parts = [f"{counts[name]} {name}" for name in ("failed", "warned") if counts[name]]
    return f" Policy: {', '.join(parts)}." if parts else ""


def below(
    plan: str,
    report: PolicyReport,
    effective: bool,
    *,
    style: Style = plain,
    ascii_only: bool = False,
    again: str = "",
) -> str:
    """The text of a plan with the policy below it, and the last lines when there is something to apply."""
    parts = [plan.rstrip("\n")]
    if effective or report.findings or report.expiring:
        parts.append(section(report, style=style, ascii_only=ascii_only))
    if effective:
        parts.append(ending(report, again))
    return "\n".join(parts) + "\n"


def ending(report: PolicyReport, again: str = "") -> str:
    """Last lines of a plan that was only shown: whether it is ready, and the one next step with the options `again`."""
    failed = report.failed
    if not failed:
        return f"Nothing was changed.\nNext: avatar-gitops apply{again}"
    step = f"avatar-gitops explain {failed[0].rule}"
    if any(finding.rule == "P031" for finding in failed):
        step = f"let somebody else read what gets weaker, then avatar-gitops apply{again} --approved-by NAME"
    return f"Not ready: the policy has {count(len(failed), 'objection')}. Nothing was changed.\nNext: {step}"


def _lines(findings: Sequence[Finding], style: Style) -> Iterator[str]:
    rule = max((len(finding.rule) for finding in findings), default=0)
    message = min(WIDEST, max((len(safe(finding.message)) for finding in findings), default=0))
    name = max((len(_subject(finding)) for finding in findings), default=0)
    for found in findings:
        word = style(_word(found), "dim" if found.waiver else found.severity.value)
        head = f"  {word} {found.rule:<{rule}}  {safe(found.message):<{message}}   {_subject(found):<{name}}"
        yield f"{head}   {safe(_extra(found))}".rstrip()


def _word(finding: Finding) -> str:
    return WAIVED if finding.waiver else WORDS[finding.severity]


def _subject(finding: Finding) -> str:
    return finding.set or _place(finding)


def _place(finding: Finding) -> str:
    return f"{safe(finding.path)}:{finding.line}" if finding.line else safe(finding.path)


def _extra(finding: Finding) -> str:
    return "; ".join(part for part in (finding.detail, finding.note) if part)


def as_data(report: PolicyReport) -> dict[str, Any]:
    """The report for machines, as the key `policy` of a plan and as a document of its own."""
    return {
        "assumed": report.assumed,
        "counts": dict(report.counts),
        "passed": list(report.passed),
        "findings": [_data(finding) for finding in report.findings],
        "expiring": [
            {
                "rule": waiver.rule,
                "sets": list(waiver.sets),
                "owner": waiver.owner,
                "expires": waiver.expires.isoformat(),
                "days": days,
            }
            for waiver, days in report.expiring
        ],
    }


def _data(finding: Finding) -> dict[str, Any]:
    waiver = finding.waiver
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "set": finding.set or None,
        "message": finding.message,
        "detail": finding.detail or None,
        "note": finding.note or None,
        "location": {"file": finding.path, "line": finding.line or None},
        "waiver": None
        if waiver is None
        else {
            "owner": waiver.owner,
            "reason": waiver.reason,
            "ticket": waiver.ticket or None,
            "granted": waiver.granted.isoformat(),
            "expires": waiver.expires.isoformat(),
        },
    }


def document(report: PolicyReport) -> dict[str, Any]:
    """What `policy check --format json` prints."""
    return {"format": "avatar-gitops/policy-report", "version": "1.0", **as_data(report)}


def markdown(report: PolicyReport, escape: Callable[[str], str]) -> Iterator[str]:
    """The report as lines of Markdown; `escape` makes text from outside harmless."""
    counts = report.counts
    parts = [f"{counts['passed']} passed"]
    parts += [f"{counts[name]} {name}" for name in ("info", "warned", "waived") if counts[name]]
    if counts["failed"]:
        parts.append(f"**{counts['failed']} failed**")
    parts += [f"⏳ {escape(line.removesuffix('.'))}" for line in expiry(report.expiring)]
    yield f"**Policy** {' · '.join(parts)}" + (f" · {ASSUMED}" if report.assumed else "")
    yield ""
    if report.findings:
        yield "| | Rule | Set | |"
        yield "|---|---|---|---|"
        for found in report.findings:
            sign = "🎫" if found.waiver else SIGNS[found.severity]
            subject = f"`{found.set}`" if found.set else escape(_place(found))
            note = f"waived {found.note}" if found.waiver else _extra(found)
            yield f"| {sign} | {found.rule} {escape(found.message)} | {subject} | {escape(note)} |"
        yield ""


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule in a list: how bad a finding is here, the rule sets it belongs to, whether the project uses it."""

    rule: Rule
    severity: Level
    homes: tuple[str, ...]
    used: bool


def rules(views: Sequence[RuleView], *, style: Style = plain) -> str:
    """Rules as a table."""
    width = max((len(view.rule.id) for view in views), default=0)
    title = max((len(safe(view.rule.title)) for view in views), default=0)
    lines = []
    for view in views:
        level = style(f"{view.severity.value:<4}", view.severity.value if view.used else "dim")
        state = ", ".join(view.homes) or "this project"
        off = "" if view.used else "   not used"
        head = f"{view.rule.id:<{width}}  {level}  {view.rule.stage.value:<6}  {safe(view.rule.title):<{title}}"
        lines.append(f"{head}   {state}{off}")
    return "\n".join(lines)


def rules_data(views: Iterable[RuleView]) -> list[dict[str, Any]]:
    """Rules for machines."""
    return [
        {
            "id": view.rule.id,
            "title": view.rule.title,
            "why": view.rule.why,
            "severity": view.severity.value,
            "stage": view.rule.stage.value,
            "rule_sets": list(view.homes),
            "used": view.used,
        }
        for view in views
    ]


@dataclass(frozen=True, slots=True)
class CaseView:
    """One test of the policy: what was expected, what was found, or why it could not be tried."""

    name: str
    file: str
    line: int
    expected: tuple[str, ...]
    found: tuple[str, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether exactly the expected rules found something."""
        return not self.problem and set(self.expected) == set(self.found)


def cases(views: Sequence[CaseView], *, style: Style = plain, ascii_only: bool = False) -> str:
    """One line per test, what differs below it, and the verdict."""
    lines: list[str] = []
    for view in views:
        sign = style("✔", "ok") if view.passed else style("✘", "fail")
        lines.append(f"  {sign} {safe(view.name)}" + ("" if view.passed else f"   {safe(view.file)}:{view.line}"))
        if view.problem:
            lines.append(f"      {safe(view.problem)}")
        elif not view.passed:
            lines.append(f"      expected {_ids(view.expected)}, found {_ids(view.found)}")
    failed = sum(not view.passed for view in views)
    lines.append(f"Policy tests: {len(views) - failed} passed" + (f", {failed} failed." if failed else "."))
    text = "\n".join(lines)
    return to_ascii(text) if ascii_only else text


def _ids(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
