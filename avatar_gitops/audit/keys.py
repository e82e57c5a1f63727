"""Ed25519 keys: made, read from PEM, and written as people compare them: `ed25519:` and 64 hexadecimal digits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from avatar_gitops.errors import AvatarGitOpsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX: Final = "ed25519:"
PUBLIC: Final = re.compile(r"ed25519:[0-9a-f]{64}")
MOST_BYTES: Final = 64 << 10


class KeyUnusable(AvatarGitOpsError):
    """A text is not the key that is needed; what it says instead is never told."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; `public` is the text of its public half."""

    public: str
    _key: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The signature of some bytes, 64 bytes long (RFC 8032)."""
        return self._key.sign(message)

    def pem(self) -> bytes:
        """The private key as PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_key() -> SigningKey:
    """A key that nobody had before."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _signing(Ed25519PrivateKey.generate())


def signing_key(pem: bytes) -> SigningKey:
    """The private key in a PEM text without password. Raises KeyUnusable."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("it is not a private key in PEM without password") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyUnusable("it is a private key of another kind than ed25519")
    return _signing(found)


def public_key(content: bytes) -> str:
    """The public key in a file, in PEM or as `ed25519:HEX`, as its text. Raises KeyUnusable."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    text = content[:MOST_BYTES].decode("ascii", "replace").strip()
    if PUBLIC.fullmatch(text):
        return text
    if "PRIVATE KEY" in text:
        raise KeyUnusable("it holds a private key; only its owner should have that, and the public key is enough here")
    try:
        found = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable("it holds no public key, neither in PEM nor as ed25519:HEX") from None
    if not isinstance(found, Ed25519PublicKey):
        raise KeyUnusable("it holds a public key of another kind than ed25519")
    return _text(found)


def public_pem(key: str) -> str:
    """A public key in PEM, as `openssl` reads it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.removeprefix(PREFIX)))
    return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def verified(key: str, signature: bytes, message: bytes) -> bool:
    """Whether a signature of some bytes was made with the private half of a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.removeprefix(PREFIX))).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def short(key: str) -> str:
    """A public key as it is shown beside others: `ed25519:` and its first eight digits."""
    return key[: len(PREFIX) + 8]


def _signing(key: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(_text(key.public_key()), key)


def _text(key: Any) -> str:
    return f"{PREFIX}{key.public_bytes_raw().hex()}"
