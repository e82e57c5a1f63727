"""A platform without its web server and worker processes: real database, real files, jobs worked in this process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.accounts import Account, create_user
from avatar_gitops.server.naming import FIGURE, PAGE
from avatar_gitops.server.objects import adopt_file, find_object, object_row, put_object
from avatar_gitops.server.places import find_places, installation_secret, open_storage, prepare
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.queue import has_ready_job
from avatar_gitops.server.receiving import describe_file
from avatar_gitops.server.results import list_results
from avatar_gitops.server.state import StateFolder
from avatar_gitops.server.worker import rounds
from tests.server.api import documents, join, people
from tests.support.grounds import Ground, environment

OWNER = "workshop"
IN_ITS_FOLDER = Ground()
Plain = dict[str, Any]


@dataclass(slots=True, frozen=True)
class Workshop:
    """One user of one platform."""

    platform: Platform
    account: Account

    def upload(self, file: str, content: bytes) -> None:
        """Put an input file, as the storage route does."""
        storage = self.platform.storage
        path = storage.state.incoming / uuid.uuid4().hex
        path.write_bytes(content)
        received = describe_file(path)
        key = f"{self.platform.retention_prefix}/{file}"
        put_object(storage, object_row(self.account.id, key, adopt_file(storage, path), received, "text/csv"))

    def put_set(self, text: str, name: str = "x") -> str:
        """Create a set; returns its id."""
        return job_store.create_set(self.platform, self.account, name, text)

    def launch(self, set_id: str, parameters: str, parents: Sequence[str] = ()) -> str:
        """Queue a job; returns its name."""
        return job_store.create_job(self.platform, self.account, set_id, parameters, [f"/jobs/{p}" for p in parents])

    def job(self, name: str) -> Plain:
        """The job as the API shows it."""
        return job_store.find_job(self.platform, self.account, name)

    def rounds(self, owner: str = OWNER, bell: Event | None = None) -> Iterator[None]:
        """The steps of a worker."""
        return rounds(self.platform.storage, owner, self.platform.retention_prefix, bell or Event())

    def work(self) -> None:
        """Work until no job can start."""
        steps = self.rounds()
        while has_ready_job(self.platform.engine):
            next(steps)

    def run(self, text: str, parameters: str = "standard") -> Plain:
        """One job of a new set, worked; how it ended."""
        name = self.launch(self.put_set(text), parameters)
        self.work()
        return self.job(name)

    def run_all(self, text: str, name: str) -> dict[str, str]:
        """Put a set and run its five jobs to the end; their names by parameters name."""
        set_id = self.put_set(text, name)
        names = {"standard": self.launch(set_id, "standard")}
        for metrics in ("signal_metrics", "privacy_metrics"):
            names[metrics] = self.launch(set_id, metrics, [names["standard"]])
        both = [names["privacy_metrics"], names["signal_metrics"]]
        names |= {report: self.launch(set_id, report, both) for report in ("report", "report_pia")}
        self.work()
        return names

    def error(self, text: str, parameters: str = "standard") -> str:
        """Why a job of a new set failed; it has left nothing behind."""
        before = set(self.platform.state.incoming.iterdir())
        job = self.run(text, parameters)
        assert job["status"] == "error", job
        assert self.listing(job["name"]) == {}
        assert set(self.platform.state.incoming.iterdir()) <= before
        return str(job["exception"])

    def listing(self, name: str) -> dict[str, list[str]]:
        """URLs of the results by kind, as the results route lists them."""
        return list_results(self.platform, self.account, name, "", as_csv=False)

    def files(self, name: str) -> dict[str, bytes]:
        """Every stored result file by file name; of a figure that is its document, whatever its page is called."""
        storage, bucket = self.platform.storage, self.account.id
        found = {}
        for url in (url for urls in self.listing(name).values() for url in urls):
            key = url.removeprefix(f"?url=s3://{bucket}/")
            stored = find_object(storage, bucket, f"{key.removesuffix(PAGE)}{FIGURE}" if key.endswith(PAGE) else key)
            assert stored is not None, "a listed file exists"
            found[stored.key.rpartition("/")[2]] = b"".join(storage.blobs.read(stored.blob, 0, stored.size))
        return found

    def json(self, name: str, file: str) -> Any:
        """One result file that holds JSON."""
        return json.loads(self.files(name)[file])


@contextmanager
def open_platform(root: Path, ground: Ground, **fields: Any) -> Iterator[Platform]:
    """A new platform over that folder; `fields` of it are set."""
    state = StateFolder(root)
    state.create()
    with ground.new() as variables:
        with environment(variables):
            places = find_places(None, None)
            storage = open_storage(state, places)
        prepare(storage, places)
        shared = {"bucket": storage.bucket, "for_workers": places.environment, **fields}
        try:
            yield Platform(storage.engine, state, installation_secret(storage), **shared)
        finally:
            storage.engine.dispose()


@contextmanager
def open_workshop(root: Path, ground: Ground = IN_ITS_FOLDER) -> Iterator[Workshop]:
    """A new platform over that folder with one user."""
    with open_platform(root, ground) as platform:
        yield Workshop(platform, create_user(platform.engine, "somebody@example.org", "user"))


@contextmanager
def stocked_workshop(root: Path, ground: Ground) -> Iterator[Workshop]:
    """A workshop with the table of a default run."""
    with open_workshop(root, ground) as made:
        made.upload("people.csv", people(120))
        yield made


def edited(change: Callable[[dict[str, Plain]], object], **spec: Any) -> str:
    """The documents of a default run after a change of their specs, given by document name."""
    made = [json.loads(part) for part in documents(**spec).split("\n---\n")]
    change({document["metadata"]["name"]: document["spec"] for document in made})
    return join(made)


def with_document(kind: str, name: str, spec: Plain, text: str | None = None) -> str:
    """A set (the default run when none is given) with one more document."""
    more = {"kind": kind, "metadata": {"name": name}, "spec": spec}
    return (text or documents()) + "\n---\n" + join([more])
