"""How long to wait between two looks."""

from __future__ import annotations

import threading

import pytest

from avatar_gitops.reconcile.waiting import Patience, Stopped, sleep
from tests.support.http import StillClock


@pytest.mark.parametrize(("age", "pause"), [(0, 0.25), (1, 0.25), (10, 1.5), (60, 9.0), (1000, 20.0)])
def test_pauses_grow_with_the_age_of_a_job_within_limits(age: float, pause: float) -> None:
    assert Patience(jitter=lambda: 1.0).pause(age) == pytest.approx(pause)
    assert Patience(jitter=lambda: 0.0).pause(age) == pytest.approx(0.8 * pause)


def test_a_server_that_holds_its_answers_is_asked_again_at_once() -> None:
    assert Patience(jitter=lambda: 1.0).pause(600, held=4.0) == 0.25


def test_sleep_is_cut_short_soon_after_a_stop() -> None:
    stop = threading.Event()

    class Clock(StillClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            stop.set()

    clock = Clock()
    with pytest.raises(Stopped):
        sleep(20, clock, stop)
    assert sum(clock.slept) <= 0.5


def test_sleep_takes_its_time() -> None:
    clock = StillClock()
    sleep(1.75, clock, threading.Event())
    assert sum(clock.slept) == pytest.approx(1.75)
