"""Webhooks: outcomes of sets and drift, posted once each to where the project file says, while the work goes on."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from avatar_gitops.client.webhooks import Target, post
from avatar_gitops.events import DiagnosticFound, DriftFound, Event, SetDone, Stream
from avatar_gitops.plan.drift import Drift
from avatar_gitops.plan.model import Change, Plan
from avatar_gitops.ports import Clock
from avatar_gitops.report.event_lines import as_data, stamped
from avatar_gitops.spec.canonical import digest
from avatar_gitops.spec.project import Project, Webhook, WebhookEvent, WebhookFormat
from avatar_gitops.workspace.notified import Notice, Notified

KEY: Final = "AVATAR_GITOPS_WEBHOOK_KEY"
FORMAT: Final = "avatar-gitops/notification"
CLOSE_SECONDS: Final = 30.0
LONGEST_TEXT: Final = 3000
MOST_EVENTS: Final = 50
NOTHING: Final = "none"


@dataclass(frozen=True, slots=True)
class Sender:
    """What telling needs, the same for every message. `server` is the server's name, never its address."""

    root: Path
    project: str
    server: str
    hooks: Sequence[Webhook]
    environment: Mapping[str, str]
    stream: Stream
    clock: Clock

    @staticmethod
    def of(
        root: Path, project: Project, server: str, environment: Mapping[str, str], told: tuple[Stream, Clock]
    ) -> Sender:
        """A sender for the webhooks of a project file."""
        stream, clock = told
        return Sender(root, project.metadata.name, server, project.spec.webhooks, environment, stream, clock)

    def tell(self, outcome: WebhookEvent, name: str, made_from: str, events: Sequence[Event]) -> None:
        """Post one outcome to every webhook that asks for it and was not told yet; what fails is a warning."""
        record = Notified.read(self.root)
        for hook in self.hooks:
            notice = Notice(_identity(hook), name, made_from, outcome.value)
            if outcome not in hook.on or record.told(notice):
                continue
            if trouble := self._post(hook, notice, events):
                self._warn(f"webhook {_reference(hook)} was not told about {name or 'drift'}: {trouble}")
            else:
                self._remember(record, notice)

    def drift_is_gone(self) -> None:
        """Remember that there is none any more, so that the next one is news again."""
        record = Notified.read(self.root)
        for hook in self.hooks:
            gone = Notice(_identity(hook), "", NOTHING, WebhookEvent.DRIFT.value)
            if record.knows(gone) and not record.told(gone):
                self._remember(record, gone)

    def _remember(self, record: Notified, notice: Notice) -> None:
        try:
            record.add(notice)
        except OSError as error:
            self._warn(f"{record.path.name} cannot be written: {error.strerror}")

    def _warn(self, text: str) -> None:
        self.stream(DiagnosticFound("warning", "", text))

    def _post(self, hook: Webhook, notice: Notice, events: Sequence[Event]) -> str:
        _, variable, *default = hook.url.split("/", 2)
        url = self.environment.get(variable) or (default[0] if default else "")
        if not url:
            return f"the environment variable {variable} is not set"
        target = Target(url, self.environment.get(KEY, "").encode())
        delivery = hashlib.sha256("\n".join([self.project, self.server, *notice_parts(notice)]).encode()).hexdigest()
        if hook.format is WebhookFormat.TEXT:
            content: dict[str, Any] = {"text": self._text(notice, events)}
        else:
            content = self._document(delivery, notice, events)
        trouble = post(target, json.dumps(content, ensure_ascii=False).encode(), delivery, clock=self.clock)
        return f"{target.host}: {trouble}" if trouble else ""

    def _document(self, delivery: str, notice: Notice, events: Sequence[Event]) -> dict[str, Any]:
        now = self.clock.now()
        shown = [data for event in events[:MOST_EVENTS] if (data := as_data(event))]
        return {
            "format": FORMAT,
            "version": "1.0",
            "id": delivery,
            "project": self.project,
            "server": self.server,
            "outcome": notice.outcome,
            "set": notice.set,
            "digest": notice.digest,
            "events": [stamped(_bounded(data), self.stream.run, now) for data in shown],
        }

    def _text(self, notice: Notice, events: Sequence[Event]) -> str:
        told = [text for event in events if (text := _sentence(event))]
        more = f"\nand {len(told) - MOST_EVENTS} more" if len(told) > MOST_EVENTS else ""
        text = f"{self.project} on {self.server}: " + "\n".join(told[:MOST_EVENTS]) + more
        return text[:LONGEST_TEXT]


class Notifier:
    """Listens to an apply and tells how its sets ended, from a thread of its own. Close it before the program ends."""

    def __init__(self, sender: Sender, plan: Plan) -> None:
        self._sender = sender
        self._made_from = {change.set: made_from(change) for change in plan.changes}
        self._waiting: queue.SimpleQueue[SetDone | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
        if sender.hooks:
            self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take note of how a set ended."""
        if isinstance(event, SetDone) and event.state in set(WebhookEvent):
            self._waiting.put(event)

    def close(self) -> None:
        """Wait until everything is told, for a while."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            self._sender.tell(WebhookEvent(event.state), event.set, self._made_from.get(event.set, ""), [event])


def notify_drift(sender: Sender, drift: Drift) -> None:
    """Tell drift once for each set of findings; when there is none any more, the next one is news again."""
    found = [DriftFound(item.set, item.kind.value, item.detail, item.path) for item in drift.findings]
    if found:
        sender.tell(WebhookEvent.DRIFT, "", digest([[event.set, event.kind, event.detail] for event in found]), found)
    else:
        sender.drift_is_gone()


def made_from(change: Change) -> str:
    """What a set is made from: spec and data; for a set that left git, what the change does."""
    wish = change.desired
    return digest([wish.digests.spec, wish.digests.input]) if wish else change.digest


def _identity(hook: Webhook) -> str:
    """Which of the webhooks it is: the same address may take both forms."""
    return f"{_reference(hook)} {hook.format.value}"


def _reference(hook: Webhook) -> str:
    """What the project file calls it, without a default, which may be an address."""
    return "/".join(hook.url.split("/", 2)[:2])


def notice_parts(notice: Notice) -> tuple[str, ...]:
    """What makes a message the same as an earlier one."""
    return notice.hook, notice.set, notice.digest, notice.outcome


def _sentence(event: Event) -> str:
    match event:
        case SetDone(name, action, state, message):
            return f"{name} {state.replace('_', ' ')}" + (f": {message}" if message else f" ({action})")
        case DriftFound(name, kind, detail, _):
            return f"drift in {name}, {kind.replace('_', ' ')}: {detail}"
        case _:
            return ""


def _bounded(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:500] if isinstance(value, str) else value for name, value in data.items()}
