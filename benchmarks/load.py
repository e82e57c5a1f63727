"""Status calls of many polling clients while runs are queued and every core works: latency, memory, failures.

`LOAD_CLIENTS` and `LOAD_RUNS` choose other numbers.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from avatar_gitops.server.local import LocalServer, start
from avatar_gitops.server.state import read_address
from benchmarks.processes import busy_seconds
from benchmarks.results import machine, table, versions
from tests.server.api import Api, documents, people

CLIENTS: Final = int(os.environ.get("LOAD_CLIENTS", "200"))
RUNS: Final = int(os.environ.get("LOAD_RUNS", "50"))
ROWS: Final = 1_000
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 20.0
GROWTH: Final = 0.15  # of the age of a job: the pause of the official client between two looks
HOLD_SECONDS: Final = 2.0
KINDS: Final = ("GET /jobs?names=…", "GET /jobs/NAME of a finished job", "GET /jobs/NAME, beyond its longest hold, 2 s")


@dataclass(slots=True)
class Observed:
    """Seconds of each call by kind, failures by reason, and memory of the server process in MiB."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    failures: Counter[str] = field(default_factory=Counter)
    wall: float = 0.0
    before: float = 0.0
    most: float = 0.0
    after: float = 0.0
    foreign: float = 0.0


def drive(folder: Path, clients: int, runs: int) -> Observed:
    """Queue the runs, let the clients poll until all jobs are over."""
    seen = Observed()
    with start(folder, workers=2) as server, Api(server.base_url, server.api_key) as api:
        address = read_address(folder / "server.json")
        assert address is not None, "a server that was started has an address"
        api.upload("people.csv", people(ROWS))
        warm = api.launch(api.put_set(documents()), "standard")
        api.wait(warm)
        seen.before = _resident(address.pid)
        names = [name for seed in range(runs) for name in api.launch_all(api.put_set(documents(seed=seed))).values()]
        begun, busy = time.perf_counter(), busy_seconds() - _ours(address.pid)
        asyncio.run(_poll(server, names, seen, (clients, address.pid)))
        seen.wall = time.perf_counter() - begun
        seen.foreign = max(0.0, busy_seconds() - _ours(address.pid) - busy) / seen.wall
        time.sleep(1)
        seen.after = _resident(address.pid)
        ended = Counter(job["status"] for job in api.get("/jobs")["jobs"])
        if set(ended) != {"finished"}:
            seen.failures[f"jobs that ended otherwise: {ended}"] += 1
    return seen


async def _poll(server: LocalServer, names: Sequence[str], seen: Observed, who: tuple[int, int]) -> None:
    clients, process = who
    headers = {"Authorization": f"api-key-v1 {server.api_key}", "User-Agent": "load"}
    # A new connection for each call, as the official client makes it. (The pool of httpx, which that client uses, asks
    # all of its connections at each call: with 200 in one process it would measure itself.)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(server.base_url, headers=headers, connector=connector) as http:
        await asyncio.gather(
            *(
                _client(http, names[number % len(names) :: clients] or [names[-1]], number, seen)
                for number in range(clients)
            ),
            _watch(http, names[-1], process, seen),
        )


async def _client(http: aiohttp.ClientSession, mine: Sequence[str], number: int, seen: Observed) -> None:
    """Waits for each of its jobs as the official client does, and looks at the list in between."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, 1))
    for name in mine:
        begun = time.monotonic()
        while not await _look(http, name, seen):
            await asyncio.sleep(min(LONGEST_PAUSE, max(FIRST_PAUSE, GROWTH * (time.monotonic() - begun))))


async def _look(http: aiohttp.ClientSession, name: str, seen: Observed) -> bool:
    listed, _ = await _timed(http, "/jobs", {"names": name}, seen, KINDS[0])
    over = bool(listed and listed["jobs"][0]["done"])
    job, took = await _timed(http, f"/jobs/{name}", {}, seen, KINDS[1] if over else None)
    if job and not over and not job["done"]:
        seen.seconds[KINDS[2]].append(max(0.0, took - HOLD_SECONDS))
    return bool(job and job["done"])


async def _timed(
    http: aiohttp.ClientSession, path: str, query: dict[str, str], seen: Observed, kind: str | None
) -> tuple[Any, float]:
    begun = time.perf_counter()
    try:
        async with http.get(f"/api{path}", params=query) as response:
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.failures[type(error).__name__] += 1
        return None, 0.0
    took = time.perf_counter() - begun
    if response.status != 200:
        seen.failures[str(response.status)] += 1
        return None, took
    if kind is not None:
        seen.seconds[kind].append(took)
    return answer, took


async def _watch(http: aiohttp.ClientSession, last: str, process: int, seen: Observed) -> None:
    """The most memory that the server took while the last job was waited for."""
    for turn in itertools.count():
        seen.most = max(seen.most, _resident(process))
        if turn % 10 == 0:
            async with http.get("/api/jobs", params={"names": last}) as response:
                if (await response.json())["jobs"][0]["done"]:
                    return
        await asyncio.sleep(0.2)


def _resident(process: int) -> float:
    import psutil

    return float(psutil.Process(process).memory_info().rss) / 2**20


def _ours(process: int) -> float:
    """Processor seconds of the server, its workers and this program."""
    import psutil

    server = psutil.Process(process)
    family = [server, *server.children(recursive=True), psutil.Process()]
    return sum(sum(one.cpu_times()[:2]) for one in family)


def _percentile(values: Sequence[float], share: float) -> str:
    if not values:
        return "–"
    return f"{1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))]:.0f}"


def section() -> str:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        seen = drive(Path(folder) / "state", CLIENTS, RUNS)
    calls = sum(map(len, seen.seconds.values()))
    rows = [
        [kind, f"{len(found):,}", *(_percentile(found, share) for share in (0.5, 0.95, 0.99, 1))]
        for kind, found in seen.seconds.items()
    ]
    failed = f"{sum(seen.failures.values())} failed {dict(seen.failures) or ''}".rstrip()
    return "\n\n".join(
        [
            f"""## Load: {CLIENTS} polling clients, {RUNS} queued runs

Command: `python -m benchmarks load`. {versions("fastapi", "uvicorn", "sqlalchemy")}.
{machine()}

{RUNS} runs of five jobs, {ROWS:,} rows each, in two worker processes; {CLIENTS} clients in one other process wait
for them with the pauses of the official client ({GROWTH:.0%} of the age, {FIRST_PAUSE} to {LONGEST_PAUSE:.0f} s).
A status call is `GET /jobs`, which is never held, or `GET /jobs/NAME`, which is held for 1 to {HOLD_SECONDS:.0f} s, by
chance, while the job is not over; of those only what goes beyond {HOLD_SECONDS:.0f} s can be told from the hold.
Clients, server and workers share the cores. Milliseconds:""",
            table(["call", "calls", "p50", "p95", "p99", "most"], rows),
            f"""{calls:,} status calls in {seen.wall:.0f} s, {failed}.
Memory of the server process: {seen.before:.0f} MiB before, {seen.most:.0f} MiB at most, {seen.after:.0f} MiB after.
Other programs kept {seen.foreign:.2f} cores busy meanwhile.""",
        ]
    )
