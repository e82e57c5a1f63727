"""`policy test` and `policy list`: the rules of a project, and whether they do what its tests expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from avatar_gitops.app.policy_files import load_book
from avatar_gitops.diagnostics import Diagnostic, SpecError
from avatar_gitops.errors import UsageError
from avatar_gitops.policy.cases import found
from avatar_gitops.policy.engine import Book
from avatar_gitops.policy.model import Rule
from avatar_gitops.policy.rules.sets import BUILT_IN, homes
from avatar_gitops.report.policy import CaseView, RuleView
from avatar_gitops.spec.parse import Parsed, has_errors, parse_policy_tests
from avatar_gitops.spec.policies import PolicyTests
from avatar_gitops.workspace.discover import find_root
from avatar_gitops.workspace.policies import policy_test_files, read_policy


def run_tests(project: Path | None) -> tuple[CaseView, ...]:
    """Every test in `policies/tests/`. SpecError when a file is not valid, UsageError when there is none."""
    root = find_root(project or Path.cwd())
    book = load_book(root)
    parsed = [parse_policy_tests(*read_policy(root, path)) for path in policy_test_files(root)]
    findings: list[Diagnostic] = [finding for file in parsed for finding in file.diagnostics]
    if has_errors(findings):
        raise SpecError("the policy tests are not valid", findings, hint="avatar-gitops validate")
    views = tuple(view for file in parsed for view in _views(file, book))
    if not views:
        raise UsageError("there is no test in policies/tests/", hint="write one: avatar-gitops policy test --help")
    return views


def _views(file: Parsed[PolicyTests], book: Book) -> Iterator[CaseView]:
    for index, case in enumerate(file.value.tests if file.value else ()):
        line, expected = file.locate(("tests", index)).line, tuple(case.expect)
        try:
            yield CaseView(case.name, file.file, line, expected, found(case, book))
        except ValueError as error:
            yield CaseView(case.name, file.file, line, expected, (), str(error))


def list_rules(project: Path | None, *, everything: bool) -> Sequence[RuleView]:
    """The rules that the project uses, by id; with `everything` also those that it could use."""
    try:
        root = find_root(project or Path.cwd())
    except UsageError:
        if project is not None or not everything:
            raise
        return [RuleView(rule, rule.severity, homes(name), True) for name, rule in sorted(BUILT_IN.items())]
    book = load_book(root)
    used = {rule.id: rule for rule in book.rules}
    known: dict[str, Rule] = {**(BUILT_IN if everything else {}), **used}
    return [RuleView(known[name], book.severity(known[name]), homes(name), name in used) for name in sorted(known)]
