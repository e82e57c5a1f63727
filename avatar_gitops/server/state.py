"""The state folder: which file is what, who may read it, and the secret that storage keys are derived from."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.errors import UsageError

PROBE_BYTES: Final = 1 << 16  # less cannot hold a database


@dataclass(slots=True, frozen=True)
class StateFolder:
    """Paths inside one state folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "platform.sqlite3"

    @property
    def blobs(self) -> Path:
        """Object bytes, one file per blob, never changed after creation."""
        return self.root / "blobs"

    @property
    def incoming(self) -> Path:
        """Bodies and results that are not complete yet; emptied at every start."""
        return self.root / "incoming"

    @property
    def holders(self) -> Path:
        """One locked file per process that uses a server started on demand."""
        return self.root / "holders"

    @property
    def lock(self) -> Path:
        return self.root / "server.lock"

    @property
    def address(self) -> Path:
        """Process id and base URL of the running server."""
        return self.root / "server.json"

    @property
    def client_env(self) -> Path:
        return self.root / "client.env"

    @property
    def secret(self) -> Path:
        return self.root / "storage.secret"

    @property
    def identity(self) -> Path:
        """The name of the server over this folder, by which it knows its own jobs in a database that it shares."""
        return self.root / "server.id"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def audit_log(self) -> Path:
        """Who signed in, who was refused, what administrators did."""
        return self.root / "audit.log"

    def create(self) -> None:
        """Make the folder and its parts, readable by the owner only."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for folder in (self.blobs, self.incoming, self.holders):
            folder.mkdir(exist_ok=True, mode=0o700)

    def storage_secret(self) -> bytes:
        """The secret of this installation, made on first use."""
        if not self.secret.exists():
            write_private(self.secret, secrets.token_hex(32))
        return bytes.fromhex(self.secret.read_text(encoding="ascii").strip())

    def server_id(self) -> str:
        """The name of the server over this folder, made on first use."""
        if not self.identity.exists():
            write_private(self.identity, secrets.token_hex(8))
        return self.identity.read_text(encoding="ascii").strip()


def create_writable(state: StateFolder) -> None:
    """Make the folder and its parts, and see that files can be written there.

    Raises:
        UsageError: they cannot.
    """
    try:
        state.create()
        probe = state.root / ".probe"
        write_private(probe, "x" * PROBE_BYTES)
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"The state folder {state.root} cannot be written: {error.strerror or type(error).__name__}.",
            hint="Free some space, mount it writable, give this user the right to write there, or choose another folder"
            " with --state-dir.",
        ) from None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; no other user can read it at any moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp opens with 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_client_env(path: Path) -> dict[str, str]:
    """The variables of a `client.env`, or nothing when there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


@dataclass(slots=True, frozen=True)
class Address:
    """Where a running server answers."""

    pid: int
    base_url: str


def read_address(path: Path) -> Address | None:
    """The published address, or None when no server has published one."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Address(pid=int(plain["pid"]), base_url=str(plain["base_url"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None


def write_address(path: Path, address: Address) -> None:
    """Publish the address."""
    write_private(path, json.dumps({"pid": address.pid, "base_url": address.base_url}))
