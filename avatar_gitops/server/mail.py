"""Mail through an SMTP server: settings from the environment, sending in the background, one after the other."""

from __future__ import annotations

import logging
import os
import queue
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum
from typing import Final

from avatar_gitops.errors import UsageError
from avatar_gitops.server.callers import is_loopback

HOST: Final = "AVATAR_SMTP_HOST"
PORT: Final = "AVATAR_SMTP_PORT"
SECURITY: Final = "AVATAR_SMTP_SECURITY"
USERNAME: Final = "AVATAR_SMTP_USERNAME"
PASSWORD: Final = "AVATAR_SMTP_PASSWORD"  # noqa: S105  (the name of a variable)
SENDER: Final = "AVATAR_MAIL_FROM"
PUBLIC_URL: Final = "AVATAR_PUBLIC_URL"

TIMEOUT_SECONDS: Final = 20.0
PAUSES: Final = (2.0, 10.0)  # before the second and the third try
WAITING: Final = 200  # letters at most; more are not accepted
LAST_SECONDS: Final = 5.0  # how long the end of the server waits for letters that are under way

log = logging.getLogger(__name__)


class Security(StrEnum):
    """How the connection to the SMTP server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(slots=True, frozen=True)
class MailSettings:
    """Where letters go out; `public_url` is what people reach this platform by, and is in the letters."""

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    public_url: str = ""


@dataclass(slots=True, frozen=True)
class Letter:
    """What is sent to one address."""

    to: str
    subject: str
    text: str


def mail_settings(environment: Mapping[str, str] = os.environ) -> MailSettings | None:
    """The settings in the environment; None when AVATAR_SMTP_HOST is not set, and then no mail is sent.

    Raises:
        UsageError: a variable is missing or cannot be, or a password would cross the network in the clear.
    """
    host = environment.get(HOST, "").strip()
    if not host:
        return None
    security = _security(environment.get(SECURITY, Security.STARTTLS))
    port = environment.get(PORT) or str(PORTS[security])
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"{PORT} is not a port number.", hint=f"For {security}, it is usually {PORTS[security]}.")
    sender = environment.get(SENDER, "").strip()
    try:
        if not sender or not Address(addr_spec=sender).domain:
            raise ValueError
    except ValueError:
        raise UsageError(f"{SENDER} is not an e-mail address.", hint=f"{HOST} is set, so letters need one.") from None
    username, password = environment.get(USERNAME) or None, environment.get(PASSWORD) or None
    if (username is None) != (password is None):
        raise UsageError(f"{USERNAME} and {PASSWORD} go together.", hint="Set both or none.")
    if password is not None and security is Security.NONE and not is_loopback(host):
        raise UsageError(
            f"{SECURITY}=none would send the password of {USERNAME} in the clear.", hint="Use starttls or tls."
        )
    public_url = environment.get(PUBLIC_URL, "").strip().rstrip("/")
    if public_url and not public_url.startswith(("https://", "http://")):
        raise UsageError(f"{PUBLIC_URL} does not start with https:// or http://.")
    return MailSettings(host, int(port), security, sender, username, password, public_url)


def send(settings: MailSettings, letter: Letter) -> None:
    """Hand a letter to the SMTP server.

    Raises:
        OSError, smtplib.SMTPException: it was not accepted.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.sender, letter.to, letter.subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=settings.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # no machine answers to it (RFC 3834)
    message.set_content(letter.text)
    context = ssl.create_default_context()
    if settings.security is Security.TLS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    with server:
        if settings.security is Security.STARTTLS:
            server.starttls(context=context)
        if settings.username is not None and settings.password is not None:
            server.login(settings.username, settings.password)
        server.send_message(message)


class Postman:
    """Writes and sends letters in a thread of its own, so that nobody can tell by the time whether there is one."""

    def __init__(self, settings: MailSettings, on_failure: Callable[[], None], pauses: tuple[float, ...] = PAUSES):
        self.settings: Final = settings
        self._on_failure, self._pauses = on_failure, pauses
        self._waiting: queue.Queue[Callable[[], Letter | None] | None] = queue.Queue(WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="postman")
        self._thread.start()

    def post(self, write: Callable[[], Letter | None]) -> None:
        """Let a letter be written and sent soon; `write` may find that there is none to write."""
        try:
            self._waiting.put_nowait(write)
        except queue.Full:
            log.error("A letter was not sent: %s are waiting already.", WAITING)
            self._on_failure()

    def close(self) -> None:
        """Send what is waiting, within a few seconds, and stop."""
        self._stopping.set()
        try:
            self._waiting.put(None, timeout=LAST_SECONDS)
        except queue.Full:
            return
        self._thread.join(LAST_SECONDS)

    def _work(self) -> None:
        while (write := self._waiting.get()) is not None:
            try:
                letter = write()
                if letter is not None:
                    self._send(letter)
            except Exception as error:  # one letter must not keep the others from being sent
                log.error("A letter was not written: %s", type(error).__name__)
                self._on_failure()

    def _send(self, letter: Letter) -> None:
        for pause in (*self._pauses, None):
            try:
                send(self.settings, letter)
                return
            except (OSError, smtplib.SMTPException) as error:
                # The text of the error may hold the address; its kind tells enough.
                log.error("A letter was not accepted by %s: %s", self.settings.host, type(error).__name__)
            if pause is None or self._stopping.wait(pause):
                break
        self._on_failure()


def _security(text: str) -> Security:
    try:
        return Security(text.strip().lower())
    except ValueError:
        raise UsageError(f"{SECURITY} must be one of {', '.join(Security)}.") from None
