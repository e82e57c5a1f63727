"""What is known around a plan and changes nothing of what apply would do: none of it is part of a digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Base:
    """What an offline plan was compared with: the lock files of a commit, or those on disk when `commit` is empty.

    `ref` says how that commit was found, such as "merge base with origin/main".
    """

    commit: str = ""
    ref: str = ""


class Why(StrEnum):
    """Why a data file was not compared with what was published."""

    NOT_HERE = "not_here"
    NO_KEY = "no_key"


@dataclass(frozen=True, slots=True)
class NotCompared:
    """One data file of a set that an offline plan takes to be as it was published."""

    set: str
    table: str
    why: Why


@dataclass(frozen=True, slots=True)
class Context:
    """Where a plan comes from. `offline` is set when no server was asked.

    `removed_in` maps sets that left git to the commit in which they did. `credits` are those left on the server, where
    it counts them.
    """

    offline: Base | None = None
    not_compared: tuple[NotCompared, ...] = ()
    removed_in: Mapping[str, str] = field(default_factory=dict)
    credits: int | None = None
