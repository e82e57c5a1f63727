"""The words of the pages that stand for values: states of runs and jobs, kinds of results, errors and notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avatar_gitops.wire.models import JobStatus, ResultKind


@dataclass(slots=True, frozen=True)
class Word:
    """A state as a sign, a word, and a tone that only repeats what they say."""

    sign: str
    text: str
    tone: str


class RunState(StrEnum):
    """What the jobs of a run amount to."""

    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    CANCELLED = "cancelled"
    FINISHED = "finished"

    @property
    def over(self) -> bool:
        """Whether nothing runs or waits any more."""
        return self not in {RunState.RUNNING, RunState.WAITING}


RUN_WORDS: Final[Mapping[str, Word]] = {
    RunState.RUNNING: Word("◐", "Running", "busy"),
    RunState.WAITING: Word("·", "Waiting", "idle"),
    RunState.FAILED: Word("✘", "Failed", "bad"),
    RunState.CANCELLED: Word("–", "Cancelled", "idle"),
    RunState.FINISHED: Word("✔", "Finished", "good"),
}
STATUS_WORDS: Final[Mapping[str, Word]] = {
    JobStatus.NEW: Word("·", "Waiting", "idle"),
    JobStatus.QUEUED: Word("·", "Waiting for other jobs", "idle"),
    JobStatus.CREATED: Word("·", "Ready to start", "idle"),
    JobStatus.PENDING: Word("◐", "Running", "busy"),
    JobStatus.FINISHED: Word("✔", "Finished", "good"),
    JobStatus.ERROR: Word("✘", "Failed", "bad"),
    JobStatus.PARENT_ERROR: Word("✘", "Not run: another job failed", "bad"),
    JobStatus.LOST: Word("✘", "Lost its worker", "bad"),
    JobStatus.ORPHANED: Word("✘", "Lost before it started", "bad"),
    JobStatus.CANCELLED: Word("–", "Cancelled", "idle"),
}
JOB_PURPOSES: Final[Mapping[str, str]] = {
    "standard": "Makes the avatars",
    "privacy_metrics": "Measures privacy",
    "signal_metrics": "Measures utility",
    "report": "Writes a report",
    "advice": "Advises on parameters",
}


@dataclass(slots=True, frozen=True)
class FileGroup:
    """Result files of one purpose; `sensitive` ones are given out after a confirmation only."""

    title: str
    about: str
    kinds: tuple[str, ...]
    sensitive: bool = False


FILE_GROUPS: Final = (
    FileGroup("Reports", "For reading, signing and filing.", (ResultKind.REPORT,)),
    FileGroup(
        "Avatars",
        "The anonymized tables, with their rows in random order. These are the files to share.",
        (ResultKind.SHUFFLED,),
    ),
    FileGroup(
        "Measurements",
        "Metrics, advice and facts of the run as JSON.",
        (
            ResultKind.PRIVACY_METRICS,
            ResultKind.SIGNAL_METRICS,
            ResultKind.PRIVACY_METRICS_SUMMARY,
            ResultKind.SIGNAL_METRICS_SUMMARY,
            ResultKind.ADVICE,
            ResultKind.RUN_METADATA,
        ),
    ),
    FileGroup("Projections of avatars", "Coordinates of the avatars in the model.", (ResultKind.AVATAR_PROJECTIONS,)),
    FileGroup(
        "Sensitive results",
        "These files link avatars to the people they were made from. They are personal data: keep them inside, and"
        " never publish them.",
        (ResultKind.UNSHUFFLED, ResultKind.ORIGINAL_PROJECTIONS),
        sensitive=True,
    ),
)
KIND_WORDS: Final[Mapping[str, str]] = {
    ResultKind.REPORT: "Report",
    ResultKind.SHUFFLED: "Avatars, rows in random order",
    ResultKind.UNSHUFFLED: "Avatars in the order of the originals",
    ResultKind.ORIGINAL_PROJECTIONS: "Coordinates of the originals",
    ResultKind.AVATAR_PROJECTIONS: "Coordinates of the avatars",
    ResultKind.PRIVACY_METRICS: "Privacy metrics",
    ResultKind.SIGNAL_METRICS: "Utility metrics",
    ResultKind.PRIVACY_METRICS_SUMMARY: "Privacy metrics, summary of tables",
    ResultKind.SIGNAL_METRICS_SUMMARY: "Utility metrics, summary of tables",
    ResultKind.ADVICE: "Advice on parameters",
    ResultKind.RUN_METADATA: "Facts of the run",
}
SENSITIVE_MEANINGS: Final[Mapping[str, str]] = {
    ResultKind.UNSHUFFLED: "Row i of this file is the avatar of person i of the original table. Whoever holds both"
    " knows which avatar belongs to whom.",
    ResultKind.ORIGINAL_PROJECTIONS: "Each row of this file is one real person, as coordinates computed from the"
    " person's values.",
}
FIGURE_WORDS: Final[Mapping[str, str]] = {
    "2d_projection": "Originals and avatars on the first two axes of the model",
    "3d_projection": "Originals and avatars on the first three axes of the model",
    "correlation": "Correlations of originals and of avatars",
    "correlation_difference": "Difference of the correlations",
    "contribution": "Contribution of columns to the axes",
    "distribution": "Distribution of a column among originals and avatars",
    "aggregate_stats": "Mean and standard deviation of columns, originals and avatars",
    "raw_series": "Series of originals and avatars",
    "normalized_series": "Normalized series of originals and avatars",
    "class_projection_2d": "Projection coloured by class",
    "metrics_summary": "Privacy metrics at a glance",
}


@dataclass(slots=True, frozen=True)
class Trouble:
    """An error in words: what happened, what to do."""

    title: str
    text: str
    way: str = "/"
    label: str = "Go to the runs"


ERRORS: Final[Mapping[int, Trouble]] = {
    403: Trouble("Not allowed", "Nothing was changed. Go back, reload the page and try again."),
    404: Trouble(
        "Not found",
        "There is no such page, or it is not yours to see. A run is gone once its jobs were deleted.",
    ),
    405: Trouble("Not possible here", "This address does not do that. Nothing was changed."),
    409: Trouble("Too late", "What you asked for is no longer possible. Nothing was changed."),
    410: Trouble("No longer there", "The file was removed when its retention ended. Run again to make it anew."),
    413: Trouble("Too much", "The form is larger than any of our pages sends. Nothing was changed."),
    415: Trouble("Not a form", "This address takes the forms of these pages only. Nothing was changed."),
    422: Trouble("Not understood", "The form could not be read. Nothing was changed."),
    429: Trouble("Too many attempts", "Wait a minute, then try again.", "/sign-in", "Go to the sign-in page"),
    500: Trouble(
        "Something is broken here",
        "The fault is ours, and the server has noted it. Try again; if it stays, tell your administrator when it"
        " happened.",
    ),
    503: Trouble(
        "The server is stopping",
        "Running jobs are queued again and go on after the next start; nothing is lost. Reload this page in a moment.",
    ),
}
NOTICES: Final[Mapping[str, str]] = {
    "cancelled": "The run is being cancelled.",
    "deleted": "The run was deleted with its results.",
    "revoked": "The API key was revoked. Programs that use it are refused from now on.",
    "sessions": "All your other sessions were ended.",
    "password": "The password is set. Sign in with it.",
    "password-changed": "The password was changed, and all your other sessions were ended.",
    "confirmed": "Your e-mail address is confirmed. You can sign in.",
    "signed-out": "You are signed out.",
}
