"""Headless Chromium for tests: windows that take note of everything which goes wrong on a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.server.site import PASSWORD, Site

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
# What the page itself does with a status that is no success; the tests look at the page that comes with it.
STATUS = "Failed to load resource: the server responded with a status of"
MOST_STEPS = 120


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """The Chromium of this machine; one is never downloaded."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found is not None, "Chromium is missing: run .ci/services"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS.split())
        yield browser
        browser.close()


@dataclass
class Window:
    """One window with its own cookies; `troubles` must stay empty."""

    site: Site
    context: BrowserContext
    page: Page = field(init=False)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", self._on_request)
        self.page = self.context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and f"{parts.scheme}://{parts.netloc}" != self.site.base_url:
            self.troubles.append(f"left the origin: {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(STATUS):
            self.troubles.append(f"console: {message.text}")

    def go(self, path: str) -> Page:
        """Open a page by its address."""
        self.page.goto(f"{self.site.base_url}{path}")
        return self.page

    def sign_in(self, email: str) -> None:
        self.go("/sign-in")
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/")

    def tab_to(self, selector: str) -> None:
        """Walk with the Tab key to an element, seeing at each step where one is."""
        for _ in range(MOST_STEPS):
            self.page.keyboard.press("Tab")
            here: dict[str, Any] = self.page.evaluate(
                """(selector) => {
                    const at = document.activeElement, style = getComputedStyle(at);
                    return {
                      found: at.matches(selector), frame: at.tagName === "IFRAME", name: at.outerHTML.slice(0, 80),
                      seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                    };
                }""",
                selector,
            )
            assert here["seen"] or here["frame"] or here["name"].startswith("<body"), (
                f"no visible focus: {here['name']}"
            )
            if here["found"]:
                return
        raise AssertionError(f"the Tab key does not lead to {selector}")

    def follow(self, selector: str = "") -> None:
        """Press Enter where one is, or on the link or button one walks to, and see the page that it leads to."""
        if selector:
            self.tab_to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@contextmanager
def open_window(browser: Browser, site: Site, **options: Any) -> Iterator[Window]:
    """A window, which has seen no trouble when it is closed."""
    context = browser.new_context(**options)
    window = Window(site, context)
    yield window
    context.close()
    assert window.troubles == []
