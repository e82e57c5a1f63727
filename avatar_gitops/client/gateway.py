"""An Avatar server as the reconciler's ports: `Reader` cannot write, `Gateway` can."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Final

from avatar_gitops.client import api, compile, results
from avatar_gitops.client.lease import StoredNote, key_of
from avatar_gitops.client.memory import Marks, Memory, Shelf
from avatar_gitops.client.objects import Objects
from avatar_gitops.client.ownership import annotations_of
from avatar_gitops.client.preflight import preflight
from avatar_gitops.client.refusals import clean
from avatar_gitops.client.sources import opened
from avatar_gitops.client.transport import Retries, Transport
from avatar_gitops.errors import AvatarGitOpsError, RemoteRefused, RemoteUnavailable
from avatar_gitops.events import Listener
from avatar_gitops.plan.desired import DesiredSet, avatars_input, input_name
from avatar_gitops.plan.observed import Annotation, Observed, ServerJob, ServerSet
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.ports import Clock
from avatar_gitops.spec.models import Job, Source
from avatar_gitops.wire.models import Capabilities, JobKind, JobResponse, JobStatus

PARALLEL_READS: Final = 4


class Reader:
    """Read access to one server with one key; implements `ports.RunReader`."""

    def __init__(self, http: Transport, *, verify: bool = True) -> None:
        self.server = http.server
        self._http = http
        self._objects = Objects(http, verify=verify)
        self._marks = Memory(http.server, http.seal)
        self._said: Capabilities | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.server!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def remember(self, shelf: Shelf) -> None:
        """Keep what never changes on a shelf, so that the next command need not ask for it."""
        self._marks = Memory(self.server, self._http.seal, shelf)

    def observe(self, project: str, taken: Mapping[str, Marks] = MappingProxyType({})) -> Observed:
        """Everything listed for this key, newest set first; a version's documents are read once, they never change.

        Marks that are `taken` for a version spare reading it; they are never remembered.
        """
        listed: dict[str, list[JobResponse]] = defaultdict(list)
        for job in api.list_jobs(self._http):
            if job.kind != JobKind.ADVICE:  # clients ask for advice in sets that hold nothing else
                listed[str(job.set_name)].append(job)
        unread = {
            set_id: taken[set_id]
            for set_id, jobs in listed.items()
            if set_id in taken
            and set_id not in self._marks
            and taken[set_id].get(Annotation.SET) == jobs[0].display_name
        }
        self._read_marks([set_id for set_id in listed if set_id not in self._marks and set_id not in unread])
        self._marks.keep(listed)
        versions = (
            server_set(set_id, jobs, unread.get(set_id) or self._marks.get(set_id)) for set_id, jobs in listed.items()
        )
        said = self._capabilities()
        return Observed(
            server=self.server,
            sets=tuple(sorted(versions, key=lambda version: (version.created_at, version.id), reverse=True)),
            features=None if said.features is None else frozenset(said.features),
            engine=said.engine,
        )

    def jobs(self, set_id: str) -> tuple[ServerJob, ...]:
        """The jobs of one version, as they are now, oldest first."""
        return ordered(api.list_jobs(self._http, set_id))

    def job(self, name: str) -> ServerJob:
        """One job, as it is now. Raises RemoteRefused when somebody deleted it."""
        found = api.get_job(self._http, name)
        if found.deleted_at is not None:
            raise RemoteRefused(f"job {name} ({found.parameters_name}) was deleted on {self.server}", status=404)
        return server_job(found)

    def results(self, version: ServerSet, jobs: Mapping[Job, str]) -> RunResult:
        """Avatars, metrics and reports of finished jobs."""
        engine = self._capabilities().engine or ""
        return results.collect(self._http, self._objects, version, jobs, engine)

    def credits(self) -> int | None:
        """Credits that this key has left; None where the server counts none or does not say."""
        try:
            said = api.credits_info(self._http)
        except (RemoteRefused, RemoteUnavailable):
            return None
        return said.credits if said.is_credit_enabled else None

    def has_results(self, job: str) -> bool:
        """Whether the results of a finished job are still there."""
        try:
            return bool(api.result_urls(self._http, job))
        except RemoteRefused as refusal:
            if refusal.status == 404:
                return False
            raise

    def preflight(self, desired: DesiredSet) -> None:
        """Raise RemoteRefused when the server does not offer what the spec asks for."""
        features = self._capabilities().features
        preflight(desired, None if features is None else frozenset(features), self.server)

    def check(self) -> str:
        """Whether the server answers and accepts the key: the e-mail address of the key's owner."""
        api.compatibility(self._http)
        return api.me(self._http).email

    def check_storage(self) -> None:
        """Whether the object storage accepts a signed request. Raises RemoteRefused when it does not."""
        self._objects.check()

    def lease(self, project: str) -> bytes | None:
        """The note of who applies the project; None when nobody ever did."""
        found = StoredNote(self._objects, key_of(project)).read()
        return None if found is None else found[0]

    def _capabilities(self) -> Capabilities:
        if self._said is None:
            self._said = api.capabilities(self._http) or Capabilities()
        return self._said

    def _read_marks(self, unknown: Sequence[str]) -> None:
        """Read the documents of versions, several at a time."""
        if not unknown:
            return
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            for set_id, found in zip(unknown, pool.map(self._read_annotations, unknown), strict=True):
                if found is not None:
                    self._marks[set_id] = found

    def _read_annotations(self, set_id: str) -> Mapping[str, str] | None:
        try:
            return annotations_of(api.get_documents(self._http, set_id))
        except RemoteRefused as refusal:
            if refusal.status == 404:
                return None
            raise


