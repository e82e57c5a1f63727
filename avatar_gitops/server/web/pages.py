"""Templates into pages: the environment, and how moments, sizes, counts and states are written on them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import jinja2
from markupsafe import Markup

from avatar_gitops import __version__
from avatar_gitops.server.web.static import static_url
from avatar_gitops.server.web.words import ERRORS, NOTICES, RUN_WORDS, STATUS_WORDS

UNITS: Final = ("kB", "MB", "GB", "TB")


def render(template: str, **context: Any) -> str:
    """The text of a page."""
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("avatar_gitops.server.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "size": size, "phrase": HTTPStatus}
    environment.globals |= {
        "static": static_url,
        "version": __version__,
        "errors": ERRORS,
        "notices": NOTICES,
        "run_words": RUN_WORDS,
        "status_words": STATUS_WORDS,
        "plural": plural,
    }
    return environment


def moment(text: str) -> Markup:
    """A stored moment for people, in UTC and marked so."""
    stored = datetime.fromisoformat(text).astimezone(UTC)
    machine = stored.isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M} UTC</time>').format(machine, stored)


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 1000:
        return plural(count, "byte")
    amount = float(count)
    for unit in UNITS:
        amount /= 1000
        if amount < 999.5 or unit == UNITS[-1]:
            break
    return f"{amount:.3g} {unit}" if amount < 100 else f"{amount:.0f} {unit}"


def duration(start: str, end: str) -> str:
    """The time between two stored moments, as `2m 58s`."""
    seconds = round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    if seconds < 1:
        return "under 1s"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"
