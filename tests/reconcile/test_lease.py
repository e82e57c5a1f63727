"""One apply at a time in a project, wherever it runs: who gets the lease, and when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.errors import Locked, RemoteUnavailable
from avatar_gitops.ports import Clock
from avatar_gitops.reconcile.lease import (
    FRESH,
    LASTS,
    UNREADABLE,
    Held,
    Holder,
    Lease,
    Terms,
    held_lease,
    leased,
    parse,
    render,
    unlock,
)
from tests.support.boards import MemoryBoard
from tests.support.http import StillClock

OURS = Holder("host, process 7", "aaaa1111")
OTHER = Holder("github-actions, run 118", "118", "https://github.com/example/data/actions/runs/118")


def terms(tmp_path: Path, **more: object) -> Terms:
    return Terms("hospital", tmp_path / "leases", **more)  # type: ignore[arg-type]


def other_lease(now: datetime, minutes: float = 30, token: str = "f" * 32) -> bytes:
    return render(Lease(OTHER, now, now + timedelta(minutes=minutes), token), "hospital")


def test_who_has_the_lease_keeps_others_out_and_gives_it_back(tmp_path: Path) -> None:
    board, clock = MemoryBoard(), StillClock()
    with leased(board, OURS, terms(tmp_path), clock) as held:
        held.check()
        now = held_lease(board, clock.now())
        assert now is not None
        assert (now.holder, now.expires - now.since) == (OURS, LASTS)
        with pytest.raises(Locked) as caught, leased(board, OTHER, terms(tmp_path / "elsewhere"), clock):
            pass
        assert caught.value.exit_code == 8
    assert held_lease(board, clock.now()) is None
    assert not (tmp_path / "leases").exists()
    with leased(board, OTHER, terms(tmp_path), clock):
        pass


def test_the_refusal_says_who_since_when_until_when_and_what_to_do(tmp_path: Path) -> None:
    clock = StillClock()
    with (
        pytest.raises(Locked) as caught,
        leased(MemoryBoard(other_lease(clock.now())), OURS, terms(tmp_path), clock),
    ):
        pass
    assert caught.value.code == "R008"
    assert caught.value.message.splitlines() == [
        "another apply holds the lease of project hospital",
        "   by        github-actions, run 118   https://github.com/example/data/actions/runs/118",
        "   since     2026-01-01 00:00 UTC, expires 2026-01-01 00:30 UTC",
    ]
    assert "--lock-timeout 30m" in str(caught.value.hint)
    assert "avatar-gitops unlock --id 118" in str(caught.value.hint)


def test_an_apply_waits_as_long_as_it_may(tmp_path: Path) -> None:
    clock = StillClock()
    begun = clock.now()
    seen: list[Lease] = []
    board = MemoryBoard(other_lease(clock.now(), minutes=2))
    with leased(board, OURS, terms(tmp_path, timeout=600, waiting=seen.append), clock):
        assert timedelta(minutes=2) <= clock.now() - begun < timedelta(minutes=3)
    assert seen[0].holder == OTHER

    board = MemoryBoard(other_lease(clock.now()))
    begun = clock.now()
    with pytest.raises(Locked), leased(board, OURS, terms(tmp_path, timeout=60), clock):
        pass
    assert clock.now() - begun == timedelta(seconds=60)


def test_a_lease_that_a_killed_process_of_this_checkout_left_is_no_obstacle(tmp_path: Path) -> None:
    board, clock = MemoryBoard(), StillClock()
    killed = leased(board, OURS, terms(tmp_path), clock)
    killed.__enter__()
    copy = MemoryBoard(board.content, board.number)  # as a kill would leave it
    with pytest.raises(Locked), leased(copy, OTHER, terms(tmp_path / "clone"), clock):
        pass
    with leased(copy, OURS, terms(tmp_path), clock) as held:
        held.check()
    killed.__exit__(None, None, None)


def test_a_note_that_cannot_be_read_stops_until_it_is_unlocked(tmp_path: Path) -> None:
    board, clock = MemoryBoard(b"\xff not ours"), StillClock()
    with pytest.raises(Locked, match="cannot read"), leased(board, OURS, terms(tmp_path), clock):
        pass
    assert unlock(board, "hospital", UNREADABLE, clock) is not None
    with leased(board, OURS, terms(tmp_path), clock):
        pass


def test_text_in_a_note_that_could_write_on_a_terminal_is_not_shown(tmp_path: Path) -> None:
    clock = StillClock()
    note = other_lease(clock.now()).replace(b"github-actions, run 118", b"\\u001b[2Jgithub")
    with pytest.raises(Locked) as caught, leased(MemoryBoard(note), OURS, terms(tmp_path), clock):
        pass
    assert "\x1b" not in caught.value.message


@contextmanager
def taken(board: MemoryBoard, clock: Clock, path: Path) -> Iterator[Held]:
    path.mkdir(parents=True, exist_ok=True)
    with leased(board, OURS, terms(path), clock) as held:
        yield held


def test_an_apply_stops_when_somebody_unlocked_it(tmp_path: Path) -> None:
    board, clock = MemoryBoard(), StillClock()
    with taken(board, clock, tmp_path) as held:
        ended = unlock(board, "hospital", OURS.id, clock)
        assert ended is not None
        assert ended.holder == OURS
        clock.sleep(FRESH.total_seconds())
        with pytest.raises(Locked, match="no longer holds the lease"):
            held.check()
        with leased(board, OTHER, terms(tmp_path / "clone"), clock):
            assert held_lease(board, clock.now()) is not None
    assert held_lease(board, clock.now()) is None


def test_unlock_asks_for_the_right_id_and_has_nothing_to_do_without_a_lease() -> None:
    clock = StillClock()
    assert unlock(MemoryBoard(), "hospital", "118", clock) is None
    board = MemoryBoard(other_lease(clock.now()))
    with pytest.raises(Locked, match="run 118"):
        unlock(board, "hospital", "117", clock)
    assert unlock(board, "hospital", "118", clock) is not None
    assert unlock(board, "hospital", "118", clock) is None


def test_trouble_stops_an_apply_only_when_the_lease_may_have_ended(tmp_path: Path) -> None:
    board, clock = MemoryBoard(), StillClock()
    with taken(board, clock, tmp_path) as held:
        board.down = True
        clock.sleep(LASTS.total_seconds() - 1)
        held.check()
        clock.sleep(2)
        with pytest.raises(Locked):
            held.check()


def test_a_machine_that_slept_goes_on_unless_somebody_took_the_lease(tmp_path: Path) -> None:
    board, clock = MemoryBoard(), StillClock()
    with taken(board, clock, tmp_path / "a") as held:
        clock.sleep(2 * LASTS.total_seconds())
        held.check()
        assert held_lease(board, clock.now()) is not None
        clock.sleep(2 * LASTS.total_seconds())
        with leased(board, OTHER, terms(tmp_path), clock):
            with pytest.raises(Locked):
                held.check()
            now = held_lease(board, clock.now())
            assert now is not None
            assert now.holder == OTHER


def test_a_lease_is_renewed_in_the_background_also_after_trouble(tmp_path: Path) -> None:
    board = MemoryBoard()
    short = terms(tmp_path, lasts=timedelta(seconds=0.6))
    with leased(board, OURS, short, SystemClock()) as held:
        board.down = True
        time.sleep(0.3)
        board.down = False
        time.sleep(1.2)
        assert held_lease(board, SystemClock().now()) is not None
        held.check()
    assert held_lease(board, SystemClock().now()) is None
    assert not any(thread.name == "lease" for thread in threading.enumerate())


def test_ctrl_c_in_the_middle_of_taking_it_leaves_no_lease(tmp_path: Path) -> None:
    class Pressed(MemoryBoard):
        def write(self, content: bytes, tag: str | None) -> str | None:
            written = super().write(content, tag)
            if self.writes == 1:
                raise KeyboardInterrupt
            return written

    board, clock = Pressed(), StillClock()
    with pytest.raises(KeyboardInterrupt), leased(board, OURS, terms(tmp_path), clock):
        pass
    assert held_lease(board, clock.now()) is None


def test_nothing_is_started_after_the_lease_was_given_back(tmp_path: Path) -> None:
    with taken(MemoryBoard(), StillClock(), tmp_path) as held:
        held.check()
    with pytest.raises(Locked):
        held.check()


def test_lost_answers_change_nothing(tmp_path: Path) -> None:
    board, clock = MemoryBoard(lose=1), StillClock()
    with taken(board, clock, tmp_path) as held:
        board.lose = 1
        clock.sleep(60)
        held.check()
        board.lose = 1
    assert held_lease(board, clock.now()) is None


def test_a_storage_that_never_keeps_what_is_written_is_trouble_and_no_loop(tmp_path: Path) -> None:
    class Deaf(MemoryBoard):
        def write(self, content: bytes, tag: str | None) -> str | None:
            return None

    with pytest.raises(RemoteUnavailable), leased(Deaf(), OURS, terms(tmp_path), StillClock()):
        pass


@given(late=st.booleans(), expired=st.booleans())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_who_is_overtaken_between_reading_and_writing_is_refused(late: bool, expired: bool, tmp_path: Path) -> None:
    clock = StillClock()
    old = other_lease(clock.now(), minutes=-1) if expired else None
    board = MemoryBoard(old)
    faster = other_lease(clock.now(), token="e" * 32)

    def overtake() -> None:
        board.before_write = lambda: None
        assert board.write(faster, "0" if expired else None) is not None

    board.before_write = overtake
    board.exact = exact = not late
    if exact:
        with pytest.raises(Locked), leased(board, OURS, terms(tmp_path), clock):
            pass
        assert board.content == faster
    else:  # without conditions the later one wins, and the earlier one sees that after a pause
        with leased(board, OURS, terms(tmp_path), clock):
            assert board.content is not None
            assert parse(board.content).holder == OURS


def test_of_many_that_begin_at_once_each_is_alone(tmp_path: Path) -> None:
    board, inside, most = MemoryBoard(), [0], [0]
    guard = threading.Lock()

    def one(number: int) -> bool:
        place = tmp_path / str(number)
        place.mkdir()
        try:
            with leased(board, Holder(f"host, process {number}", f"{number}"), terms(place), SystemClock()):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.01)
                with guard:
                    inside[0] -= 1
        except Locked:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(one, range(24)))
    assert any(got)
    assert most == [1]
