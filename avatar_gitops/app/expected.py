"""Holding an apply to what was reviewed: the whole plan, or those changes of it that are still the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from avatar_gitops.app.plan import Consent, Planned, Seen, decide
from avatar_gitops.errors import StalePlan, UsageError
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.reviewed import Reviewed, equal, moved, read
from avatar_gitops.plan.select import Selection
from avatar_gitops.report import stale

SHORTEST: Final = 8
STALE: Final = "R006"


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody looked at and agreed to: a plan document from `file`, or only a digest.

    `only_equal` = apply those changes of the document that are still the same, and leave the rest alone.
    """

    document: Mapping[str, Any] | None = None
    digest: str | None = None
    only_equal: bool = False
    file: str = ""


def check(review: Review) -> None:
    """Raise UsageError for a review that cannot be held to, before anything is asked."""
    if review.only_equal and review.document is None:
        raise UsageError(
            "--only-equal compares change by change, and a digest says nothing about single changes",
            hint="give the plan file: avatar-gitops apply plan.json --only-equal",
        )
    if review.digest is not None and len(review.digest.removeprefix("sha256:")) < SHORTEST:
        raise UsageError("--expect-digest needs at least 8 characters of the digest")
    if review.document is not None and read(review.document).offline and not review.only_equal:
        raise UsageError(
            "this plan was made offline, so it says nothing about a server",
            hint="--only-equal applies the changes that are still the reviewed ones; or plan again without --offline",
        )


def hold(planned: Planned, consent: Consent, review: Review) -> Planned:
    """The plan, or the part of it, that was reviewed. Raises StalePlan when it is not the plan any more."""
    if review.document is not None:
        return _document(planned, consent, review)
    now = planned.plan.digest.removeprefix("sha256:")
    wanted = (review.digest or now).removeprefix("sha256:")
    if now.startswith(wanted):
        return planned
    raise StalePlan(
        f"the reviewed plan ({wanted[:SHORTEST]}) is not the plan any more ({now[:SHORTEST]})",
        hint="nothing was changed; read the new plan: avatar-gitops plan",
        code=STALE,
    )


def _document(planned: Planned, consent: Consent, review: Review) -> Planned:
    plan, content = planned.plan, review.document
    reviewed, differing, same = read(content), moved(content, plan), equal(content, plan)
    if reviewed.digest == plan.digest or (not differing and _same_place(reviewed, plan)):
        return planned
    usable = same if _same_place(reviewed, plan) else ()
    if not review.only_equal or not usable:
        first = "the approved plan is no longer the plan"
        if review.only_equal:
            first = "no change of the approved plan is still the same, so nothing was applied"
        text = stale.message(first, reviewed, plan, differing, same)
        offered = () if review.only_equal else usable
        raise StalePlan(f"{text}\nNothing was changed.", hint=stale.hint(review.file, offered), code=STALE)
    seen = Seen(planned.loaded, planned.connection, planned.observed, plan.context)
    part = decide(seen, consent, Selection(only=frozenset(same)))
    return replace(part, left=stale.rest(differing, plan))


def _same_place(reviewed: Reviewed, plan: Plan) -> bool:
    """Whether a reviewed plan is of this project and this server; an offline one is of no server."""
    return reviewed.project == plan.project and (reviewed.offline or reviewed.server == plan.server)
