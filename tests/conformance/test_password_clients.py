"""Official clients that sign in with a password: 1.19.0, the last that can, and 1.24.0, which sends a mask."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.account import NewUser, create
from avatar_gitops.server import start
from avatar_gitops.server.database import open_database, sign_in_tokens, text_of, writing
from avatar_gitops.server.state import StateFolder
from tests.server.api import people
from tests.server.smtp import Mailbox, smtp_server
from tests.support.official import clean_environment, environment

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

SCRIPT = Path(__file__).with_name("password_client_script.py")
EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


def expire(state_dir: Path) -> None:
    """Let every access token be over."""
    engine = open_database(StateFolder(state_dir).database)
    with writing(engine) as connection:
        past = text_of(datetime.now(UTC) - timedelta(seconds=1))
        connection.execute(sign_in_tokens.update().where(sign_in_tokens.c.kind == "access").values(expires_at=past))
    engine.dispose()


def token_of(box: Mailbox) -> str:
    """The token of the letter that the user got."""
    number = 1
    while (letter := box.wait(number))["Subject"] != "Reset your password":
        number += 1
    return str(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", letter.get_content())[0])


def seen(version: str, folder: Path, box: Mailbox) -> dict[str, Any]:
    """What one version of the client saw on a fresh platform that sends mail."""
    python, state_dir = environment(version), folder / "state"
    (folder / "people.csv").write_bytes(people(60))
    with start(state_dir) as server, (folder / "errors.txt").open("wb") as errors:
        create(state_dir, NewUser(EMAIL, "admin", None, PASSWORD))
        with subprocess.Popen(
            [str(python), str(SCRIPT), server.base_url, EMAIL, PASSWORD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=clean_environment(),
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            for line in process.stdout:
                if line.strip() == "EXPIRE":
                    expire(state_dir)
                answer = token_of(box) if line.strip() == "TOKEN" else ""
                if line.strip() in {"EXPIRE", "TOKEN"}:
                    process.stdin.write(f"{answer}\n")
                    process.stdin.flush()
        assert process.returncode == 0, (folder / "errors.txt").read_text(encoding="utf-8")[-4000:]
    found: dict[str, Any] = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    assert found["version"] == version
    return found


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with smtp_server() as box, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATAR_SMTP_HOST", "127.0.0.1")
        patch.setenv("AVATAR_SMTP_PORT", str(box.port))
        patch.setenv("AVATAR_SMTP_SECURITY", "none")
        patch.setenv("AVATAR_MAIL_FROM", "avatar@example.org")
        yield seen("1.19.0", tmp_path_factory.mktemp("old"), box)


def test_a_password_signs_in_and_is_called_deprecated(old: dict[str, Any]) -> None:
    assert "Error status 401 - Invalid username or password." in old["wrong"]
    assert old["me"] == EMAIL
    [warning] = old["warned"]
    assert warning.startswith("Username/password authentication is deprecated")


def test_a_sign_in_makes_api_keys(old: dict[str, Any]) -> None:
    assert old["with_key"] == EMAIL
    assert (old["keys"], old["key"]) == (["my-key"], "my-key")
    assert "Error status 401 - Invalid API key" in old["revoked"]
    assert "Error status 403" in old["unknown_key"]


def test_an_administrator_manages_users(old: dict[str, Any]) -> None:
    assert old["created"] == ["new@example.org", "user"]
    assert old["found"] == [old["got"]] == [old["deleted"]] == ["new@example.org"]
    assert old["gone"] == []
    assert "Error status 409 - A user with this e-mail address exists already." in old["refused"]


def test_a_run_works_with_a_password(old: dict[str, Any]) -> None:
    assert old["shape"] == [60, 5]


def test_expired_tokens_are_refreshed_without_anybody_noticing(old: dict[str, Any]) -> None:
    assert old["after_expiry"] == old["after_second_expiry"] == EMAIL


def test_a_client_that_is_told_to_wait_waits(old: dict[str, Any]) -> None:
    assert old["calls"] == 125


def test_a_password_is_reset_with_the_token_of_the_mail(old: dict[str, Any]) -> None:
    assert old["forgotten"] == old["forgotten_unknown"] == old["reset"] == old["new"] == ""
    assert "Error status 400" in old["reset_again"]
    assert "Error status 401" in old["old"]


def test_a_client_that_masks_passwords_is_shown_the_way_that_works(tmp_path: Path) -> None:
    found = seen("1.24.0", tmp_path, Mailbox())
    assert "Error status 401" in found["masked"]
    assert "API key" in found["masked"]
