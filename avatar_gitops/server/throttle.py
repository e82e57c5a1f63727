"""Rate limits in memory that never grows: how often an address or an account may try something.

Each key has its theoretical arrival time (GCRA, ITU-T I.371) in a table of fixed size, at one place in each row of it.
The earliest of the places counts (as in a count-min sketch), so a flood of other keys can only make a limit stricter,
never forget one. A restart forgets all.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

ROWS: Final = 3
PLACES: Final = 1 << 16  # in each row; 1.5 MB together


@dataclass(slots=True, frozen=True)
class Rate:
    """So many at once, then one more after each `every` seconds."""

    burst: int
    every: float


@dataclass(slots=True, frozen=True)
class Claim:
    """One use of a limit by whom or what the key names."""

    rate: Rate
    key: str


# Every refresh and password check of an address; guesses at one account from one address; at one account from anywhere.
BY_ADDRESS: Final = Rate(60, 1.0)
BY_ACCOUNT_AND_ADDRESS: Final = Rate(10, 10.0)
BY_ACCOUNT: Final = Rate(50, 5.0)
# Mails to one account must stay few, or the form is a way to flood a mailbox.
MAILS_BY_ADDRESS: Final = Rate(20, 30.0)
MAILS_BY_ACCOUNT: Final = Rate(3, 600.0)
TOKENS_BY_ADDRESS: Final = Rate(20, 10.0)
# Calls about users and keys of one account.
MANAGEMENT: Final = Rate(120, 0.5)
# Notes of when a key was last used.
USES: Final = Rate(1, 60.0)
# Lines of the audit log about refused requests of one address.
REFUSALS: Final = Rate(60, 1.0)


class Throttle:
    """The limits of one server."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, places: int = PLACES) -> None:
        self._clock, self._places = clock, places
        self._arrivals = array("d", [0.0]) * (ROWS * places)
        self._secret = secrets.token_bytes(16)  # nobody can look for keys that share the place of another one
        self._lock = Lock()

    def take(self, claims: Sequence[Claim]) -> float:
        """Count all of the claims and return 0, or count none and return the seconds until all can be made."""
        with self._lock:
            now = self._clock()
            places = [self._places_of(claim) for claim in claims]
            arrivals = [max(now, min(self._arrivals[place] for place in found)) for found in places]
            wait = max(
                arrival + claim.rate.every * (1 - claim.rate.burst) - now
                for claim, arrival in zip(claims, arrivals, strict=True)
            )
            if wait > 0:
                return wait
            for claim, found, arrival in zip(claims, places, arrivals, strict=True):
                for place in found:
                    self._arrivals[place] = max(self._arrivals[place], arrival + claim.rate.every)
            return 0.0

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Undo what `take` counted for something that turned out well."""
        with self._lock:
            for claim in claims:
                for place in self._places_of(claim):
                    self._arrivals[place] -= claim.rate.every

    def _places_of(self, claim: Claim) -> list[int]:
        text = f"{claim.rate.burst}/{claim.rate.every}/{claim.key}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(text, digest_size=8 * ROWS, key=self._secret).digest()
        numbers = (int.from_bytes(digest[8 * row : 8 * row + 8], "big") for row in range(ROWS))
        return [row * self._places + number % self._places for row, number in enumerate(numbers)]


def sign_in_claims(address: str, email: str) -> list[Claim]:
    """What one try of a password costs."""
    account = f"sign-in {email.strip().lower()}"
    return [
        Claim(BY_ADDRESS, f"sign-in {address}"),
        Claim(BY_ACCOUNT_AND_ADDRESS, f"{account} {address}"),
        Claim(BY_ACCOUNT, account),
    ]


def mail_claims(address: str, email: str) -> list[Claim]:
    """What one request for a mail costs, whether or not anybody has the address."""
    return [
        Claim(MAILS_BY_ADDRESS, f"mail {address}"),
        Claim(MAILS_BY_ACCOUNT, f"mail {email.strip().lower()}"),
    ]
