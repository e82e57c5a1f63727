"""The pages in a real browser: by keyboard, without scripts, up to date by themselves, and checked by axe-core."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ViewportSize, expect

from avatar_gitops.server.accounts import issue_key
from avatar_gitops.server.database import reading, results, web_sessions, writing
from avatar_gitops.wire.models import JobStatus
from tests.server.api import documents
from tests.server.site import PASSWORD, Site
from tests.server.web.browser import Window, open_chromium, open_window
from tests.server.web.conftest import OWNER
from tests.server.web.story import ARABIC, FRENCH, LONG, Story, change, launch, many_runs

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PHONE = ViewportSize(width=320, height=640)
DESK = ViewportSize(width=1280, height=900)
AT_200_PERCENT = 640  # the width of a desk that is zoomed


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_chromium() as made:
        yield made


@pytest.fixture
def window(browser: Browser, site: Site) -> Iterator[Window]:
    with open_window(browser, site, viewport=DESK) as made:
        yield made


def test_signing_in_and_reading_a_run_by_keyboard(window: Window, story: Story) -> None:
    page = window.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    window.tab_to("#email")
    page.keyboard.type(OWNER)
    window.tab_to("#password")
    page.keyboard.type("a wrong password 3")
    window.follow()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    window.tab_to("#password")
    page.keyboard.type(PASSWORD)
    window.follow()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    window.tab_to("#q")
    page.keyboard.type("fini")
    window.follow()
    window.follow(f"a[href='/runs/{story.runs['finished']}']")
    expect(page.get_by_role("heading", level=1)).to_have_text("finished")
    window.follow("nav[aria-label='This run'] a[href$='/metrics']")
    expect(page.get_by_role("row", name=re.compile("Hidden rate Share")).first).to_be_visible()
    window.tab_to("summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("Hidden rate, strict")).first).to_be_visible()
    window.follow("nav[aria-label='This run'] a[href$='/figures']")
    window.follow("nav[aria-label='Tables'] a:not([aria-current])")
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Table {ARABIC}")
    window.follow("nav[aria-label='This run'] a[href$='/parameters']")
    expect(page.get_by_role("heading", name=f"Table {FRENCH}")).to_be_visible()
    window.follow("form[action='/sign-out'] button")
    expect(page.get_by_role("status")).to_contain_text("You are signed out.")


def test_downloading_by_keyboard(window: Window, story: Story) -> None:
    window.sign_in(OWNER)
    page = window.go(f"/runs/{story.runs['finished']}/files")
    window.tab_to("a[href$='/yaml']")
    with page.expect_download() as yaml:
        page.keyboard.press("Enter")
    assert yaml.value.suggested_filename == "finished.yaml"
    window.follow(f"a[href='{sensitive_file(story)}']")
    expect(page.get_by_role("heading", level=1)).to_have_text("Download a sensitive result?")
    window.tab_to("#confirmed")
    page.keyboard.press("Space")
    window.tab_to("button.danger")
    with page.expect_download() as sensitive:
        page.keyboard.press("Enter")
    assert sensitive.value.suggested_filename.endswith(".unshuffled-0.csv")
    window.follow("nav[aria-label='Main'] a[href='/events']")
    expect(page.get_by_role("row", name=re.compile("download Sensitive result of finished")).first).to_be_visible()


def test_a_key_and_a_run_come_and_go_by_keyboard(window: Window, story: Story) -> None:
    launch(story, "to-be-gone", documents())
    window.sign_in(OWNER)
    page = window.page
    window.follow("nav[aria-label='Main'] a[href='/keys']")
    window.tab_to("#name")
    page.keyboard.type("by keyboard")
    window.follow()
    text = page.get_by_role("textbox", name="API key")
    expect(text).to_have_value(re.compile(r"octopize_apikey\.[\w-]{36}\.[\w-]{43}"))
    window.follow("a[href='/keys'].button")
    row = page.get_by_role("row", name="by keyboard")
    expect(row).to_contain_text("Valid")
    window.follow(f"a[href='{row.get_by_role('link').get_attribute('href')}']")
    window.follow("button.danger")
    expect(page.get_by_role("status")).to_contain_text("was revoked")
    window.follow("nav[aria-label='Main'] a[href='/']")
    window.follow(f"a[href='/runs/{story.runs['to-be-gone']}']")
    window.follow("a.danger[href$='/delete']")
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete run to-be-gone?")
    window.follow("button.danger")
    expect(page.locator(".notices")).to_contain_text("The run was deleted")
    expect(page.get_by_role("link", name="to-be-gone")).to_have_count(0)


def sensitive_file(story: Story) -> str:
    """Address of a result that asks first."""
    query = results.select().where(results.c.job == story.jobs["finished"]["standard"], results.c.kind == "unshuffled")
    with reading(story.site.engine) as connection:
        row = connection.execute(query).first()
    assert row is not None
    return f"/runs/{story.runs['finished']}/files/{row.job}/{row.position}"


def test_a_page_follows_its_jobs_and_can_be_told_not_to(window: Window, story: Story) -> None:
    launch(story, "followed", documents(), only=("standard",))
    job = story.jobs["followed"]["standard"]
    window.sign_in(OWNER)
    page = window.go(f"/runs/{story.runs['followed']}")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Delete the run").focus()
    change(story.site.engine, job, status=JobStatus.PENDING, progress=0.25)
    expect(page.get_by_role("row", name=re.compile("standard")).get_by_role("progressbar")).to_have_text(
        "25%", timeout=15_000
    )
    expect(page.locator("#live-news")).to_have_text("standard: Running")
    expect(page.get_by_role("link", name="Delete the run")).to_be_focused()
    page.get_by_role("button", name="Pause updates").click()
    expect(page.locator("#live-news")).to_have_text("Updates are paused.")
    change(story.site.engine, job, progress=0.75)
    page.wait_for_timeout(4000)
    expect(page.get_by_role("progressbar", name="Progress of standard")).to_have_text("25%")
    change(story.site.engine, job, status=JobStatus.FINISHED)
    page.get_by_role("button", name="Resume updates").click()
    expect(page.locator("#live-news")).to_have_text("standard: Finished", timeout=15_000)
    expect(page.locator("#live-head")).to_contain_text("Finished")
    assert page.evaluate("window.same"), "the page was never loaded again"


def test_the_list_follows_too(window: Window, story: Story) -> None:
    launch(story, "listed", documents(), only=("standard",))
    window.sign_in(OWNER)
    row = window.page.get_by_role("row", name=re.compile("listed"))
    expect(row).to_contain_text("Waiting")
    change(story.site.engine, story.jobs["listed"]["standard"], status=JobStatus.ERROR)
    expect(row).to_contain_text("Failed", timeout=15_000)


def test_a_page_says_that_its_session_has_ended(window: Window, story: Story) -> None:
    window.sign_in(OWNER)
    page = window.go(f"/runs/{story.runs['running']}")
    with writing(story.site.engine) as connection:
        connection.execute(web_sessions.delete())
    expect(page.get_by_text("Your session has ended.")).to_be_visible(timeout=15_000)


def test_a_figure_is_drawn_and_can_reach_nothing(window: Window, story: Story) -> None:
    window.sign_in(OWNER)
    page = window.go(f"/runs/{story.runs['finished']}/figures")
    frame = page.locator("iframe").first
    frame.scroll_into_view_if_needed()
    drawn = page.frame_locator("iframe").first
    expect(drawn.locator("svg").first).to_be_visible(timeout=30_000)
    expect(frame).to_have_attribute("height", re.compile(r"\d{3}"))
    inside = page.frames[1]
    reached = inside.evaluate(
        """async () => {
            const tries = {
              parent: () => parent.document.title, cookie: () => document.cookie, storage: () => localStorage.length,
              network: () => fetch("/keys"),
            };
            const found = [];
            for (const [name, attempt] of Object.entries(tries))
                try { await attempt(); found.push(name); } catch { /* refused, as it should be */ }
            return found;
        }"""
    )
    assert reached == []
    window.troubles[:] = [line for line in window.troubles if "Content Security Policy" not in line]  # the fetch above


def test_nothing_inline_runs_on_a_page(window: Window) -> None:
    page = window.go("/sign-in")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.ran") is None
    (refused,) = window.troubles
    assert "Content Security Policy" in refused
    window.troubles.clear()


def test_everything_works_without_scripts(browser: Browser, site: Site, story: Story) -> None:
    with open_window(browser, site, viewport=DESK, java_script_enabled=False) as window:
        window.sign_in(OWNER)
        page = window.go(f"/runs/{story.runs['running']}")
        expect(page.get_by_role("progressbar", name="Progress of standard")).to_be_visible()
        page.get_by_role("link", name="reload every 10 seconds").click()
        expect(page.get_by_role("link", name="stop the reload every 10 seconds")).to_be_visible()
        assert 'http-equiv="refresh"' in page.content()
        page = window.go(f"/runs/{story.runs['finished']}/figures")
        picture = page.locator("figure img").first
        picture.scroll_into_view_if_needed()
        expect(picture).to_be_visible()
        expect(page.locator("iframe").first).to_be_hidden()
        page = window.go("/keys")
        page.fill("#name", "without scripts")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_role("textbox", name="API key")).to_have_value(re.compile("octopize_apikey"))
        page = window.go(f"/runs/{story.runs['finished']}/delete")
        page.get_by_role("link", name="Keep it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("finished")


def every_page(story: Story, key: str) -> dict[str, str]:
    """Addresses of all pages that a signed-in visitor can open, by what they show."""
    run = {name: f"/runs/{set_id}" for name, set_id in story.runs.items()}
    pages = {f"run {name}": run[name] for name in ("finished", "running", "failed", LONG)}
    pages |= {name: f"{run['finished']}/{name}" for name in ("metrics", "figures", "files", "parameters", "delete")}
    pages |= {f"no {name}": f"{run['failed']}/{name}" for name in ("metrics", "figures", "files")}
    pages |= {
        "runs": "/",
        "failed runs": "/?state=failed",
        "nothing found": "/?q=nothing",
        "sensitive": sensitive_file(story),
    }
    pages |= {"keys": "/keys", "revoke": f"/keys/{key}/revoke", "events": "/events", "account": "/account"}
    return pages | {"not found": "/nowhere"}


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    browser: Browser, site: Site, story: Story, viewport: ViewportSize, colours: str
) -> None:
    axe, found = Axe(), {}
    empty, crowd = (f"{who}-{colours}-{viewport['width']}@example.org" for who in ("empty", "crowd"))
    site.user(empty)
    many_runs(site.engine, site.user(crowd), 500)
    key = issue_key(site.engine, story.owner.id, "for axe", 30)[0]["id"]

    def check(window: Window, name: str) -> None:
        result = axe.run(window.page)
        if result.violations_count:
            found[name] = [
                (item["id"], [node["html"][:120] for node in item["nodes"]]) for item in result.response["violations"]
            ]
        for width in {viewport["width"], AT_200_PERCENT}:
            window.page.set_viewport_size(ViewportSize(width=width, height=640))
            if window.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[f"{name} at {width}"] = [("wider than the window", [])]
        window.page.set_viewport_size(viewport)

    with open_window(browser, site, viewport=viewport, color_scheme=colours) as window:
        for name in ("sign-in", "forgotten", "reset", "confirm"):
            window.go(f"/{name}")
            check(window, name)
        window.go("/sign-in")
        window.page.fill("#key", "no key")
        window.page.keyboard.press("Enter")
        expect(window.page.get_by_role("alert")).to_be_visible()
        check(window, "refused")
        window.sign_in(OWNER)
        for name, address in every_page(story, key).items():
            window.go(address)
            check(window, name)
        window.go("/keys")
        window.page.fill("#name", "for axe, too")
        window.page.keyboard.press("Enter")
        expect(window.page.get_by_role("textbox", name="API key")).to_be_visible()
        check(window, "key created")
    for email in (empty, crowd):
        with open_window(browser, site, viewport=viewport, color_scheme=colours) as window:
            window.sign_in(email)
            check(window, email)
    assert found == {}
