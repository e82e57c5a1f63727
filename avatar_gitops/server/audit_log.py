"""The audit log of the server, as JSON lines: who signed in, who was refused, what administrators did.

A line holds ids, kinds and addresses of machines. It never holds a secret, a name that a user chose, or a value of a
table. The file is opened for each line, so it can be moved away at any time; the next line starts a new one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from avatar_gitops.server.database import now_text

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class Entry:
    """One line; `event` says what was tried, `outcome` how it ended, `actor` is a user id, the rest where it is known.

    `subject` stands for an e-mail address that belongs to nobody: equal for equal addresses, and not to be undone.
    """

    event: str
    outcome: str = "done"
    actor: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    subject: str | None = None
    address: str | None = None
    method: str | None = None
    route: str | None = None
    status: int | None = None
    request: str | None = None


class AuditLog:
    """Appends lines to one file that only its owner can read."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path, self._secret = path, secret

    def write(self, entry: Entry) -> None:
        """Add a line. A log that cannot be written is an error of the server's own log; the request goes on."""
        known = {name: value for name, value in asdict(entry).items() if value is not None}
        line = json.dumps({"time": now_text(), **known}) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, line.encode("ascii"))  # one call: lines of several processes do not mix
            finally:
                os.close(descriptor)
        except OSError as error:
            log.error("The audit log cannot be written: %s", error.strerror)

    def subject(self, email: str) -> str:
        """What stands for an address in the log."""
        text = email.strip().lower().encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, b"audit:" + text, hashlib.sha256).hexdigest()[:16]
