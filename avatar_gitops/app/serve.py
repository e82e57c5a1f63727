"""`serve`: the embedded platform in the foreground, its backup and restoration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avatar_gitops.errors import UsageError
from avatar_gitops.server.callers import is_loopback

if TYPE_CHECKING:
    from avatar_gitops.server.backup import Saved
    from avatar_gitops.server.lifecycle import Ready, ServeOptions
    from avatar_gitops.server.state import Address

__all__ = ["Address", "Ready", "ServeOptions", "is_loopback", "serve"]


def serve(options: ServeOptions, ready: Ready) -> None:
    """Serve until SIGTERM or SIGINT; `ready` gets the address and the path of `client.env`."""
    try:
        from avatar_gitops.server.app import create_app  # noqa: F401 - shows whether the extra is installed
        from avatar_gitops.server.lifecycle import serve as run
    except ImportError as error:
        raise not_installed(error) from None
    run(options, ready)


def not_installed(error: ImportError) -> UsageError:
    """What to say when a library of the embedded platform is missing."""
    return UsageError(
        f"the embedded platform is not installed ({error.name} is missing)", hint="pip install 'avatar-gitops[local]'"
    )


def back_up(state_dir: Path, target: Path) -> Saved:
    """Back up the state folder of a server that may run."""
    from avatar_gitops.server import backup

    return backup.back_up(state_dir, target)


def restore(source: Path, state_dir: Path) -> Saved:
    """Make a state folder of a backup."""
    from avatar_gitops.server import backup

    return backup.restore(source, state_dir)
