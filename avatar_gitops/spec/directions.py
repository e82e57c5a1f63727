"""Rules that say which way a change of a field moves privacy: small pure functions of the value before and after.

`None` means that the field says nothing. What cannot be judged is unknown; neutral is only said when the released data
and what is demanded of them stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.spec.gates import Direction as GateDirection
from avatar_gitops.spec.gates import parse_gate
from avatar_gitops.spec.models import (
    DataRecipient,
    Generation,
    Job,
    LinkMethod,
    ReplacementStrategy,
    SensitivityLevel,
)
from avatar_gitops.spec.series import Unalignment


class Privacy(StrEnum):
    """Which way a change moves privacy."""

    WEAKER = "weaker"
    UNKNOWN = "unknown"
    NEUTRAL = "neutral"
    STRONGER = "stronger"


Direction = Callable[[Any, Any], Privacy]

RECIPIENTS: Final = (
    DataRecipient.INTERNAL,
    DataRecipient.TRUSTED_THIRDPARTY,
    DataRecipient.CONTRACTUAL_THIRDPARTY,
    DataRecipient.OUTSIDE_EU,
    DataRecipient.OPENDATA,
    DataRecipient.UNKNOWN,
)
"""From the narrowest circle to the widest; a recipient that nobody named may be anyone."""

SENSITIVITIES: Final = (
    SensitivityLevel.NEGLIGIBLE,
    SensitivityLevel.VERY_LOW,
    SensitivityLevel.LOW,
    SensitivityLevel.MEDIUM,
    SensitivityLevel.HIGH,
    SensitivityLevel.VERY_HIGH,
)
PSEUDONYM_STRENGTH: Final = {"HASH_SHA256": 0, "CONSTANT": 2}
"""A hash can be reversed by trying values, a constant says nothing; every other kind stands between them."""


def _compare(before: Any, after: Any, *, higher: Privacy) -> Privacy:
    lower = Privacy.STRONGER if higher is Privacy.WEAKER else Privacy.WEAKER
    if before == after:
        return Privacy.NEUTRAL
    return higher if after > before else lower


def neutral(before: Any, after: Any) -> Privacy:
    """The field does not touch the released data nor what is demanded of them."""
    return Privacy.NEUTRAL


def unknown(before: Any, after: Any) -> Privacy:
    """The field changes the result in a way that no rule can judge."""
    return Privacy.UNKNOWN


def lower_is_weaker(before: float | None, after: float | None) -> Privacy:
    """For `k`: fewer neighbours are weaker."""
    if before is None or after is None:
        return Privacy.UNKNOWN
    return _compare(before, after, higher=Privacy.STRONGER)


def higher_is_weaker(before: float | None, after: float | None) -> Privacy:
    """For a privacy budget: spending more is weaker."""
    if before is None or after is None:
        return Privacy.UNKNOWN
    return _compare(before, after, higher=Privacy.WEAKER)


def later_is_weaker(before: str | None, after: str | None) -> Privacy:
    """For the day on which results are deleted, as ISO text: longer is weaker, and no day at all is longest."""
    return _compare(*((text is None, text or "") for text in (before, after)), higher=Privacy.WEAKER)


def removal_is_weaker(before: Any, after: Any) -> Privacy:
    """For a safeguard or a test: taking it away is weaker, adding it stronger."""
    if after is None:
        return Privacy.WEAKER
    return Privacy.STRONGER if before is None else Privacy.UNKNOWN


def addition_is_weaker(before: Any, after: Any) -> Privacy:
    """For an exception from anonymization: adding it is weaker, taking it away stronger."""
    if before is None:
        return Privacy.WEAKER
    return Privacy.STRONGER if after is None else Privacy.UNKNOWN


release_grows: Final = addition_is_weaker


def switched_off_is_weaker(before: bool | None, after: bool | None) -> Privacy:
    """For a safeguard that is on or off."""
    return _compare(bool(before), bool(after), higher=Privacy.STRONGER)


def more_names_is_weaker(before: Sequence[str] | None, after: Sequence[str] | None) -> Privacy:
    """For columns that leave unprotected or enter the release: one more is weaker, whatever else changes."""
    old, new = set(before or ()), set(after or ())
    if new - old:
        return Privacy.WEAKER
    return Privacy.STRONGER if old - new else Privacy.NEUTRAL


def more_names_is_stronger(before: Sequence[str] | None, after: Sequence[str] | None) -> Privacy:
    """For what an attacker is assumed to know: one less is an easier test, whatever else changes."""
    return more_names_is_weaker(after, before)


def replacement_strategy(before: str | None, after: str | None) -> Privacy:
    """`row_order` ties the real values of excluded columns to the person's own avatar."""
    if after == ReplacementStrategy.ROW_ORDER:
        return Privacy.WEAKER
    return Privacy.STRONGER if before == ReplacementStrategy.ROW_ORDER else Privacy.UNKNOWN


