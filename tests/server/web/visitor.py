"""Somebody who uses the web pages without a browser: follows links, fills in forms as they stand on the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import lxml.html

from tests.server.site import PASSWORD, Site


@dataclass
class Page:
    """An answer, read as HTML."""

    response: httpx.Response
    tree: Any = field(init=False)

    def __post_init__(self) -> None:
        self.tree = lxml.html.fromstring(self.response.text) if self.response.text.strip() else None

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        """What a reader sees or hears, on one line."""
        return " ".join(" ".join(self.tree.xpath("//body//text()")).split())

    @property
    def heading(self) -> str:
        return " ".join(self.tree.xpath("string(//h1)").split())

    @property
    def path(self) -> str:
        return str(self.response.url.raw_path.decode("ascii"))

    def links(self, part: str = "") -> list[str]:
        """Addresses that the page links to, those that have the text in them."""
        return [href for href in self.tree.xpath("//main//a/@href") if part in href]

    def rows(self, number: int = 0) -> list[list[str]]:
        """Cells of a table."""
        rows = self.tree.xpath("//table")[number].xpath(".//tbody/tr")
        return [[" ".join(cell.text_content().split()) for cell in row.xpath("./th|./td")] for row in rows]

    def form(self, action: str) -> dict[str, str]:
        """The fields of a form as the page gives them; of several with one action the first."""
        (found, *_) = self.tree.xpath(f"//form[@action='{action}']")
        fields = {item.get("name"): item.get("value", "") for item in found.xpath(".//input[@name]")}
        selects = {item.get("name"): item.value for item in found.xpath(".//select")}
        return {**{name: value for name, value in fields.items() if name != "confirmed"}, **selects}


@dataclass
class Visitor:
    """One browser with its cookies."""

    site: Site
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.site.base_url, timeout=30, verify=False, follow_redirects=True)

    def get(self, path: str, **options: Any) -> Page:
        return Page(self.http.get(path, **options))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Page:
        """Send fields as a browser does, with the origin of the page."""
        return Page(self.http.post(path, data=fields, headers={"Origin": self.site.base_url, **headers}))

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in a form of a page and send it."""
        return self.post(action, {**page.form(action), **fields})

    def sign_in(self, email: str, password: str = PASSWORD) -> Page:
        return self.submit(self.get("/sign-in"), "/sign-in", email=email, password=password)

    @property
    def session(self) -> str | None:
        """The secret of the session cookie."""
        return self.http.cookies.get("avatar_session")
