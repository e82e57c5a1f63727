"""DSSE envelopes: a statement and the signatures over it, as in-toto and Sigstore exchange them.

Signed is not the statement alone but its kind, too: `DSSEv1`, then type and statement with their lengths
(https://github.com/secure-systems-lab/dsse, protocol 1.0.2).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.audit.keys import PUBLIC, SigningKey, verified

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


class NotAnEnvelope(ValueError):
    """Some bytes are no envelope that this program could have written; the text says why."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement and its signatures, by the text of the public key that each claims."""

    payload: bytes
    signatures: Mapping[str, bytes]

    def signed_by(self, keys: Collection[str]) -> tuple[str, ...]:
        """Which of these keys have signed the statement."""
        message = encoded(self.payload)
        return tuple(key for key in sorted(keys) if key in self.signatures and self._valid(key, message))

    def broken(self) -> tuple[str, ...]:
        """Claimed keys whose signature is not one of theirs over this statement."""
        message = encoded(self.payload)
        return tuple(key for key in sorted(self.signatures) if not self._valid(key, message))

    def _valid(self, key: str, message: bytes) -> bool:
        return verified(key, self.signatures[key], message)


def encoded(payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of a statement."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sealed(payload: bytes, key: SigningKey) -> bytes:
    """The envelope of a statement, signed with a key. The same key gives the same bytes."""
    signature = base64.b64encode(key.sign(encoded(payload))).decode("ascii")
    return _text(base64.b64encode(payload).decode("ascii"), [{"keyid": key.public, "sig": signature}])


def opened(content: bytes) -> Envelope:
    """The envelope in a file. Raises NotAnEnvelope also for one in another form than `sealed` writes."""
    try:
        found: Any = json.loads(content)
        signatures = {str(item["keyid"]): _decoded(item["sig"]) for item in found["signatures"]}
        payload = _decoded(found["payload"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotAnEnvelope("it is not a DSSE envelope") from None
    if not signatures or not all(map(PUBLIC.fullmatch, signatures)):
        raise NotAnEnvelope("it names no ed25519 key that signed it")
    if found.get("payloadType") != PAYLOAD_TYPE or _text(found["payload"], found["signatures"]) != content:
        raise NotAnEnvelope("it is not written as avatar-gitops writes envelopes")
    return Envelope(payload, signatures)


def _decoded(text: Any) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError):
        raise ValueError from None
    if base64.b64encode(content).decode("ascii") != text:  # one content, one text
        raise ValueError
    return content


def _text(payload: str, signatures: Any) -> bytes:
    content = {"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
