"""The embedded Avatar platform: `serve` is a server, `start` borrows one for the duration of a command."""

from __future__ import annotations

from avatar_gitops.server.lifecycle import ServeOptions, serve
from avatar_gitops.server.local import LocalServer, start

__all__ = ["LocalServer", "ServeOptions", "serve", "start"]
