"""What looks like a secret: in a line of text, in a value, under a key. Errs on the side of hiding."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

REFERENCE: Final = re.compile(r"env/[A-Za-z_][A-Za-z0-9_]*\Z")
SECRET_KEY: Final = re.compile(
    r"(?i)(^|[_-])(pass(word|wd|phrase)?|pwd|secrets?|token|credentials?|sas"
    r"|(api|access|account|private|digest|sas)[_-]?key)\Z"
    r"|password|passphrase|secret_|access_key|accesskey|api_?key|(session|bearer|auth|refresh)_?token|private_?key"
)
HARMLESS_KEYS: Final = frozenset({"primary_key", "foreign_key"})
SECRET_VALUES: Final = (
    (re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:(?P<secret>[^/\s@]+)@"), "a password in a URL"),
    (re.compile(r"(?P<secret>octopize_apikey\.[^\s\"']+)"), "an Avatar API key"),
    (re.compile(r"(?P<secret>\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)"), "an AWS access key"),
    (
        re.compile(r"(?P<secret>\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,})"),
        "an access token",
    ),
    (re.compile(r"(?P<secret>\bsk[-_](?:live|test|ant|proj)?[-_]?[A-Za-z0-9]{16,})"), "an API key"),
    (re.compile(r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----)"), "a private key"),
    (re.compile(r"(?P<secret>\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)"), "an access token"),
    (
        re.compile(
            r"(?i)[?&;](?:sig|signature|x-amz-signature|x-amz-credential|access_token|token|key)=(?P<secret>[^&\s]+)"
        ),
        "a signed URL",
    ),
)
SHORTEST: Final = len("octopize_apikey.x")  # a shorter text can only hold a secret in a URL or behind a `=`
TOKEN: Final = re.compile(r"[A-Za-z0-9+=]{28,}")
DIGEST: Final = re.compile(r"(hmac-)?sha256:[0-9a-f]{64}\Z")
MIN_ENTROPY: Final = 3.8
LINE: Final = re.compile(
    r"""(?x) ^[\s\-{]* (?P<quote>["']?) (?P<key>[\w.-]+) (?P=quote) \s*:\s+ (?P<value>[^\s{\[].*?)\s*$"""
)
INNER: Final = re.compile(r"""["']?(?P<key>[\w.-]+)["']?\s*:\s+(?P<value>[^,{}\[\]\s][^,}\]]*)""")
MASK: Final = "********"


def is_reference(value: str) -> bool:
    """Whether a text names an environment variable, `env/NAME`, instead of holding a value."""
    return REFERENCE.match(value) is not None


def is_secret_key(key: str) -> bool:
    """Whether what stands under this key is a secret by its name."""
    return key not in HARMLESS_KEYS and SECRET_KEY.search(key) is not None


def secret_in(value: str) -> str | None:
    """What kind of secret a text seems to hold, None if it seems to hold none."""
    if (len(value) < SHORTEST and "=" not in value and "://" not in value) or DIGEST.match(value):
        return None
    for pattern, kind in SECRET_VALUES:
        found = pattern.search(value)
        if found and not found["secret"].startswith("env/"):
            return kind
    return "a long random token" if any(_is_random(word) for word in TOKEN.findall(value)) else None


def _is_random(word: str) -> bool:
    classes = sum(any(test(letter) for letter in word) for test in (str.isupper, str.islower, str.isdigit))
    digit_runs = len(re.findall(r"\d+", word))  # names of columns have capitals and a year, hardly three numbers
    counts = Counter(word)
    entropy = -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values())
    return classes == 3 and digit_runs >= 3 and entropy >= MIN_ENTROPY


def secret_columns(line: str) -> list[tuple[int, int]]:
    """0-based ranges of a line of YAML that must not be shown, found without parsing it."""
    ranges = [found.span("secret") for pattern, _ in SECRET_VALUES for found in pattern.finditer(line)]
    if not DIGEST.search(line):
        ranges += [found.span() for found in TOKEN.finditer(line) if _is_random(found[0])]
    for pattern in (LINE, INNER):
        ranges += [
            found.span("value")
            for found in pattern.finditer(line)
            if is_secret_key(found["key"]) and not is_reference(found["value"].strip("\"'")) and found["value"] != "|"
        ]
    return ranges


def mask(line: str, ranges: list[tuple[int, int]]) -> str:
    """The line with every range replaced by eight stars."""
    for start, end in reversed(join_ranges(ranges)):
        line = line[:start] + MASK + line[end:]
    return line


def join_ranges(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in order, those that touch or overlap made one, empty ones left out."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined


def shown(value: object) -> str:
    """A value of a spec for a message: as YAML writes it, cut to 60 characters, hidden if it looks like a secret."""
    if isinstance(value, str) and secret_in(value):
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:40]}…{text[-15:]}"
