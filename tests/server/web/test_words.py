"""How moments, times, sizes and counts are written on the pages, and that every state and result has its words."""

from __future__ import annotations

import pytest

from avatar_gitops.server.web.pages import duration, moment, plural, size
from avatar_gitops.server.web.words import FILE_GROUPS, KIND_WORDS, RUN_WORDS, STATUS_WORDS, RunState
from avatar_gitops.wire.models import SENSITIVE_RESULTS, JobStatus, ResultKind


@pytest.mark.parametrize(
    ("end", "text"),
    [
        ("00:00:00", "under 1s"),
        ("00:00:00.4", "under 1s"),
        ("00:00:12", "12s"),
        ("00:02:58", "2m 58s"),
        ("02:05:00", "2h 05m"),
    ],
)
def test_times(end: str, text: str) -> None:
    assert duration("2026-11-28T00:00:00+00:00", f"2026-11-28T{end}+00:00") == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (65_432, "65.4 kB"), (999_999, "1 MB"),
     (705_000, "705 kB"), (3 * 10**9, "3 GB"), (5 * 10**15, "5000 TB")],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_moments_are_in_utc_and_say_so() -> None:
    html = '<time datetime="2026-11-28T15:58:00+00:00">2026-11-28 15:58 UTC</time>'
    assert moment("2026-11-28T16:58:00.250000+01:00") == html


def test_counts_have_their_noun() -> None:
    assert [plural(number, "job") for number in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]
    assert plural(2, "category", "categories") == "2 categories"


def test_every_state_and_every_result_has_words() -> None:
    assert set(STATUS_WORDS) == set(JobStatus)
    assert set(RUN_WORDS) == set(RunState)
    shown = {kind for group in FILE_GROUPS for kind in group.kinds}
    assert shown == set(KIND_WORDS)
    assert set(ResultKind) - shown == {ResultKind.FIGURES, ResultKind.FIGURES_METADATA, ResultKind.ORIGINS}
    assert {kind for group in FILE_GROUPS if group.sensitive for kind in group.kinds} == SENSITIVE_RESULTS
    assert all(word.sign and word.text for word in (*STATUS_WORDS.values(), *RUN_WORDS.values())), "never colour alone"
