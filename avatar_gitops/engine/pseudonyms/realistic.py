"""Realistic substitutes from the Faker library, which is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar_gitops.engine.pseudonyms.kinds import FakerPseudonym, PiiType
from avatar_gitops.errors import EngineError

if TYPE_CHECKING:
    from faker import Faker

POOL: Final = 1_000  # values of the pool that is drawn from without high variability
_ATTEMPTS: Final = 50  # rounds of making new values for those that appeared before
_METHODS: Final = {
    PiiType.EMAIL: "email",
    PiiType.FIRST_NAME: "first_name",
    PiiType.LAST_NAME: "last_name",
    PiiType.FULL_NAME: "name",
    PiiType.PHONE: "phone_number",
    PiiType.SSN: "ssn",
    PiiType.ADDRESS: "address",
    PiiType.FREE_TEXT: "text",
}


def realistic(pseudonym: FakerPseudonym, count: int, random: np.random.Generator, *, different: bool) -> list[str]:
    """That many substitutes, all different if wanted, on one line each.

    Raises EngineError for a locale that is not known or does not have this kind of value, and when there are not so
    many different ones.
    """
    make = _maker(pseudonym, int(random.integers(2**63)))
    if different:
        return _different(make, count, pseudonym.pii_type)
    if pseudonym.high_variability or count <= POOL:
        return [make() for _ in range(count)]
    pool = [make() for _ in range(POOL)]
    return [pool[at] for at in random.integers(0, POOL, count)]


def realistic_by_seed(pseudonym: FakerPseudonym, seeds: Iterable[int]) -> list[str]:
    """A substitute for each seed, on one line each. Raises EngineError as `realistic` does."""
    source, make = _source(pseudonym)
    made = []
    for seed in seeds:
        source.seed_instance(seed)
        made.append(make())
    return made


def _maker(pseudonym: FakerPseudonym, seed: int) -> Callable[[], str]:
    source, make = _source(pseudonym)
    source.seed_instance(seed)
    return make


def _source(pseudonym: FakerPseudonym) -> tuple[Faker, Callable[[], str]]:
    """A source of the locale of its own, and what makes the next value from it."""
    from faker import Faker

    try:
        source: Faker = Faker(pseudonym.locale)
    except (AttributeError, ImportError):
        raise EngineError(
            f"There are no realistic values for the locale {pseudonym.locale!r}.",
            hint="Take a locale such as en_US, fr_FR or de_DE.",
        ) from None
    method = getattr(source, _METHODS[pseudonym.pii_type], None)
    if method is None:
        raise EngineError(
            f"The locale {pseudonym.locale!r} has no realistic values of the kind {pseudonym.pii_type}.",
            hint="Take another locale or another kind of pseudonym.",
        )

    def make() -> str:
        return ", ".join(str(method()).split("\n"))

    return source, make


def _different(make: Callable[[], str], count: int, kind: PiiType) -> list[str]:
    seen: dict[str, None] = {}
    for _ in range(_ATTEMPTS * count):
        if len(seen) == count:
            break
        seen.setdefault(make())
    if len(seen) < count:
        raise EngineError(
            f"There are not enough different realistic values of the kind {kind} for a key.",
            hint="Take UUID4, INTEGER or SPECIFIC_ID for keys.",
        )
    return list(seen)
