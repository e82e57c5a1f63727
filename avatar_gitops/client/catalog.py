"""What a server holds under a name, whoever made it: sets with their owner, and their documents as they are stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from avatar_gitops.client import api
from avatar_gitops.client.gateway import server_set
from avatar_gitops.client.ownership import annotations_of
from avatar_gitops.client.transport import Transport
from avatar_gitops.plan.observed import ServerSet
from avatar_gitops.ports import Clock
from avatar_gitops.wire.models import JobKind, JobResponse


@dataclass(frozen=True, slots=True)
class Entry:
    """One set with its documents as text."""

    version: ServerSet
    documents: str


class Catalog:
    """Read access to the sets of one key, by name or id."""

    def __init__(self, base_url: str, api_key: str, *, clock: Clock, verify: bool = True) -> None:
        self._http = Transport(base_url, api_key, clock=clock, verify=verify)
        self.server = self._http.server

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find(self, wanted: str) -> tuple[Entry, ...]:
        """Sets with this display name or this id, newest first; sets that only gave advice are none."""
        listed: dict[str, list[JobResponse]] = defaultdict(list)
        for job in api.list_jobs(self._http):
            if wanted in {job.display_name, str(job.set_name)} and job.kind != JobKind.ADVICE:
                listed[str(job.set_name)].append(job)
        found = []
        for set_id, jobs in listed.items():
            documents = api.get_documents(self._http, set_id)
            found.append(Entry(server_set(set_id, jobs, annotations_of(documents)), documents))
        return tuple(sorted(found, key=lambda entry: (entry.version.created_at, entry.version.id), reverse=True))
