"""What a schema says about pseudonyms, for the engine; keys of hashes come from the environment of the platform."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from avatar_gitops.engine.pseudonyms.kinds import (
    DEFAULT_LOCALE,
    ConstantPseudonym,
    FakerPseudonym,
    HashPseudonym,
    IntegerPseudonym,
    LetterCase,
    PatternPseudonym,
    PiiType,
    Pseudonym,
    UuidPseudonym,
)
from avatar_gitops.server.faults import JobFault

KEY_REFERENCE: Final = re.compile(r"env/(AVATAR_PSEUDONYM_KEY_[A-Z0-9_]{1,50})\Z")
"""Only variables made for this can be named: a user must not have hashes made with other secrets of the platform."""

_Choice = TypeVar("_Choice", bound=StrEnum)


def pseudonym(where: str, said: Mapping[str, Any]) -> Pseudonym:
    """The engine's form of `pseudonymization`; `where` names table and column.

    Raises:
        JobFault: a kind or a value is not known, or a key is not there.
    """
    consistent = said.get("consistent") is not False
    match said.get("kind"):
        case "FAKER":
            return FakerPseudonym(
                _choice(where, "pii_type", said.get("pii_type"), PiiType),
                consistent,
                bool(said.get("high_variability")),
                str(said.get("locale") or DEFAULT_LOCALE),
            )
        case "HASH_SHA256":
            return HashPseudonym(_key(where, said.get("key")))
        case "UUID4":
            return UuidPseudonym(consistent)
        case "CONSTANT":
            return ConstantPseudonym(_text(where, "value", said.get("value"), empty=True))
        case "INTEGER":
            return IntegerPseudonym(consistent)
        case "SPECIFIC_ID":
            case_ = _choice(where, "letter_case", said.get("letter_case") or "both", LetterCase)
            return PatternPseudonym(_text(where, "pattern", said.get("pattern")), case_, consistent)
    kinds = "FAKER, HASH_SHA256, UUID4, CONSTANT, INTEGER, SPECIFIC_ID"
    raise JobFault(f"{where}: the kind of pseudonymization is not one of {kinds}.")


def _choice(where: str, name: str, value: Any, choices: type[_Choice]) -> _Choice:
    try:
        return choices(value)
    except ValueError:
        raise JobFault(f"{where}: {name} of the pseudonymization is not one of {', '.join(choices)}.") from None


def _text(where: str, name: str, value: Any, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise JobFault(f"{where}: {name} of the pseudonymization must be a text.")
    return value


def _key(where: str, reference: Any) -> bytes | None:
    if reference is None:
        return None
    found = KEY_REFERENCE.match(str(reference))
    if found is None:
        raise JobFault(f"{where}: the key of a hash must be named as env/AVATAR_PSEUDONYM_KEY_…, never written out.")
    value = os.environ.get(found[1])
    if not value:
        raise JobFault(f"{where}: the platform has no variable {found[1]}. Set it where the platform runs.")
    return value.encode()
