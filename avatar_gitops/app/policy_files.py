"""The files of `policies/` as plan, apply and validate need them: one policy, and every finding about the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, SpecError
from avatar_gitops.policy.book import GROUP, Policies, build, waivers_of
from avatar_gitops.policy.engine import Book
from avatar_gitops.policy.model import Level, Rule, Stage, Waiver
from avatar_gitops.spec.parse import Parsed, has_errors, parse_policy, parse_waivers, says_waivers
from avatar_gitops.spec.policies import PolicyFile, WaiverFile
from avatar_gitops.workspace.policies import installed, policy_files, read_policy

RULE_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,39}\Z")
TEXTS: Final = ("id", "title", "why")


def read_book(files: Iterable[tuple[bytes, str]]) -> tuple[Book, tuple[Diagnostic, ...]]:
    """The policy that files (content and shown name) describe, with every finding about them."""
    policies: list[Parsed[PolicyFile]] = []
    waivers: list[Parsed[WaiverFile]] = []
    for content, name in files:
        if says_waivers(content):
            waivers.append(parse_waivers(content, name))
        else:
            policies.append(parse_policy(content, name))
    return build(Policies(tuple(policies), tuple(waivers)), load_rules)


def load_book(root: Path) -> Book:
    """The policy of a project. Raises SpecError when a policy file is not valid."""
    book, found = read_book(read_policy(root, path) for path in policy_files(root))
    if has_errors(found):
        raise SpecError("the policy files are not valid", found, hint="avatar-gitops validate")
    return book


def read_waivers(files: Iterable[tuple[bytes, str]]) -> tuple[Waiver, ...]:
    """The waivers in files that may not be valid: only what is, is read."""
    parsed = [parse_waivers(content, name) for content, name in files if says_waivers(content)]
    return tuple(one for entries in parsed for one in waivers_of(entries))


def load_rules(name: str) -> Sequence[Rule]:
    """The rules that an installed package declares under a name; ValueError if there is none that can be used."""
    found = installed(GROUP, name)
    rules = list(found) if isinstance(found, list | tuple) else [found]
    for rule in rules:
        texts = [getattr(rule, part, None) for part in TEXTS]
        whole = all(isinstance(text, str) for text in texts) and RULE_ID.match(str(texts[0]))
        if not whole or not callable(getattr(rule, "check", None)):
            raise ValueError("it is not a rule; a rule has id, title, why, severity, stage and check")
        if not isinstance(rule.severity, Level) or not isinstance(rule.stage, Stage):
            raise ValueError("its severity is not a Level, or its stage not a Stage, of avatar_gitops.policy.model")
    return rules
