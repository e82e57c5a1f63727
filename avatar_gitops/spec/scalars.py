"""Values of unquoted YAML scalars, by the core schema of YAML 1.2: no `yes`, no dates, no octal by leading zero."""

from __future__ import annotations

import math
import re
from typing import Any, Final

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
DATE: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?\Z")
MAX_DIGITS: Final = 18


def resolve(text: str) -> Any:
    """The value of an unquoted scalar in the core schema of YAML 1.2; infinity and NaN for what is not finite."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if text[0] not in "+-.0123456789":
        return text
    if INTEGER.match(text):
        if len(text) > MAX_DIGITS:
            return math.inf
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if NOT_FINITE.match(text):
        return math.nan
    return float(text) if FLOAT.match(text) else text


def looks_like_date(text: str) -> bool:
    """Whether other YAML readers would take an unquoted text for a date."""
    return DATE.match(text) is not None
