"""A real SMTP server on loopback that keeps what it gets."""

from __future__ import annotations

import socket
import ssl
import time
from asyncio import Server
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """What the server got, and how it was asked to behave."""

    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refusals: int = 0
    port: int = 0

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusals:
            self.refusals -= 1
            return "451 Try again later"
        letter = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.recipients += envelope.rcpt_tos
        self.secure.append(session.ssl is not None)
        self.letters.append(letter)
        return "250 OK"

    def wait(self, number: int = 1) -> EmailMessage:
        """The letter with this number, when it has come."""
        deadline = time.monotonic() + 30
        while len(self.letters) < number:
            assert time.monotonic() < deadline, "no letter came"
            time.sleep(0.01)
        return self.letters[number - 1]


class OnFreePort(Controller):
    """Listens on a port that nobody uses, and says which; `trust` when it speaks TLS from the start."""

    trust: ssl.SSLContext | None = None

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        if self.trust is not None:
            with (
                socket.create_connection((self.hostname, self.port), 30) as plain,
                self.trust.wrap_socket(plain, server_hostname=self.hostname) as protected,
            ):
                protected.recv(1024)
        else:
            super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def smtp_server(
    *, authority: trustme.CA | None = None, accounts: dict[str, str] | None = None, at_once: bool = False
) -> Iterator[Mailbox]:
    """A server on a free port; with a certificate it wants STARTTLS, or TLS `at_once`; with accounts, one of them."""
    box = Mailbox()
    options: dict[str, Any] = {"ready_timeout": 30}
    trust: ssl.SSLContext | None = None
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        options |= {"ssl_context": context} if at_once else {"tls_context": context, "require_starttls": True}
    if accounts is not None:

        def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
            assert isinstance(data, LoginPassword)
            login = data.login.decode()
            box.logins.append(login)
            return AuthResult(success=accounts.get(login) == data.password.decode(), handled=False)

        options |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": authority is not None and not at_once,
        }
    controller = OnFreePort(box, hostname="127.0.0.1", port=0, **options)
    controller.trust = trust if at_once else None
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
