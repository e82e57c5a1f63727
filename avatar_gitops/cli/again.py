"""What `resume` and `retry` share: the options of an apply that goes on from the journal, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from avatar_gitops.cli import options

if TYPE_CHECKING:
    from avatar_gitops.app.apply import How
    from avatar_gitops.app.plan import Consent

OPTIONS: Final = (
    options.project_option,
    options.server_option,
    click.option("--yes", is_flag=True, help="Answer the question with yes; needed where there is no terminal."),
    options.select_options,
    options.parallelism_option,
    options.lock_option,
    options.consent_options,
    options.approved_option,
    options.author_option,
    options.progress_option,
    options.events_option,
    options.quiet_option,
    options.verbose_option,
    options.color_option,
    options.ascii_option,
)


def again_options(command: options.Command) -> options.Command:
    """The options of both commands, in the order of their help."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options ask for."""

    project: Path | None
    server: str | None
    consent: Consent
    how: How


def asked(given: Mapping[str, Any]) -> Asked:
    """The options of one call."""
    from avatar_gitops.app.apply import How
    from avatar_gitops.app.plan import Consent
    from avatar_gitops.plan.select import Selection

    names = ("allow_delete", "allow_relaunch", "force", "approved_by", "author")
    selection = Selection(given["select"], given["exclude"])
    how = How(given["parallelism"], lock_timeout=given["lock_timeout"], selection=selection)
    return Asked(given["project"], given["server"], Consent.of(*(given[name] for name in names)), how)
