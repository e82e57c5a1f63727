"""The key that evidence is signed with, from the environment, and the public keys whose signatures count."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from avatar_gitops.audit import dsse
from avatar_gitops.audit.keys import MOST_BYTES, KeyUnusable, SigningKey, new_key, public_key, public_pem, signing_key
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.project import Project

Seal = Callable[[bytes], bytes]
"""From a statement to its signed envelope."""

FILE_SUFFIX: Final = "_FILE"
PRIVATE: Final = 0o600


def seal_of(project: Project, environment: Mapping[str, str]) -> Seal | None:
    """How the project signs; None when it names no key. Raises UsageError when the key is not there or no key."""
    key = key_of(project, environment)
    return None if key is None else lambda payload: dsse.sealed(payload, key)


def key_of(project: Project, environment: Mapping[str, str]) -> SigningKey | None:
    """The private key that the project refers to; None when it names none. Raises UsageError."""
    reference = project.spec.signing.key if project.spec.signing else None
    if reference is None:
        return None
    name = reference.removeprefix("env/")
    try:
        return signing_key(_content(name, environment))
    except KeyUnusable as problem:
        raise UsageError(
            f"the signing key in {name} cannot be used: {problem.message}",
            hint="make one: avatar-gitops audit key new FILE",
        ) from None


def _content(name: str, environment: Mapping[str, str]) -> bytes:
    if value := environment.get(name):
        return value.encode()
    if place := environment.get(name + FILE_SUFFIX):
        return _read(Path(place), f"the file that {name}{FILE_SUFFIX} names")
    raise UsageError(
        f"the project signs its evidence, and neither {name} nor {name}{FILE_SUFFIX} is set",
        hint=f"export {name}{FILE_SUFFIX}=FILE (a private key in PEM); avatar-gitops audit key new FILE makes one",
    )


def write_key(path: Path) -> str:
    """Write a new private key, for its owner only, and return its public half. Raises UsageError when it is there."""
    key = new_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {path.parent} cannot be made ({_reason(error)})") from None
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint="a key is never overwritten; name another file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({_reason(error)})") from None
    with os.fdopen(handle, "wb") as stream:
        stream.write(key.pem())
    return key.public


def public_of(path: Path, *, pem: bool = False) -> str:
    """The public key of a private or public one in a file. Raises UsageError."""
    content = _read(path, str(path))
    try:
        key = signing_key(content).public if b"PRIVATE KEY" in content else public_key(content)
    except KeyUnusable as problem:
        raise UsageError(f"{path} cannot be used: {problem.message}") from None
    return public_pem(key) if pem else key


def trusted(project: Project | None, files: Sequence[Path]) -> Mapping[str, str]:
    """Public key to its name: those of `--trust-key` files when there are any, else those of the project.

    Raises UsageError for a file that holds no public key.
    """
    if not files:
        return {one.key: one.name for one in project.spec.signing.trusted} if project and project.spec.signing else {}
    found: dict[str, str] = {}
    for path in files:
        try:
            found[public_key(_read(path, str(path)))] = path.name
        except KeyUnusable as problem:
            raise UsageError(f"{path} is no key to trust: {problem.message}") from None
    return found


def _read(path: Path, what: str) -> bytes:
    """The beginning of a file, as much as a key can have. Raises UsageError."""
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{what} cannot be read ({_reason(error)})") from None


def _reason(error: OSError) -> str:
    return error.strerror or "unknown reason"