class Gateway(Reader):
    """Read and write access to one server with one key; implements `ports.RunWriter`."""

    def __init__(self, http: Transport, root: Path, *, verify: bool = True) -> None:
        super().__init__(http, verify=verify)
        self._root = root
        self._allowed: Callable[[], None] = lambda: None

    def board(self, project: str) -> StoredNote:
        """Where the lease of a project is kept."""
        return StoredNote(self._objects, key_of(project))

    def only_while(self, allowed: Callable[[], None]) -> None:
        """Ask before each set that is made, each job that is launched or deleted; what it raises stops that."""
        self._allowed = allowed

    def upload(self, desired: DesiredSet) -> None:
        """Send the data files of a set; equal data that are already there are not sent again."""
        self.preflight(desired)
        for name, table in desired.run.spec.tables.items():
            self._upload(desired, name, table.source)
            if table.avatars is not None:
                self._upload(desired, avatars_input(name), table.avatars)
            if table.holdout is not None:
                self._upload(desired, input_name(name, "holdout"), table.holdout)

    def create(self, desired: DesiredSet, annotations: Mapping[str, str]) -> str:
        """Create a new version of the set and return its id."""
        self.preflight(desired)
        self._allowed()
        documents = compile.to_yaml(desired, annotations)
        created = str(api.put_set(self._http, desired.name, documents).set_name)
        self._marks[created] = annotations_of(documents)
        return created

    def launch(self, set_id: str, job: Job, after: Sequence[str]) -> str:
        """Launch a job after other jobs and return its id; a lost answer never makes two jobs of one."""
        self._allowed()

        def send() -> str:
            return api.create_job(self._http, set_id, job.value, after).name

        def find() -> str | None:
            running = api.list_jobs(self._http, set_id)
            return next((found.name for found in running if found.parameters_name == job.value), None)

        return self._http.once(send, find)

    def delete(self, jobs: Sequence[str]) -> None:
        """Delete jobs by id. Raises RemoteRefused when one is still there afterwards."""
        self._allowed()
        failed = api.delete_jobs(self._http, list(dict.fromkeys(jobs)))
        left = [name for name in failed if self._exists(name)]
        if left:
            raise RemoteRefused(f"{self.server} did not delete {len(left)} of {len(jobs)} jobs")

    def _exists(self, name: str) -> bool:
        try:
            return api.get_job(self._http, name).deleted_at is None
        except RemoteRefused as refusal:
            if refusal.status == 404:
                return False
            raise

    def _upload(self, desired: DesiredSet, name: str, source: str | Source) -> None:
        key = compile.object_key(desired, name, source)
        expected = next((found for found in desired.inputs if found.table == name), None)
        if expected is None:
            raise AvatarGitOpsError(f"{desired.name}: the data file of {name} has no digest yet", hint="plan again")
        with opened(self._root, source, expected) as path:
            self._objects.upload(key, path)


def connect(
    base_url: str, api_key: str, *, root: Path, clock: Clock, verify: bool = True, listener: Listener | None = None
) -> Gateway:
    """Read and write access to a server; `root` is the folder that paths in specs start from. Sends nothing yet."""
    http = Transport(base_url, api_key, clock=clock, verify=verify, retries=Retries(listener=listener))
    return Gateway(http, root, verify=verify)


def reader(
    base_url: str, api_key: str, *, clock: Clock, verify: bool = True, listener: Listener | None = None
) -> Reader:
    """Read access to a server, for commands that must not change anything. Sends nothing yet."""
    http = Transport(base_url, api_key, clock=clock, verify=verify, retries=Retries(listener=listener))
    return Reader(http, verify=verify)


def server_job(job: JobResponse) -> ServerJob:
    """A job of the wire as the planner sees it."""
    return ServerJob(
        name=job.name,
        parameters=job.parameters_name,
        status=job.status.value,
        done=job.done,
        failed=job.done and job.status is not JobStatus.FINISHED,
        created_at=job.created_at,
        exception=clean(job.exception),
        progress=job.progress,
    )


def ordered(jobs: Sequence[JobResponse]) -> tuple[ServerJob, ...]:
    """Jobs as the planner sees them, oldest first."""
    return tuple(sorted(map(server_job, jobs), key=lambda job: (job.created_at, job.name)))


def server_set(set_id: str, jobs: Sequence[JobResponse], annotations: Mapping[str, str]) -> ServerSet:
    """One version with its jobs; it is as old as its oldest job."""
    listed = ordered(jobs)
    return ServerSet(set_id, jobs[0].display_name, listed[0].created_at, listed, annotations)
