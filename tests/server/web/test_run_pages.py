"""The list of runs and the pages of one: states, progress, errors, metrics, parameters, figures, deletion."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from avatar_gitops.server.database import events, reading
from avatar_gitops.wire.models import JobStatus
from tests.server.api import documents
from tests.server.site import Site
from tests.server.web.story import ARABIC, CANARY, FRENCH, LONG, Story, change, launch, many_runs
from tests.server.web.visitor import Visitor


@pytest.fixture(scope="module")
def crowd(story: Story) -> Iterator[Visitor]:
    """Somebody with 60 runs."""
    many_runs(story.site.engine, story.site.user("crowd@example.org"), 60)
    story.site.clock.now += 100_000
    visitor = Visitor(story.site)
    visitor.sign_in("crowd@example.org")
    yield visitor
    visitor.http.close()


def test_the_list_shows_state_and_progress_newest_first(marie: Visitor) -> None:
    rows = {row[0]: row for row in marie.get("/").rows()}
    order = [name for name in rows if name in {"running", LONG, "failed", "finished"}]
    assert order == ["running", LONG, "failed", "finished"]
    assert rows["running"][1:3] == ["◐ Running 9% 9%", "0 of 5"]
    assert rows[LONG][1:3] == ["· Waiting 0% 0%", "0 of 1"]
    assert rows["failed"][1:3] == ["✘ Failed", "0 of 5"]
    assert rows["finished"][1:3] == ["✔ Finished", "5 of 5"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", rows["finished"][3])


def test_a_new_user_reads_how_to_start(visitor: Visitor, site: Site) -> None:
    site.user("new@example.org")
    page = visitor.sign_in("new@example.org")
    assert "No runs yet" in page.text
    assert f"AVATAR_BASE_URL={site.base_url}" in page.text
    assert "/keys" in page.links()


def test_runs_come_in_pages(crowd: Visitor) -> None:
    first = crowd.get("/")
    assert [row[0] for row in first.rows()] == [f"cohort-{number:03}" for number in range(59, 34, -1)]
    assert "1 to 25 of 60" in first.text and "Page 1 of 3" in first.text
    assert [row[0] for row in crowd.get("/?page=3").rows()][-1] == "cohort-000"
    for beyond in ("4", "999999"):
        assert crowd.get(f"/?page={beyond}").rows() == crowd.get("/?page=3").rows()
    for nonsense in ("0", "-1", "x", "9" * 400, "²"):
        assert crowd.get("/", params={"page": nonsense}).rows() == first.rows()


def test_runs_are_found_by_name_and_state(crowd: Visitor) -> None:
    assert [row[0] for row in crowd.get("/?q=HORT-01").rows()] == [f"cohort-{n:03}" for n in range(19, 9, -1)]
    failed = crowd.get("/?state=failed&q=cohort-0")
    assert {row[1] for row in failed.rows()} == {"✘ Failed"} and len(failed.rows()) == 15
    assert "Failed 15" in failed.text and "All 60" in failed.text
    assert "/?q=cohort-0&state=cancelled" in failed.links()
    for nothing in ("%", "_", "<b>x</b>", "é" * 300):
        page = crowd.get("/", params={"q": nothing})
        assert page.status == 200 and "No run" in page.text
        assert "<b>x</b>" not in page.response.text
    assert crowd.get("/?state=nonsense").rows() == crowd.get("/").rows()


def test_a_run_is_found_by_its_identifier(marie: Visitor, story: Story) -> None:
    assert [row[0] for row in marie.get(f"/?q={story.runs['failed']}").rows()] == ["failed"]


def test_a_run_shows_each_job(marie: Visitor, story: Story) -> None:
    page = marie.get(f"/runs/{story.runs['running']}")
    assert page.heading == "running"
    rows = {row[0]: row for row in page.rows()}
    assert rows["standardMakes the avatars"][1:] == ["◐ Running 46% 46%", "–", "–"]
    assert rows["reportWrites a report"][1:] == ["· Waiting for other jobs", "–", "–"]
    assert "9%, 0 of 5 jobs done" in page.text
    assert page.tree.xpath("//progress/@aria-label") == ["Progress of the run", "Progress of standard"]


def test_a_finished_job_says_when_and_how_long_it_took(marie: Visitor, story: Story) -> None:
    for row in marie.get(f"/runs/{story.runs['finished']}").rows():
        assert row[1] == "✔ Finished"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", row[2]) and re.fullmatch(r"(under |\d+m )?\d+s", row[3])


def test_a_failed_job_says_why_once(marie: Visitor, story: Story) -> None:
    page = marie.get(f"/runs/{story.runs['failed']}")
    why = "k is 5000 but must be smaller than the number of rows of the table"
    assert page.text.count(why) == 1
    assert page.text.count("Not run: another job failed The job 'standard' that this one needs failed") == 4


def test_an_unexpected_error_and_a_cancelling_job_are_said(marie: Visitor, story: Story) -> None:
    launch(story, "troubled", documents(), only=("standard",))
    job, address = story.jobs["troubled"]["standard"], f"/runs/{story.runs['troubled']}"
    change(story.site.engine, job, status=JobStatus.PENDING, cancel_requested=True)
    assert "cancelling" in marie.get(address).text
    change(story.site.engine, job, status=JobStatus.ERROR, cancel_requested=False)
    assert "Internal error" in marie.get(address).text


def test_a_run_from_git_says_where_it_comes_from(marie: Visitor, story: Story) -> None:
    text = marie.get(f"/runs/{story.runs['finished']}").text
    assert "Spec configs/two.yaml" in text and "Commit 4f2a91c" in text


def test_a_page_that_changes_says_how_to_see_it_without_scripts(marie: Visitor, story: Story) -> None:
    address = f"/runs/{story.runs['running']}"
    page = marie.get(address)
    assert f"{address}?reload=10" in page.links()
    assert 'http-equiv="refresh"' not in page.response.text, "nothing reloads unasked"
    assert (
        '<noscript><meta http-equiv="refresh" content="10"></noscript>'
        in marie.get(f"{address}?reload=10").response.text
    )
    finished = marie.get(f"/runs/{story.runs['finished']}")
    assert "data-live" not in finished.response.text


def test_metrics_stand_beside_their_targets(marie: Visitor, story: Story) -> None:
    page = marie.get(f"/runs/{story.runs['finished']}/metrics")
    headings = [" ".join(h.text_content().split()) for h in page.tree.xpath("//h2")]
    assert headings == [f"Table {FRENCH}", f"Table {ARABIC}"]
    rows = {row[0]: row for row in page.rows()}
    hidden = rows["Hidden rateShare of people whose nearest avatar is not their own"]
    assert re.fullmatch(r"\d+\.\d%", hidden[1])
    assert re.fullmatch(r"\d+\.\d% to \d+\.\d%", hidden[2])
    assert hidden[3] == "≥ 90% (default)"
    assert hidden[4].split()[:2] in (["✔", "Met"], ["!", "Met,"], ["✘", "Missed"])
    findings = {row[4].partition(" ")[0] for row in rows.values() if len(row) == 5}
    assert findings <= {"✔", "!", "✘", "?"}
    (judged, *_) = map(int, re.findall(r"of (\d+) targets", page.text))
    assert judged == sum(len(row) == 5 for row in page.rows())
    assert "metrics without a target" in page.text


def test_the_first_page_of_a_run_sums_its_metrics_up(marie: Visitor, story: Story) -> None:
    text = marie.get(f"/runs/{story.runs['finished']}").text
    assert re.search(rf"{FRENCH} : .*targets", text)
    assert f"/runs/{story.runs['finished']}/metrics" in marie.get(f"/runs/{story.runs['finished']}").links()


@pytest.mark.parametrize(
    ("page", "words"), [("metrics", "No metrics"), ("figures", "No figures"), ("files", "No files")]
)
def test_what_is_not_there_says_why(marie: Visitor, story: Story, page: str, words: str) -> None:
    assert f"{words} yet" in marie.get(f"/runs/{story.runs['running']}/{page}").text
    failed = marie.get(f"/runs/{story.runs['failed']}/{page}").text
    assert words in failed and f"{words} yet" not in failed


def test_parameters_are_readable_and_hold_no_value_of_the_data(marie: Visitor, story: Story) -> None:
    page = marie.get(f"/runs/{story.runs['finished']}/parameters")
    settings = {row[0]: row[1] for row in page.rows(0)}
    assert settings == {"method": "avatar", "replacement_strategy": "coordinate_similarity", "ncp": "3", "k": "6"}
    assert {row[0]: row[1] for row in page.rows(1)} == {"known_variables": "âge", "target": "région_d'origine"}
    assert page.rows(2) == [
        ["âge", "float", "public bounds", "2.5"],
        ["région_d'origine", "category", "public: 2 categories", "–"],
        ["height", "found in the data", "dropped", "–"],
        ["weight", "found in the data", "excluded", "–"],
    ]
    assert CANARY not in page.text
    whole = {row[0]: row[1] for row in page.rows(-1)}
    assert whole["seed"] == "7" and whole["datarecipient"] == "opendata"


def test_figures_stand_in_frames_that_can_reach_nothing(marie: Visitor, story: Story) -> None:
    page = marie.get(f"/runs/{story.runs['finished']}/figures", params={"table": ARABIC})
    frames = page.tree.xpath("//figure/iframe")
    assert len(frames) > 5
    for frame in frames:
        assert frame.get("sandbox") == "allow-scripts allow-downloads"
        assert len(frame.get("title")) > 30 and ARABIC in frame.get("title")
    assert len({frame.get("title") for frame in frames}) == len(frames), "every alternative text is its own"
    answer = marie.http.get(frames[0].get("src"))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-downloads;")
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "allow-same-origin" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "figureHeight" in answer.text
    picture = marie.http.get(f"{frames[0].get('src')}/picture")
    assert picture.content.startswith(b"\x89PNG") and picture.headers["content-type"] == "image/png"
    alternatives = re.findall(r'<noscript><img src="[^"]+/picture" alt="([^"]{30,})"', page.response.text)
    assert len(alternatives) == len(frames)


def test_a_file_that_is_no_figure_is_not_shown_as_one(marie: Visitor, story: Story) -> None:
    standard = story.jobs["finished"]["standard"]
    assert marie.get(f"/runs/{story.runs['finished']}/figures/{standard}/0").status == 404
    assert marie.get(f"/runs/{story.runs['finished']}/figures/{standard}/9999").status == 404


def test_a_run_is_cancelled(marie: Visitor, story: Story) -> None:
    launch(story, "unwanted", documents())
    address = f"/runs/{story.runs['unwanted']}"
    page = marie.submit(marie.get(address), f"{address}/cancel")
    assert "is being cancelled" in page.text
    assert {row[1] for row in page.rows()} == {"– Cancelled"}
    assert not page.tree.xpath(f"//form[@action='{address}/cancel']")


def test_a_run_is_deleted_after_a_question_only(marie: Visitor, story: Story) -> None:
    launch(story, "doomed", documents())
    address = f"/runs/{story.runs['doomed']}"
    page = marie.get(f"{address}/delete")
    assert page.heading == "Delete run doomed?" and "5 jobs and 0 result files" in page.text
    assert "launched by avatar-gitops" in page.text, "the set carries the digest of a spec"
    assert marie.get(address).status == 200
    done = marie.submit(page, f"{address}/delete")
    assert "The run was deleted" in done.text and done.path.startswith("/?")
    assert marie.get(address).heading == "Not found"
    assert "doomed" not in [row[0] for row in done.rows()]
    with reading(story.site.engine) as connection:
        gone = list(connection.execute(events.select().where(events.c.verb == "delete")))
    assert set(story.jobs["doomed"].values()) <= {event.object_id for event in gone}
