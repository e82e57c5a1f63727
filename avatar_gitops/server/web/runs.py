"""The list of runs."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi.responses import Response

from avatar_gitops.server.requests import public_origin
from avatar_gitops.server.web.run_list import list_runs
from avatar_gitops.server.web.visit import Visit
from avatar_gitops.server.web.words import RunState

MOST_DIGITS: Final = 6


def show(visit: Visit) -> Response:
    """The runs of the visitor, newest first, found by name and state."""
    search, wanted, number = visit.asked("q")[:200], visit.asked("state"), visit.asked("page", "1")
    state = RunState(wanted) if wanted in set(RunState) else None
    number = number if number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS else "1"
    found = list_runs(visit.platform.engine, visit.account.id, search=search, state=state, number=int(number))

    def link(**changed: str | int) -> str:
        """This list with another state or page."""
        kept: dict[str, str | int] = {"q": search, "state": state or "", **changed}
        query = urlencode({name: value for name, value in kept.items() if value not in {"", 1}})
        return f"/?{query}" if query else "/"

    return visit.page(
        "runs.html",
        found=found,
        search=search,
        state=state,
        states=list(RunState),
        link=link,
        origin=public_origin(visit.request),
        done=visit.asked("done"),
    )
