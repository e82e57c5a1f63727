"""Spec values, numbers and signs as people read them; shared by every rendering of a plan and of a status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from avatar_gitops.plan.desired import FieldPath
from avatar_gitops.plan.model import FieldChange
from avatar_gitops.spec import fields
from avatar_gitops.spec.fields import Privacy

Style = Callable[[str, str], str]
"""Colour hook: text and its kind (`weaker`, `delete`, `launch`, `dim`, …) to text."""

LONGEST_VALUE: Final = 48
LONGEST_LIST: Final = 6
DIGEST_CHARACTERS: Final = 8
SIGNS: Final = {Privacy.WEAKER: "▼", Privacy.STRONGER: "▲", Privacy.UNKNOWN: "?", Privacy.NEUTRAL: " "}
ASCII_SIGNS: Final = {Privacy.WEAKER: "v", Privacy.STRONGER: "^", Privacy.UNKNOWN: "?", Privacy.NEUTRAL: " "}


def plain(text: str, kind: str) -> str:
    """No colour at all."""
    return text


def number(value: float | None) -> str:
    """A measured value with as many digits as help: 93.1, 0.062, 14; a dash when it was not computed."""
    if value is None:
        return "-"
    digits = 1 if abs(value) >= 10 else 3
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def count(amount: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 set, 2 sets."""
    return f"{amount} {one if amount == 1 else many or one + 's'}"


def short_digest(digest: str) -> str:
    """A digest as it is shown on screen: algorithm and eight characters."""
    algorithm, colon, hexadecimal = digest.partition(":")
    return f"{algorithm}:{hexadecimal[:DIGEST_CHARACTERS]}" if colon else digest[:DIGEST_CHARACTERS]


def safe(text: str) -> str:
    """Text from outside with everything that could steer a terminal replaced."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def cut(text: str, longest: int = LONGEST_VALUE) -> str:
    """A long value cut in the middle."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def field_name(path: FieldPath) -> str:
    """A field as it is written in a spec, without the level that all fields share."""
    return safe(".".join(str(part) for part in (path[1:] if path[0] == "spec" else path)))


def value(content: Any) -> str:
    """One spec value on one line."""
    match content:
        case None:
            return "not set"
        case bool():
            return "true" if content else "false"
        case str():
            return cut(safe(content)) if content else '""'
        case Mapping():
            return cut("{" + ", ".join(f"{safe(str(key))}: {value(item)}" for key, item in content.items()) + "}")
        case Sequence():
            return cut("[" + ", ".join(value(item) for item in content) + "]")
        case _:
            return str(content)


def before_and_after(change: FieldChange) -> tuple[str, str]:
    """Both values of a field change; of long lists only what left and what came."""
    before, after = change.before, change.after
    if change.path[-1] == "digest" and fields.row(change.path):
        return _digest(before), _digest(after)
    if _is_long(before) or _is_long(after):
        old, new = before or [], after or []
        return _names([item for item in old if item not in new]), _names([item for item in new if item not in old])
    return value(before), value(after)


def _digest(content: Any) -> str:
    return short_digest(safe(str(content))) if content else value(content)


def _is_long(content: Any) -> bool:
    return isinstance(content, list) and len(content) > LONGEST_LIST


def _names(items: Sequence[Any]) -> str:
    return f"[… {', '.join(value(item) for item in items)}]" if items else "[…]"


def direction(change: FieldChange, *, ascii_only: bool = False) -> str:
    """Which way a field change moves privacy, as sign and word; empty when it does not."""
    words = fields.words(change.path, change.privacy)
    signs = ASCII_SIGNS if ascii_only else SIGNS
    return f"{signs[change.privacy]} {words}" if words else ""


def to_ascii(text: str) -> str:
    """Text for terminals that have only ASCII."""
    for sign, instead in (("▼", "v"), ("▲", "^"), ("✔", "ok"), ("✘", "x"), ("…", "..."), ("·", "-"), ("–", "-")):
        text = text.replace(sign, instead)
    return text.encode("ascii", "replace").decode("ascii")
