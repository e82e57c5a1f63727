"""One request of the web application: who makes it, what the form says, and the pages it can be answered with."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server.accounts import Account
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.requests import small_body
from avatar_gitops.server.web.pages import render
from avatar_gitops.server.web.security import (
    FORM_COOKIE,
    SESSION_COOKIE,
    cookie_name,
    drop_cookie,
    is_from_here,
    safe_return,
    set_cookie,
)
from avatar_gitops.server.web.sessions import Session, find_session, form_token, new_token

MAXIMUM_FORM_BYTES: Final = 64 << 10
MAXIMUM_FIELDS: Final = 50
LIVE: Final = "x-live-update"  # a page that brings itself up to date; nobody may be looking at it
RELOAD_SECONDS: Final = 10


class FormRefused(ApiFault):
    """A form without the token of its session, or sent by another site."""

    def __init__(self) -> None:
        super().__init__(403, "This form is out of date, or it was sent from another site.")


@dataclass(slots=True)
class Visit:
    """A request with its session, None for somebody who is not signed in."""

    request: Request
    platform: Platform
    session: Session | None
    had_cookie: bool
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    fresh_form_cookie: str | None = field(default=None, repr=False)

    @property
    def account(self) -> Account:
        """The signed-in user; only for pages that are open to nobody else."""
        assert self.session is not None
        return self.session.account

    @property
    def path(self) -> Mapping[str, str]:
        """Parts of the path."""
        return self.request.path_params

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the address, without the control characters that no page needs."""
        return "".join(sign for sign in self.request.query_params.get(name, default) if sign.isprintable()).strip()

    @property
    def reloads(self) -> bool:
        """Whether the visitor wants a page without scripts to reload by itself."""
        return self.request.query_params.get("reload") == str(RELOAD_SECONDS)

    def form_token(self) -> str:
        """The token for the forms of this page; somebody who is not signed in gets a cookie to go with it."""
        if self.session is not None:
            return form_token(self.session.token)
        token = self.request.cookies.get(cookie_name(self.request, FORM_COOKIE)) or self.fresh_form_cookie
        if token is None:
            token = self.fresh_form_cookie = new_token()
        return form_token(token)

    def check_form(self) -> None:
        """Refuse a form that none of our pages of this session has sent.

        Raises:
            FormRefused.
        """
        own = self.session.token if self.session else self.request.cookies.get(cookie_name(self.request, FORM_COOKIE))
        sent = self.form.get("token", "")
        expected = form_token(own) if own else ""
        same = hmac.compare_digest(expected.encode(), sent.encode("utf-8", "replace"))
        if not own or not same or not is_from_here(self.request):
            raise FormRefused

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A page of this application."""
        text = render(template, visit=self, **context)
        response: Response = HTMLResponse(text, status)
        if self.fresh_form_cookie is not None:
            set_cookie(self.request, response, FORM_COOKIE, self.fresh_form_cookie)
        return response

    def go(self, path: str, **query: str) -> Response:
        """On to another page, after something was done or when this one is not for the visitor."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, HTTPStatus.SEE_OTHER)

    def fault(self, status: int, detail: str = "") -> Response:
        """The page of an error."""
        return self.page("error.html", status=status, code=status, detail=detail)

    def to_sign_in(self) -> Response:
        """Away to the sign-in page, and back here afterwards unless a form would be sent again."""
        if LIVE in self.request.headers:
            return Response(status_code=401)
        query = {"ended": "1"} if self.had_cookie else {}
        here = self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else "")
        if self.request.method in {"GET", "HEAD"} and safe_return(here) != "/":
            query["next"] = here
        response = self.go("/sign-in", **query)
        if self.had_cookie:
            drop_cookie(self.request, response, SESSION_COOKIE)
        return response


Handler = Callable[[Visit], Response]


def open_visit(request: Request, platform: Platform) -> Visit:
    """The request with its session."""
    cookie = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    by_itself = LIVE in request.headers or "reload" in request.query_params
    session = find_session(platform.engine, cookie, seen=not by_itself) if cookie else None
    return Visit(request, platform, session, cookie is not None)


async def read_form(visit: Visit) -> None:
    """Read the fields of a form; of two with one name the last counts.

    Raises:
        ApiFault: 413 or 415.
    """
    if visit.request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise ApiFault(415, "This is not a form of this application.")
    body = await small_body(visit.request, MAXIMUM_FORM_BYTES)
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAXIMUM_FIELDS)
    except ValueError:
        raise ApiFault(422, "This form cannot be read.") from None
    visit.form = dict(fields)


async def answer(request: Request, platform: Platform, handler: Handler, *, for_all: bool) -> Response:
    """Run the handler of a page for whoever may see it; `for_all` pages are open to people who are not signed in."""
    visit = await run_in_threadpool(open_visit, request, platform)
    try:
        if visit.session is None and not for_all:
            return visit.to_sign_in()
        if request.method == "POST":
            await read_form(visit)
            visit.check_form()
        return await run_in_threadpool(handler, visit)
    except ApiFault as fault:
        response = visit.fault(fault.status, fault.detail if isinstance(fault.detail, str) else "")
        response.headers.update(fault.headers)
        return response
