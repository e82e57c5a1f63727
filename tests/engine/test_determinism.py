"""Same data, same parameters, same seed: same bytes, whatever the number of threads or the process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.tables import write_table

PROGRAM = """
import hashlib, sys
from pathlib import Path
from avatar_gitops.engine.params import AvatarParams, PrivacyParams, SignalParams
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.engine.tables import read_table, write_table
source, target = sys.argv[1:]
table = read_table(source)
made = avatarize(table, [], AvatarParams(5), 11)
write_table(made.shuffled, target)
write_table(made.avatar_projection, target + ".points", "parquet")
params = PrivacyParams(known_variables=("age",), target="group", shadow=AvatarParams(5))
privacy = measure_privacy(table, made.unshuffled, [], params, 3)
text = repr((privacy, measure_signal(table, made.unshuffled, [], SignalParams(target="weight"), 3)))
print(hashlib.sha256(Path(target).read_bytes() + Path(target + ".points").read_bytes() + text.encode()).hexdigest())
"""


def digest(source: Path, target: Path, threads: int) -> str:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    command = [sys.executable, "-c", PROGRAM, str(source), str(target)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_bytes_do_not_depend_on_threads_or_process(tmp_path: Path) -> None:
    table = wide_table()
    source = tmp_path / "table.csv"
    write_table(table, source)
    digests = {digest(source, tmp_path / f"out-{threads}", threads) for threads in (1, 2)}
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


def wide_table() -> pa.Table:
    """More rows than one block of random numbers, with missing values."""
    random = stream(1, "test", "table")
    rows = 6_000
    base = random.normal(size=rows)
    return pa.table(
        {
            "age": (40 + 10 * base).round().astype(int),
            "weight": pa.array((70 + 8 * base).round(2), mask=random.random(rows) < 0.1),
            "group": random.choice(["a", "b", "c"], rows),
        }
    )


def test_streams_differ_by_each_part_of_their_name() -> None:
    names = [(1, "t", "a", 0), (2, "t", "a", 0), (1, "u", "a", 0), (1, "t", "b", 0), (1, "t", "a", 1)]
    assert len({stream(*name).random() for name in names}) == len(names)
    assert stream(*names[0]).random() == stream(*names[0]).random()
