"""Results of finished jobs: avatars, metrics in natural units, reports; never a file that names a person's avatar."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from avatar_gitops.client import api, metrics
from avatar_gitops.client.objects import Downloaded, Objects
from avatar_gitops.client.transport import Transport
from avatar_gitops.errors import RemoteRefused
from avatar_gitops.plan.observed import ServerSet
from avatar_gitops.plan.outcome import Artifact, MetricBlock, RunResult
from avatar_gitops.spec.models import Job
from avatar_gitops.wire.environment import KEY, parsed
from avatar_gitops.wire.models import ResultKind

MARKER: Final = f".{ResultKind.SHUFFLED.value}"
FAMILIES: Final = {
    Job.PRIVACY_METRICS: ("privacy", ResultKind.PRIVACY_METRICS),
    Job.SIGNAL_METRICS: ("signal", ResultKind.SIGNAL_METRICS),
}


def collect(http: Transport, objects: Objects, version: ServerSet, jobs: Mapping[Job, str], engine: str) -> RunResult:
    """What the finished jobs made. `engine` is what the server calls its engine; a run that says it itself wins.

    Raises RemoteRefused when the server removed results, as platforms do after some days.
    """
    listed = {job: _listed(http, version, job, name) for job, name in jobs.items()}
    said = [entry for urls in listed.values() for entry in _run_metadata(objects, urls)]
    made = {job.parameters: job.created_at for job in version.jobs}
    begun = min((time.isoformat() for time in made.values()), default=version.created_at.isoformat())
    return RunResult(
        set_id=version.id,
        jobs={job.value: name for job, name in jobs.items()},
        avatars=_avatars(objects, listed.get(Job.STANDARD, {})),
        blocks=tuple(block for job, urls in listed.items() for block in _blocks(objects, job, urls)),
        reports=tuple(file for job, urls in listed.items() for file in _reports(objects, job, urls)),
        engine=next((text for entry in said if (text := _text(entry, "engine"))), engine),
        started=min((text for entry in said if (text := _text(entry, "created_at"))), default=begun),
        finished=max((text for entry in said if (text := _text(entry, "finished_at"))), default=begun),
        seed=next((seed for entry in said if (seed := _seed(entry)) is not None), None),
        environment=next((found for entry in said if (found := parsed(entry.get(KEY)))), {}),
    )


def _listed(http: Transport, version: ServerSet, job: Job, name: str) -> Mapping[str, Sequence[str]]:
    try:
        return api.result_urls(http, name)
    except RemoteRefused as refusal:
        if refusal.status != 404:
            raise
        raise RemoteRefused(
            f"the results of {job.value} of {version.display_name} are no longer on {http.server}",
            status=404,
            hint=f"delete the run {version.id} on the server, then apply makes a new one",
        ) from None


def _avatars(objects: Objects, urls: Mapping[str, Sequence[str]]) -> dict[str, Artifact]:
    found: dict[str, Artifact] = {}
    for file in objects.download(ResultKind.SHUFFLED.value, urls.get(ResultKind.SHUFFLED.value, ())):
        escaped, marker, rest = file.name.partition(MARKER)
        extension = rest.rpartition(".")[2].lower()
        if not marker or not escaped or extension not in {"csv", "parquet"}:
            raise RemoteRefused("the server listed an avatars file whose name does not say its table and format")
        found[metrics.real_name(escaped)] = Artifact(f"avatars/{escaped}.{extension}", file.content)
    return found


def _blocks(objects: Objects, job: Job, urls: Mapping[str, Sequence[str]]) -> tuple[MetricBlock, ...]:
    if job not in FAMILIES:
        return ()
    family, kind = FAMILIES[job]
    files = objects.download(kind.value, urls.get(kind.value, ()))
    return tuple(block for file in files for block in metrics.blocks(metrics.entries(file.content), family))


def _reports(objects: Objects, job: Job, urls: Mapping[str, Sequence[str]]) -> tuple[Artifact, ...]:
    if job not in {Job.REPORT, Job.REPORT_PIA}:
        return ()
    files = objects.download(ResultKind.REPORT.value, urls.get(ResultKind.REPORT.value, ()))
    return tuple(Artifact(_report_name(job, file, number), file.content) for number, file in enumerate(files))


def _report_name(job: Job, file: Downloaded, number: int) -> str:
    extension = file.name.rpartition(".")[2].lower()
    if extension not in {"pdf", "docx", "md"}:
        raise RemoteRefused("the server listed a report whose name does not say its format")
    return f"{job.value}{f'-{number + 1}' if number else ''}.{extension}"


def _run_metadata(objects: Objects, urls: Mapping[str, Sequence[str]]) -> list[Mapping[str, Any]]:
    files = objects.download(ResultKind.RUN_METADATA.value, urls.get(ResultKind.RUN_METADATA.value, ()))
    found: list[Mapping[str, Any]] = []
    for file in files:
        try:
            entry = json.loads(file.content)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _seed(entry: Mapping[str, Any]) -> int | None:
    parameters = entry.get("parameters")
    seed = parameters.get("seed") if isinstance(parameters, dict) else None
    return seed if isinstance(seed, int) else None
