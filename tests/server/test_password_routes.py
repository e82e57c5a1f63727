"""Forgotten passwords over HTTP and real SMTP: tokens, who gets one, what they are good for and for how long."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import httpx
import pytest

from avatar_gitops.server.accounts import Account, Purpose, issue_mail_token, set_disabled
from avatar_gitops.server.correspondence import open_post_office
from avatar_gitops.server.database import mail_tokens, text_of
from tests.server.api import Api
from tests.server.site import PASSWORD, Site, open_site
from tests.server.smtp import Mailbox, smtp_server
from tests.support.grounds import Ground

NEW = "another battery horse"
TOKEN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
Golden = Callable[[str, str], None]


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with smtp_server() as made:
        yield made


@pytest.fixture(scope="module")
def posted(box: Mailbox, tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Site]:
    """A platform that sends mail."""
    with open_site(tmp_path_factory.mktemp("mail") / "state", ground) as site, pytest.MonkeyPatch.context() as patch:
        variables = {"HOST": "127.0.0.1", "PORT": str(box.port), "SECURITY": "none"}
        for name, value in variables.items():
            patch.setenv(f"AVATAR_SMTP_{name}", value)
        patch.setenv("AVATAR_MAIL_FROM", "avatar@example.org")
        site.platform.postman = open_post_office(site.platform, "https://avatar.example.org")
        assert site.platform.postman is not None
        yield site
        site.platform.postman.close()


@pytest.fixture
def site(posted: Site, box: Mailbox) -> Site:
    posted.clock.now += 100_000
    assert posted.platform.postman is not None
    sent = threading.Event()
    posted.platform.postman.post(sent.set)  # letters go out in order: those of the test before are out now
    assert sent.wait(30)
    box.letters.clear()
    box.recipients.clear()
    return posted


@pytest.fixture
def ada(site: Site) -> Account:
    return site.user(f"ada.{site.clock.now:.0f}@example.org")


@pytest.fixture(scope="module")
def admin(posted: Site) -> Iterator[Api]:
    with posted.api(posted.user("admin@example.org", "admin")) as api:
        yield api


def forget(site: Site, email: str) -> httpx.Response:
    return site.post("/login/forgotten_password", json={"email": email})


def reset(site: Site, email: str, token: str, password: str = NEW, repeated: str | None = None) -> httpx.Response:
    body = {"email": email, "new_password": password, "new_password_repeated": repeated or password, "token": token}
    return site.post("/login/reset_password", json=body)


def token_of(letter: EmailMessage) -> str:
    return str(TOKEN.findall(letter.get_content())[0])


def settled(letter: EmailMessage, account_email: str) -> str:
    """A letter without what differs from run to run."""
    text = f"To: {letter['To']}\nSubject: {letter['Subject']}\n\n{letter.get_content()}".replace("\r\n", "\n")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<time> UTC", TOKEN.sub("<token>", text))
    return text.replace(account_email, "ada@example.org")


def test_a_forgotten_password_is_replaced_with_the_token_of_a_letter(
    site: Site, box: Mailbox, ada: Account, golden: Golden
) -> None:
    before = site.login(ada.email).json()
    assert forget(site, ada.email.upper()).status_code == 200
    letter = box.wait()
    assert letter["To"] == ada.email
    golden("letters/reset.txt", settled(letter, ada.email))
    answer = reset(site, ada.email, token_of(letter))
    assert answer.status_code == 200, answer.text
    golden("letters/changed.txt", settled(box.wait(2), ada.email))
    assert site.login(ada.email, PASSWORD).status_code == 401
    assert site.login(ada.email, NEW).status_code == 200
    headers = {"Authorization": f"Bearer {before['access_token']}"}
    assert site.get("/users/me", headers=headers).status_code == 401, "who was signed in with the old one is not"
    assert site.post("/refresh", params={"token": before["refresh_token"]}).status_code == 401


def test_a_token_works_once(site: Site, box: Mailbox, ada: Account) -> None:
    forget(site, ada.email)
    token = token_of(box.wait())
    assert reset(site, ada.email, token).status_code == 200
    again = reset(site, ada.email, token, "yet another horse")
    assert again.status_code == 400 and "was used" in again.json()["detail"]
    assert site.login(ada.email, NEW).status_code == 200


def test_a_newer_token_replaces_the_older_one(site: Site, box: Mailbox, ada: Account) -> None:
    forget(site, ada.email)
    older = token_of(box.wait())
    forget(site, ada.email)
    newer = token_of(box.wait(2))
    assert reset(site, ada.email, older).status_code == 400
    assert reset(site, ada.email, newer).status_code == 200


def test_a_token_ends_after_a_day(site: Site, box: Mailbox, ada: Account) -> None:
    token, until = issue_mail_token(site.engine, ada.id, Purpose.RESET)
    assert abs(until - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    site.change(mail_tokens, expires_at=text_of(datetime.now(UTC) - timedelta(seconds=1)))
    assert reset(site, ada.email, token).status_code == 400
    assert site.login(ada.email, PASSWORD).status_code == 200


def test_a_token_is_stored_as_a_hash(site: Site, box: Mailbox, ada: Account) -> None:
    forget(site, ada.email)
    token = token_of(box.wait())
    for path in site.platform.state.root.iterdir():
        assert not path.is_file() or token.encode() not in path.read_bytes(), path.name


def test_a_token_belongs_to_one_address_and_one_purpose(site: Site, box: Mailbox, ada: Account) -> None:
    forget(site, ada.email)
    token = token_of(box.wait())
    assert reset(site, "admin@example.org", token).status_code == 400
    assert site.post("/login/verify_email", json={"token": token}).status_code == 400
    verify, _ = issue_mail_token(site.engine, ada.id, Purpose.VERIFY)
    assert reset(site, ada.email, verify).status_code == 400
    assert reset(site, ada.email, token).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "00000000-0000-4000-8000-000000000000", "ä" * 36])
def test_any_other_token_is_refused(site: Site, ada: Account, token: str) -> None:
    assert reset(site, ada.email, token).status_code == 400
    assert site.post("/login/verify_email", json={"token": token}).status_code == 400


@pytest.mark.parametrize(
    ("password", "repeated", "said"),
    [
        (NEW, NEW + "!", "not equal"),
        ("short", "short", "at least 12"),
        ("**********", "**********", "ten asterisks"),
    ],
)
def test_a_password_that_cannot_be_leaves_the_token_valid(
    site: Site, box: Mailbox, ada: Account, password: str, repeated: str, said: str
) -> None:
    forget(site, ada.email)
    token = token_of(box.wait())
    refused = reset(site, ada.email, token, password, repeated)
    assert refused.status_code == 422
    assert said in refused.json()["detail"]
    assert reset(site, ada.email, token).status_code == 200


def test_an_unknown_address_is_answered_the_same_and_gets_no_letter(site: Site, box: Mailbox, ada: Account) -> None:
    disabled = site.user(f"off.{ada.email}")
    set_disabled(site.engine, disabled, True)
    answers = [forget(site, email) for email in ("nobody@example.org", disabled.email, "not an address", ada.email)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1
    box.wait()
    assert box.recipients == [ada.email], "letters go out in order, so the others would have come before"


def test_the_answer_does_not_wait_for_the_letter(site: Site, box: Mailbox, ada: Account) -> None:
    postman = site.platform.postman
    assert postman is not None
    go = threading.Event()

    def held() -> None:
        assert go.wait(30)

    postman.post(held)
    assert forget(site, ada.email).status_code == 200
    assert box.letters == [], "no token is made and no letter written before the answer"
    go.set()
    assert token_of(box.wait())


@pytest.mark.parametrize("known", [True, False])
def test_few_letters_go_to_one_address(site: Site, ada: Account, known: bool) -> None:
    email = ada.email if known else "somebody@example.org"
    statuses = [forget(site, email).status_code for _ in range(5)]
    assert statuses == [200] * 3 + [429] * 2
    assert forget(site, email).headers["retry-after"] == "600"


def test_tokens_cannot_be_guessed_at_speed(site: Site, ada: Account) -> None:
    statuses = [reset(site, ada.email, "x").status_code for _ in range(22)]
    assert statuses == [400] * 20 + [429] * 2


def test_a_new_user_with_a_password_confirms_the_address_first(
    site: Site, box: Mailbox, admin: Api, golden: Golden
) -> None:
    body = {"email": "new@example.org", "role": "user", "password": PASSWORD}
    assert admin.http.post("/users", json=body).status_code == 200
    letter = box.wait()
    golden("letters/verification.txt", settled(letter, "new@example.org"))
    assert "Confirm your e-mail address" in site.login("new@example.org").json()["detail"]
    link = re.search(r"https://avatar\.example\.org(/confirm)\?token=(\S+)", letter.get_content())
    assert link is not None
    page = site.http.get(f"{site.base_url}{link[1]}", params={"token": link[2]})
    assert page.status_code == 200 and link[2] in page.text, "opening the link shows a form"
    assert site.login("new@example.org").status_code == 401, "and does nothing yet"
    assert site.post("/login/verify_email", json={"token": link[2]}).status_code == 200
    assert site.login("new@example.org").status_code == 200
    assert site.post("/login/verify_email", json={"token": link[2]}).status_code == 400


def test_a_new_user_without_a_password_gets_a_token_to_set_one(
    site: Site, box: Mailbox, admin: Api, golden: Golden
) -> None:
    """Clients 1.20 to 1.25 send ten asterisks as the password of a new user."""
    for number, password in enumerate((None, "**********"), start=1):
        email = f"invited{number}@example.org"
        assert admin.http.post("/users", json={"email": email, "role": "user", "password": password}).status_code == 200
        letter = box.wait(number)
        assert site.login(email, "**********").status_code == 401
    golden("letters/invitation.txt", settled(letter, email))
    assert reset(site, email, token_of(letter)).status_code == 200
    assert site.login(email, NEW).status_code == 200, "the letter was read, so the address is confirmed"


def test_a_letter_names_the_address_that_was_set_and_never_that_of_a_request(
    site: Site, box: Mailbox, ada: Account
) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert site.post("/login/forgotten_password", json={"email": ada.email}, headers=evil).status_code == 200
    text = box.wait().get_content()
    assert "evil" not in text and "https://avatar.example.org" in text


def test_the_audit_log_names_users_and_no_token(site: Site, box: Mailbox, ada: Account) -> None:
    before = len(site.audited())
    forget(site, ada.email)
    token = token_of(box.wait())
    reset(site, ada.email, "00000000-0000-4000-8000-000000000000")
    reset(site, ada.email, token)
    lines = site.audited()[before:]
    assert [(line["event"], line["outcome"]) for line in lines] == [
        ("password.forgotten", "done"),
        ("password.token", "done"),
        ("user.update", "failed"),
        ("user.update", "done"),
    ]
    assert lines[1]["actor"] == lines[3]["actor"] == ada.id
    text = site.platform.state.audit_log.read_text()
    assert token not in text and NEW not in text and "@" not in text


def test_without_an_smtp_server_everybody_is_told_what_helps(site: Site, ada: Account) -> None:
    postman, site.platform.postman = site.platform.postman, None
    try:
        answers = [forget(site, email) for email in (ada.email, "nobody@example.org")]
    finally:
        site.platform.postman = postman
    assert {answer.status_code for answer in answers} == {501}
    assert len({answer.text for answer in answers}) == 1
    assert "avatar-gitops account reset-password" in answers[0].json()["detail"]
