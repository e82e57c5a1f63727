"""Letters through a real SMTP server: settings, protection of the connection, patience, order, and the end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import trustme

from avatar_gitops.errors import UsageError
from avatar_gitops.server import mail
from avatar_gitops.server.mail import Letter, MailSettings, Postman, Security, mail_settings
from tests.server.smtp import Mailbox, smtp_server

LETTER = Letter("ada@example.org", "Hello", "A line.\n")
COMPLETE = {
    mail.HOST: "smtp.example.org",
    mail.SENDER: "avatar@example.org",
    mail.USERNAME: "avatar",
    mail.PASSWORD: "hush",
}


def settings(box: Mailbox, **fields: object) -> MailSettings:
    base: dict[str, object] = {"host": "127.0.0.1", "port": box.port, "security": Security.NONE}
    return MailSettings(**{**base, "sender": "avatar@example.org", **fields})  # type: ignore[arg-type]


def test_no_host_means_no_mail() -> None:
    assert mail_settings({}) is None
    assert mail_settings({mail.SENDER: "avatar@example.org"}) is None


def test_settings_come_from_the_environment_and_hide_the_password() -> None:
    found = mail_settings({**COMPLETE, mail.PUBLIC_URL: "https://avatar.example.org/"})
    assert found == MailSettings(
        "smtp.example.org",
        587,
        Security.STARTTLS,
        "avatar@example.org",
        "avatar",
        "hush",
        "https://avatar.example.org",
    )
    assert "hush" not in repr(found)
    with_tls = mail_settings({**COMPLETE, mail.SECURITY: "TLS"})
    assert with_tls is not None and with_tls.port == 465


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({mail.SENDER: ""}, mail.SENDER),
        ({mail.SENDER: "avatar"}, mail.SENDER),
        ({mail.SENDER: "a@b\nBcc: c@d"}, mail.SENDER),
        ({mail.PORT: "smtp"}, mail.PORT),
        ({mail.PORT: "70000"}, mail.PORT),
        ({mail.SECURITY: "ssl3"}, "starttls, tls, none"),
        ({mail.SECURITY: "none"}, "in the clear"),
        ({mail.PASSWORD: ""}, "go together"),
        ({mail.USERNAME: ""}, "go together"),
        ({mail.PUBLIC_URL: "avatar.example.org"}, mail.PUBLIC_URL),
    ],
)
def test_settings_that_cannot_be_are_refused_without_showing_the_password(change: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        mail_settings({**COMPLETE, **change})
    assert "hush" not in f"{refused.value} {refused.value.hint}"


def test_a_letter_arrives_as_it_was_written() -> None:
    with smtp_server() as box:
        mail.send(settings(box), Letter("zoë@example.org".replace("ë", "e"), "Grüße", "Für dich.\n" + "x" * 200 + "\n"))
        letter = box.wait()
    assert box.recipients == ["zoe@example.org"]
    assert (letter["From"], letter["Subject"]) == ("avatar@example.org", "Grüße")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"] and letter["Message-ID"].endswith("@example.org>")
    assert letter.get_content().replace("\r\n", "\n") == "Für dich.\n" + "x" * 200 + "\n"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the server does not see its own TLS
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_the_certificate_is_checked_before_the_password_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    authority, at_once = trustme.CA(), security is Security.TLS
    with smtp_server(authority=authority, accounts={"avatar": "hush"}, at_once=at_once) as box:
        protected = settings(box, security=security, username="avatar", password="hush")
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            mail.send(protected, LETTER)
        assert box.logins == []
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        mail.send(protected, LETTER)
    assert (box.logins, len(box.letters)) == (["avatar"], 1)
    assert box.secure == [True] or at_once, "what STARTTLS did is told to the server; TLS from the start is below it"


def test_a_server_that_is_busy_is_asked_again() -> None:
    failures: list[None] = []
    with smtp_server() as box:
        box.refusals = 2
        postman = Postman(settings(box), lambda: failures.append(None), pauses=(0.0, 0.0))
        postman.post(lambda: LETTER)
        postman.post(lambda: Letter("grace@example.org", "Hello", "Second.\n"))
        box.wait(2)
        postman.close()
    assert box.recipients == ["ada@example.org", "grace@example.org"]
    assert failures == []


def test_a_letter_that_nobody_takes_is_told_without_its_address(caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()
    with smtp_server() as box:
        box.refusals = 3
        postman = Postman(settings(box), failed.set, pauses=(0.0, 0.0))
        postman.post(lambda: LETTER)
        assert failed.wait(30)
        postman.post(lambda: LETTER)
        box.wait()
        postman.close()
    assert len(box.letters) == 1, "the next one is sent all the same"
    assert "not accepted" in caplog.text and "ada@" not in caplog.text


def test_a_letter_that_cannot_be_written_does_not_stop_the_others() -> None:
    failed = threading.Event()

    def broken() -> Letter:
        raise RuntimeError

    with smtp_server() as box:
        postman = Postman(settings(box), failed.set)
        postman.post(broken)
        postman.post(lambda: None)
        postman.post(lambda: LETTER)
        box.wait()
        postman.close()
    assert failed.is_set()
    assert len(box.letters) == 1


def test_posting_returns_at_once_and_a_full_bag_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WAITING", 2)
    go = threading.Event()
    failures: list[None] = []
    with smtp_server() as box:
        postman = Postman(settings(box), lambda: failures.append(None))
        begun = threading.Event()

        def slow() -> Letter:
            begun.set()
            assert go.wait(30)
            return LETTER

        postman.post(slow)
        assert begun.wait(30)
        for _ in range(4):
            postman.post(lambda: LETTER)
        assert len(failures) == 2
        go.set()
        box.wait(3)
        postman.close()
    assert len(box.letters) == 3


def test_the_end_waits_for_letters_that_are_under_way() -> None:
    with smtp_server() as box:
        postman = Postman(settings(box), lambda: None)
        for _ in range(5):
            postman.post(lambda: LETTER)
        postman.close()
        assert len(box.letters) == 5
