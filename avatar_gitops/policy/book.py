"""Policy files to the policy of a project: rule sets, thresholds and waivers made one, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.policy.approvals import key
from avatar_gitops.policy.declarative import ThresholdRule
from avatar_gitops.policy.engine import Book
from avatar_gitops.policy.model import ORDER, Level, Rule, Waiver
from avatar_gitops.policy.regressions import RegressionRule
from avatar_gitops.policy.rules.sets import BUILT_IN, LEDGER, SETS
from avatar_gitops.spec.gates import METRICS, Direction, parse_gate
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed, ordered
from avatar_gitops.spec.policies import MOST_DAYS, LedgerLimits, PolicyFile, RuleSet, Threshold, WaiverEntry, WaiverFile
from avatar_gitops.spec.wording import near

Load = Callable[[str], Sequence[Rule]]
"""The rules behind an entry point by its name; raises ValueError, whose text says what is wrong with it."""

GROUP: Final = "avatar_gitops.rules"


@dataclass(frozen=True, slots=True)
class Policies:
    """The files of `policies/`, parsed."""

    policies: tuple[Parsed[PolicyFile], ...] = ()
    waivers: tuple[Parsed[WaiverFile], ...] = ()


def build(files: Policies, load: Load) -> tuple[Book, tuple[Diagnostic, ...]]:
    """The policy that the files describe, and every finding about them; with errors the policy is not to be used."""
    found = [finding for policy in files.policies for finding in policy.diagnostics]
    found += [finding for entries in files.waivers for finding in entries.diagnostics]
    if not files.policies:
        rules: dict[str, Rule] = dict(_enabled([RuleSet.BASELINE]))
        known = set(BUILT_IN)
    else:
        rules, known, problems = _rules(files.policies, load)
        found += problems
    for parsed in files.policies:
        found += _references(parsed, known)
        found += _check_approvers(parsed, files)
    waivers: list[Waiver] = []
    for entries in files.waivers:
        found += _check_waivers(entries, known)
        waivers += waivers_of(entries)
    book = Book(
        rules=tuple(rules[name] for name in sorted(rules)),
        severities=_severities(files.policies),
        waivers=tuple(waivers),
        required_approvers=tuple(dict.fromkeys(name for value in _values(files) for name in value.required_approvers)),
        approvers=_people(files),
        ledger=_limits(files),
        assumed=not files.policies,
    )
    return book, ordered(found)


def _values(files: Policies) -> Iterator[PolicyFile]:
    return (parsed.value for parsed in files.policies if parsed.value is not None)


def _people(files: Policies) -> Mapping[str, Sequence[str]]:
    """Who is in each group, from all files together."""
    groups: dict[str, list[str]] = {}
    for value in _values(files):
        for name, people in value.approvers.items():
            groups.setdefault(name, []).extend(people)
    return groups


def _limits(files: Policies) -> LedgerLimits:
    """The strictest limits that any file gives."""
    said = [value.ledger for value in _values(files) if value.ledger is not None]
    if not said:
        return LedgerLimits()
    return LedgerLimits(
        max_releases=min(limits.max_releases for limits in said),
        max_epsilon=min(limits.max_epsilon for limits in said),
        max_overlap=min(limits.max_overlap for limits in said),
    )


def _enabled(names: Iterable[RuleSet]) -> Iterator[tuple[str, Rule]]:
    for name in names:
        yield from ((rule.id, rule) for rule in SETS[name])


def _rules(policies: Sequence[Parsed[PolicyFile]], load: Load) -> tuple[dict[str, Rule], set[str], list[Diagnostic]]:
    """The rules that count, the ids of all that exist, and what is wrong with those that were added."""
    found: list[Diagnostic] = []
    counted: dict[str, Rule] = {}
    added: dict[str, Rule] = {}
    disabled: set[str] = set()
    for parsed in policies:
        value = parsed.value
        if value is None:
            continue
        counted |= dict(_enabled(value.enabled))
        if value.ledger is not None:
            counted |= {rule.id: rule for rule in LEDGER}
        disabled |= set(value.disabled)
        for rule, path in _added(parsed, value, load, found):
            if rule.id in BUILT_IN or rule.id in added:
                found.append(_taken(parsed, path, rule.id))
            else:
                added[rule.id] = rule
        for index, threshold in enumerate(value.thresholds):
            found += _check_threshold(parsed, threshold, ("thresholds", index))
        for index, entry in enumerate(value.regressions):
            found += _check_metric(parsed, entry.metric, ("regressions", index, "metric"))
    everything = counted | added
    return {name: rule for name, rule in everything.items() if name not in disabled}, {*BUILT_IN, *added}, found


def _added(
    parsed: Parsed[PolicyFile], value: PolicyFile, load: Load, found: list[Diagnostic]
) -> Iterator[tuple[Rule, Path]]:
    for index, threshold in enumerate(value.thresholds):
        yield ThresholdRule(threshold), ("thresholds", index, "id")
    for index, entry in enumerate(value.regressions):
        yield RegressionRule(entry), ("regressions", index, "id" if entry.id else "metric")
    for index, name in enumerate(value.rules):
        path: Path = ("rules", index)
        try:
            rules = load(name)
        except ValueError as error:
            fix = f"install the package that declares it in the entry point group {GROUP}, or remove the line"
            found.append(_at("X053", f"rule `{name}` cannot be loaded: {error}", parsed.locate(path), path, fix=fix))
        else:
            yield from ((rule, path) for rule in rules)


def _severities(policies: Iterable[Parsed[PolicyFile]]) -> Mapping[str, Level]:
    """Severities that files give to rules; where two files differ, the worse."""
    chosen: dict[str, Level] = {}
    for parsed in policies:
        for name, level in parsed.value.severity.items() if parsed.value else ():
            chosen[name] = min(level, chosen.get(name, level), key=ORDER.index)
    return chosen


def _references(parsed: Parsed[PolicyFile], known: set[str]) -> Iterator[Diagnostic]:
    value = parsed.value
    if value is None:
        return
    for index, name in enumerate(value.disabled):
        if name not in known:
            yield _no_rule(name, parsed.locate(("disabled", index)), ("disabled", index), known)
    for name in value.severity:
        if name not in known:
            yield _no_rule(name, parsed.locate_key(("severity", name)), ("severity", name), known)


def _check_approvers(parsed: Parsed[PolicyFile], files: Policies) -> Iterator[Diagnostic]:
    """Teams that nobody can satisfy, and groups that nobody asks for; another file may list or require them."""
    if parsed.value is None:
        return
    listed, required = set(map(key, _people(files))), set()
    for value in _values(files):
        required |= set(map(key, value.required_approvers))
    for index, name in enumerate(parsed.value.required_approvers):
        if "/" in name and key(name) not in listed:
            path: Path = ("required_approvers", index)
            fix = f"list its people: approvers: {{{name.removeprefix('@')}: [LOGIN]}}"
            yield _vain(f"who is in the team `{name}` cannot be read", parsed.locate(path), path, fix)
    for name in parsed.value.approvers:
        if key(name) not in required:
            path = ("approvers", name)
            text = f"nobody requires the group `{name}`"
            yield _vain(text, parsed.locate_key(path), path, "add it to required_approvers, or take it out")


def _vain(message: str, span: Span, path: Path, fix: str) -> Diagnostic:
    return _at("X054", message, span, path, severity=Severity.WARNING, fix=fix)


def _no_rule(name: str, span: Span, path: Path, known: set[str]) -> Diagnostic:
    guess = near(name, sorted(known))
    fix = f"write {guess}" if guess else "list them: avatar-gitops policy list --all"
    return _at(
        "X050", f"there is no rule `{name}`", span, path, label=f"did you mean `{guess}`?" * bool(guess), fix=fix
    )


def _taken(parsed: Parsed[PolicyFile], path: Path, name: str) -> Diagnostic:
    label = "it comes with the program" if name in BUILT_IN else "it stands above or in another file"
    text = f"a rule `{name}` exists already"
    return _at("X052", text, parsed.locate(path), path, label=label, fix=f"choose another id, such as X-{name}")


def _check_threshold(parsed: Parsed[PolicyFile], wish: Threshold, at: Path) -> Iterator[Diagnostic]:
    metric = METRICS.get(wish.metric)
    if metric is None:
        yield from _check_metric(parsed, wish.metric, (*at, "metric"))
        return
    if parse_gate(wish.metric, wish.condition).direction is not metric.direction:
        better = "higher" if metric.direction is Direction.HIGHER else "lower"
        path = (*at, "condition")
        yield _at(
            "X014",
            f"this threshold points the wrong way: {better} `{metric.name}` is better",
            parsed.locate(path),
            path,
            label=metric.meaning,
            fix=f"begin with {metric.direction}",
        )


def _check_metric(parsed: Parsed[PolicyFile], name: str, path: Path) -> Iterator[Diagnostic]:
    if name not in METRICS:
        guess = near(name, list(METRICS))
        label = f"did you mean `{guess}`?" if guess else ""
        note = "" if guess else f"metrics: {', '.join(METRICS)}"
        yield _at("X013", f"`{name}` is not a metric", parsed.locate(path), path, label=label, note=note)


def _check_waivers(parsed: Parsed[WaiverFile], known: set[str]) -> Iterator[Diagnostic]:
    for index, entry in enumerate(parsed.value.waivers if parsed.value else ()):
        at: Path = ("waivers", index)
        if entry.rule not in known:
            yield _no_rule(entry.rule, parsed.locate((*at, "rule")), (*at, "rule"), known)
        yield from _check_dates(parsed, entry, at)


def _check_dates(parsed: Parsed[WaiverFile], entry: WaiverEntry, at: Path) -> Iterator[Diagnostic]:
    days: dict[str, date] = {}
    for name, text in (("granted", entry.granted), ("expires", entry.expires)):
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            path = (*at, name)
            yield _at("X051", f"`{name}` is no day of the calendar", parsed.locate(path), path, label=f"got {text}")
    if len(days) < 2:
        return
    lasts, path = (days["expires"] - days["granted"]).days, (*at, "expires")
    if lasts < 0:
        yield _at("X051", "this waiver ends before it begins", parsed.locate(path), path)
    elif lasts > MOST_DAYS:
        yield _at(
            "X051",
            f"this waiver counts for {lasts} days, at most {MOST_DAYS} are allowed",
            parsed.locate(path),
            path,
            why="a waiver without an end in sight is a rule that nobody decided to drop",
            fix="choose an earlier day; renew it when the day comes, or change the rule in the policy file",
        )


def waivers_of(parsed: Parsed[WaiverFile]) -> Iterator[Waiver]:
    """The waivers of a file, with their places; none when the file is not valid."""
    for index, entry in enumerate(parsed.value.waivers if parsed.value else ()):
        with suppress(ValueError):  # days that are none have a finding of their own
            yield replace(waiver(entry), path=parsed.file, line=parsed.locate(("waivers", index)).line)


def waiver(entry: WaiverEntry) -> Waiver:
    """A waiver from its entry. ValueError when one of its days is no day of the calendar."""
    return Waiver(
        rule=entry.rule,
        sets=tuple(entry.sets),
        owner=entry.owner,
        reason=entry.reason,
        granted=date.fromisoformat(entry.granted),
        expires=date.fromisoformat(entry.expires),
        ticket=entry.ticket or "",
    )


def _at(code: str, message: str, span: Span, path: Path, **texts: Any) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, path=path, **texts)
