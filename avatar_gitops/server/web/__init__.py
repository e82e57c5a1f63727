"""The web application at `/`: sign-in, runs, metrics, figures, files, API keys and events, rendered by the server."""

from __future__ import annotations

from avatar_gitops.server.web.application import WebApplication

__all__ = ["WebApplication"]
