"""Threads: one for linear algebra, whose sums must not vary in order, and several for the rest.

Nothing else depends on the number of threads: work is cut into parts of fixed size, and each part writes its own rows.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

P = ParamSpec("P")
R = TypeVar("R")


def single_threaded_algebra(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function with BLAS on one thread; tree searches may use several, their results do not depend on it."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return wrapped


def workers() -> int:
    """How many threads may run: the processors of this process, or fewer when `OMP_NUM_THREADS` says so."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, min(usable, int(wanted)) if wanted.isdigit() and int(wanted) > 0 else usable)


def in_parallel(part: Callable[[int, int], None], count: int, step: int) -> None:
    """Call `part(first, last)` for every stretch of at most `step` of `count` things, on all workers.

    Worth it where parts release the interpreter lock. An error of a part stops the rest and is raised here.
    """
    starts = range(0, count, step)
    crew = min(workers(), len(starts))
    if crew <= 1:
        for start in starts:
            part(start, min(start + step, count))
        return
    turn = itertools.count()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not errors and (at := next(turn)) < len(starts):
                part(starts[at], min(starts[at] + step, count))
        except BaseException as error:
            errors.append(error)

    others = [threading.Thread(target=work) for _ in range(crew - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
