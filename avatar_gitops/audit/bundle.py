"""From the documents of a project to a bundle that can be checked: description, list of digests, signed manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files as resources
from typing import Any

from avatar_gitops.audit.crate import About, crate
from avatar_gitops.audit.layout import ABOUT_ALL, CRATE, HOW, MANIFEST, MANIFEST_ENVELOPE, SUMS, sums
from avatar_gitops.audit.statement import BUNDLE, sha256, statement, statement_bytes


def how_to_check() -> bytes:
    """The text in each bundle that says how it is checked."""
    return resources("avatar_gitops.audit").joinpath("how_to_check.md").read_bytes()


def complete(
    files: Mapping[str, bytes],
    about: About,
    predicate: Mapping[str, Any],
    seal: Callable[[bytes], bytes] | None = None,
) -> dict[str, bytes]:
    """The files of a bundle by their path; `predicate` is that of its statement. Without `seal` it is unsigned."""
    made = {**files, HOW: how_to_check()}
    later = [SUMS, MANIFEST, *([MANIFEST_ENVELOPE] if seal else [])]
    made[CRATE] = crate({**made, **dict.fromkeys(later, b"")}, about)
    made[SUMS] = sums(made)
    digests = {name: sha256(content) for name, content in made.items() if name not in ABOUT_ALL}
    made[MANIFEST] = statement_bytes(statement(BUNDLE, digests, predicate))
    if seal is not None:
        made[MANIFEST_ENVELOPE] = seal(made[MANIFEST])
    return made
