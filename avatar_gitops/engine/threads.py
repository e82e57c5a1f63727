"""One thread for linear algebra: the order of its sums, and with it the last bit of results, must not vary."""

from __future__ import annotations

import functools
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