def links(before: Sequence[Mapping[str, Any]] | None, after: Sequence[Mapping[str, Any]] | None) -> Privacy:
    """A link in the original order ties the rows of a child to the person's own avatar; of others nothing is known."""
    sensitive = LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT
    old, new = ({str(link["to"]) for link in side or () if link["method"] == sensitive} for side in (before, after))
    if new - old:
        return Privacy.WEAKER
    return Privacy.STRONGER if old - new else Privacy.UNKNOWN


def unalignment(before: str | None, after: str | None) -> Privacy:
    """Start, duration and length of series point to people; on the common grid nothing of them is released."""
    old, new = before or Unalignment.UNIFORM, after or Unalignment.UNIFORM
    if old == new:
        return Privacy.NEUTRAL
    return Privacy.STRONGER if new == Unalignment.SKIP else Privacy.WEAKER


def generation(before: str | None, after: str | None) -> Privacy:
    """A draw around the neighbours hides more than their barycentre."""
    old = before or Generation.BARYCENTRE
    new = after or Generation.BARYCENTRE
    return switched_off_is_weaker(old == Generation.LOCAL_GAUSSIAN, new == Generation.LOCAL_GAUSSIAN)


def pseudonymization_kind(before: str | None, after: str | None) -> Privacy:
    """Only hashes and constants have a place in the order; between other kinds nothing can be said."""
    old = PSEUDONYM_STRENGTH.get(before or "", 1)
    new = PSEUDONYM_STRENGTH.get(after or "", 1)
    return Privacy.UNKNOWN if old == new else _compare(old, new, higher=Privacy.STRONGER)


def augmentation(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Privacy:
    """Augmentation that leaves the originals as they are releases them."""
    released = [bool(side) and side["should_anonymize_original_table"] is False for side in (before or {}, after or {})]
    if released[0] == released[1]:
        return Privacy.UNKNOWN
    return Privacy.WEAKER if released[1] else Privacy.STRONGER


def recipient(before: str | None, after: str | None) -> Privacy:
    """A wider circle of recipients is weaker."""
    old, new = (RECIPIENTS.index(DataRecipient(value or "unknown")) for value in (before, after))
    return _compare(old, new, higher=Privacy.WEAKER)


def sensitivity(before: str | None, after: str | None) -> Privacy:
    """Declaring less harm asks for less; from or to undefined nothing can be said."""
    order = {level.value: rank for rank, level in enumerate(SENSITIVITIES)}
    old, new = order.get(before or ""), order.get(after or "")
    return Privacy.UNKNOWN if old is None or new is None else _compare(old, new, higher=Privacy.STRONGER)


def jobs(before: Sequence[str] | None, after: Sequence[str] | None) -> Privacy:
    """A run whose privacy is no longer measured is weaker; other jobs do not matter."""
    old, new = (Job.PRIVACY_METRICS in (side or tuple(Job)) for side in (before, after))
    return switched_off_is_weaker(old, new)


def gate(before: str | None, after: str | None) -> Privacy:
    """A demand that fewer values meet is harder; removing a gate is weaker, turning it round is unknown."""
    if before is None or after is None:
        return removal_is_weaker(before, after)
    old, new = parse_gate("", before), parse_gate("", after)
    if old.direction is not new.direction:
        return Privacy.UNKNOWN
    if old.bound != new.bound:
        up = new.direction is GateDirection.HIGHER
        return _compare(old.bound, new.bound, higher=Privacy.STRONGER if up else Privacy.WEAKER)
    return _compare(len(old.operator), len(new.operator), higher=Privacy.WEAKER)
