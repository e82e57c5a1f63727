"""Rate limits: how many at once, how long to wait, memory that does not grow, keys that do not forget."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.server.throttle import Claim, Rate, Throttle, mail_claims, sign_in_claims
from tests.server.site import Clock

THREE = Rate(3, 10.0)


def claim(key: str = "ada", rate: Rate = THREE) -> list[Claim]:
    return [Claim(rate, key)]


def test_a_burst_is_allowed_and_then_one_after_each_interval() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert [throttle.take(claim()) for _ in range(4)] == [0, 0, 0, 10]
    clock.now += 4
    assert throttle.take(claim()) == pytest.approx(6), "being refused costs nothing"
    clock.now += 6
    assert throttle.take(claim()) == 0
    assert throttle.take(claim()) == pytest.approx(10)
    clock.now += 1000
    assert [throttle.take(claim()) for _ in range(4)] == [0, 0, 0, pytest.approx(10)]


def test_keys_and_rates_do_not_share() -> None:
    throttle = Throttle(Clock())
    for _ in range(3):
        assert throttle.take(claim()) == 0
    assert throttle.take(claim("grace")) == 0
    assert throttle.take(claim("ada", Rate(3, 11.0))) == 0
    assert throttle.take(claim()) > 0


def test_of_several_claims_all_are_counted_or_none() -> None:
    throttle = Throttle(Clock())
    for _ in range(3):
        throttle.take(claim("full"))
    assert throttle.take([*claim("full"), *claim("free")]) == 10
    assert [throttle.take(claim("free")) for _ in range(4)] == [0, 0, 0, 10]


def test_what_turned_out_well_is_given_back() -> None:
    throttle = Throttle(Clock())
    for _ in range(50):
        assert throttle.take(claim()) == 0
        throttle.give_back(claim())
    assert [throttle.take(claim()) for _ in range(4)] == [0, 0, 0, 10]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=400), st.integers(1, 64))
def test_no_flood_of_keys_makes_a_throttle_grow_or_forget(flood: list[str], places: int) -> None:
    throttle = Throttle(Clock(), places)
    size = len(throttle._arrivals)
    while throttle.take(claim("victim")) == 0:
        pass
    for key in flood:
        throttle.take(claim(key))
    assert throttle.take(claim("victim")) > 0
    assert len(throttle._arrivals) == size


def test_a_full_table_of_others_leaves_newcomers_alone() -> None:
    throttle = Throttle(Clock())
    for number in range(2_000):
        while throttle.take(claim(str(number))) == 0:
            pass
    assert sum(throttle.take(claim(f"new {number}")) > 0 for number in range(2_000)) <= 2


def test_the_same_account_is_counted_however_its_address_is_written() -> None:
    assert sign_in_claims("1.2.3.4", "Ada@Example.org ") == sign_in_claims("1.2.3.4", "ada@example.org")
    assert mail_claims("1.2.3.4", "Ada@Example.org ") == mail_claims("1.2.3.4", "ada@example.org")
    assert Throttle(Clock()).take(sign_in_claims("1.2.3.4", "\ud800")) == 0
