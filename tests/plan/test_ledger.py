"""Releases by source: what counts as one, what belongs together, what adds up."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.ledger import Ledger, Release, made_by, overlap, with_locks, would_make
from avatar_gitops.plan.lock import Applied, Lock
from tests.support.planning import an_input, wish

ONE = Release(
    "a", "people", "data/a.csv", "sha256:1", "1k-10k", ("age", "ward"), "opendata", "k 20", None, "p", avatars="b1"
)


def made(
    name: str, source: str, data: str, avatars: str, epsilon: float | None = None, when: str = "2026-01-01"
) -> Release:
    return replace(ONE, set=name, source=source, data=data, avatars=avatars, epsilon=epsilon, when=when)


def test_a_source_is_found_by_digest_under_two_names_and_by_name_with_new_content() -> None:
    first, renamed = made("a", "data/a.csv", "1", "b1"), made("b", "data/copy.csv", "1", "b2")
    newer, foreign = made("c", "data/copy.csv", "2", "b3", when="2026-02-01"), made("d", "data/other.csv", "9", "b4")
    one, other = Ledger((newer, foreign, renamed, first)).sources()
    assert [release.set for release in one.releases] == ["a", "b", "c"]
    assert one.names == ("data/a.csv", "data/copy.csv")
    assert one.versions == 2
    assert other.releases == (foreign,)


@given(st.permutations([made(str(n), f"s{n // 2}", str((n + 1) // 2), f"b{n}") for n in range(6)]))
def test_the_order_of_the_record_changes_no_group(releases: list[Release]) -> None:
    (whole,) = Ledger(tuple(releases)).sources()
    assert len(whole.releases) == 6


def test_the_same_bytes_again_are_no_release_of_their_own() -> None:
    again = made("b", "data/a.csv", "1", "b1", epsilon=2.0)
    (source,) = Ledger((replace(again, set="a"), again, made("c", "data/a.csv", "1", "b2", epsilon=0.5))).sources()
    assert len(source.distinct) == 2
    assert source.epsilon == 2.5
    assert source.unbounded == 0


@given(st.lists(st.floats(0.01, 5) | st.none(), min_size=1, max_size=6))
def test_epsilon_adds_up_and_what_promises_none_is_counted_apart(epsilons: list[float | None]) -> None:
    releases = tuple(made(str(n), "s", "1", f"b{n}", epsilon) for n, epsilon in enumerate(epsilons))
    (source,) = Ledger(releases).sources()
    assert abs(source.epsilon - sum(epsilon or 0.0 for epsilon in epsilons)) < 1e-9
    assert source.unbounded == epsilons.count(None)


def test_overlap_is_the_share_of_the_smaller_release() -> None:
    assert overlap(ONE, replace(ONE, columns=("age", "city", "sex"))) == 0.5
    assert overlap(ONE, replace(ONE, columns=("age",))) == 1.0
    assert overlap(ONE, replace(ONE, columns=())) == 0.0


def test_a_plan_counts_itself_once_and_what_is_planned_with_it() -> None:
    planned = would_make(wish("patients"))
    also = would_make(wish("open", pia={"data_recipient": "opendata"}))
    ledger = Ledger((), (*planned, *also))
    source = ledger.around(planned[0])
    assert len(source.distinct) == 2
    assert set(source.recipients) == {"unknown", "opendata"}


def test_a_spec_says_what_it_releases() -> None:
    table = {
        "source": "https://example.org/people.csv?sig=secret",
        "avatarization": {"open_dp": {"epsilon": 1.5}},
        "columns": {"city": {"drop": True}},
    }
    (release,) = would_make(wish("patients", table=table, pia={"data_recipient": "opendata"}))
    assert release.source == "https://example.org/people.csv"
    assert release.columns == ("age", "sex")
    assert (release.epsilon, release.method, release.recipient) == (1.5, "open_dp epsilon 1.5", "opendata")
    given_avatars = wish("patients", table={"avatarization": None, "avatars": "a.csv"})
    assert would_make(given_avatars) == ()


def test_locks_fill_the_gaps_of_the_record() -> None:
    item = wish("patients", data=an_input("b"))
    lock = Lock(
        set="patients",
        path=item.path,
        digests=item.digests,
        spec=item.resolved,
        inputs=item.inputs,
        run="r1",
        started="",
        finished="2026-05-01T10:00:00+00:00",
        jobs={"standard": "j1"},
        engine="",
        applied=Applied("sha256:f", ("dpo",)),
    )
    (known,) = made_by(lock, {"patients": "sha256:b"})
    assert (known.run, known.job, known.avatars, known.approved_by) == ("r1", "j1", "sha256:b", ("dpo",))
    assert with_locks([known], [lock]) == (known,)
    assert with_locks([known], [replace(lock, run="r2")]) == (known,), "metrics ran again, not the avatars"
    assert len(with_locks([known], [replace(lock, run="r2", jobs={"standard": "j2"})])) == 2
    assert with_locks([], [lock])[0].avatars == ""
