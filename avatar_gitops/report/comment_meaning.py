"""What a change that runs nothing, or takes something away, means in plain words: folds of a comment."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_gitops.plan.model import Action, Change, Plan, Reason
from avatar_gitops.report import plan_words as words
from avatar_gitops.report.plan_markdown import escape


def folds(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Title as HTML and text as Markdown of a fold for each change whose name does not say all that it does."""
    for change in plan.effective:
        word, text = _meaning(change)
        if text:
            yield f"What <b>{word}</b> means for <code>{change.set}</code>", (text,)


def _meaning(change: Change) -> tuple[str, str]:
    match change.action:
        case Action.DELETE:
            word = "the end of retention" if change.reason is Reason.RETENTION_DUE else "delete"
            return word, _deletion(change)
        case Action.RENAME:
            former = ", ".join(f"`{name}`" for name in change.moved_from)
            return "rename", (
                f"Lock file and artifacts of {former} go to the new name. Nothing runs again and nothing on the server "
                "changes: versions that are there keep the name that they were made with."
            )
        case Action.ADOPT:
            made = f"version {change.current.id[:8]}" if change.current else "the version"
            return "adopt", (
                f"Somebody else made {escape(made)} on the server. Its results are fetched and, if the gates pass, "
                "published under this spec. Nothing runs. From then on it counts as ours."
            )
        case Action.COLLECT if change.reason is Reason.PREVIEWED:
            return "promoted preview", (
                "The full run of the preview is on the server already, made from these data and this spec. Its results "
                "are fetched and, if the gates pass, published. Nothing runs again."
            )
    return "", ""


def _deletion(change: Change) -> str:
    gone = words.deletion(change)
    due = f"Its results may be kept until {escape(change.due)}, and that day is over. " if change.due else ""
    what = f"{gone} are deleted on the server" if gone else "Nothing is left on the server"
    return f"{due}{what}; its lock file and its artifacts go too, a receipt stays. The data file is not touched."
