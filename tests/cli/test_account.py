"""`account`: on the folder of a running platform, secrets printed once, passwords never an argument."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from avatar_gitops.cli import main
from avatar_gitops.server.accounts import ensure_administrator
from avatar_gitops.server.database import api_keys
from tests.server.api import Api
from tests.server.site import Site, cheap_hashes, open_site
from tests.support.grounds import Ground

PASSWORD = "correct horse battery"
Golden = Callable[[str, str], None]
SCREENS = {
    "account": ["account", "--help"],
    "create": ["account", "create", "--help"],
    "list": ["account", "list", "--help"],
    "reset-password": ["account", "reset-password", "--help"],
    "disable": ["account", "disable", "--help"],
    "enable": ["account", "enable", "--help"],
    "delete": ["account", "delete", "--help"],
    "key": ["account", "key", "--help"],
    "key-create": ["account", "key", "create", "--help"],
    "key-list": ["account", "key", "list", "--help"],
    "key-revoke": ["account", "key", "revoke", "--help"],
    "organization": ["account", "organization", "--help"],
    "organization-create": ["account", "organization", "create", "--help"],
    "organization-list": ["account", "organization", "list", "--help"],
    "organization-delete": ["account", "organization", "delete", "--help"],
}


class Desk:
    """The command line on the folder of a running platform."""

    def __init__(self, site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self._capsys, self._monkeypatch = site, capsys, monkeypatch
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0, typed: str = "") -> str:
        """What `account ARGUMENTS` writes to standard output; `typed` comes in by standard input."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        ended = main.run(["account", *arguments, "--state-dir", str(self.site.platform.state.root)])
        shown = self._capsys.readouterr()
        self.err = shown.err
        assert ended == code, shown.err
        return shown.out


@pytest.fixture
def desk(
    tmp_path: Path, ground: Ground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    with cheap_hashes(), open_site(tmp_path / "state", ground) as site:
        ensure_administrator(site.engine)
        aws = {} if ground.buckets is None else ground.buckets.environment
        for name, value in {**site.platform.for_workers, **aws}.items():
            monkeypatch.setenv(name, value)
        yield Desk(site, capsys, monkeypatch)


def settled(text: str) -> str:
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", text)
    return re.sub(r"20\d\d-\d\d-\d\d( \d\d:\d\d)?", "<day>", text)


@pytest.mark.parametrize("name", SCREENS)
def test_help_is_the_reviewed_one(
    name: str, capsys: pytest.CaptureFixture[str], golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main.run(SCREENS[name]) == 0
    golden(f"cli/account/{name}.txt", capsys.readouterr().out)


def test_a_user_gets_a_key_that_the_running_platform_takes(desk: Desk, golden: Golden) -> None:
    desk("create", "Ada@example.org")
    assert "Created ada@example.org (user) in default." in desk.err
    key = desk("key", "create", "ada@example.org", "--name", "laptop", "--days", "30").strip()
    assert "only once" in desk.err and key not in desk.err
    with Api(desk.site.base_url, key) as api:
        assert api.get("/users/me")["email"] == "ada@example.org"
        golden("cli/account/shown-users.txt", settled(desk("list")))
        golden("cli/account/shown-keys.txt", settled(desk("key", "list", "ada@example.org")))
        [row] = json.loads(desk("key", "list", "ada@example.org", "--format", "json"))["keys"]
        assert row["state"] == "valid" and row["last_used_at"] is not None
        desk("key", "revoke", "ada@example.org", row["id"])
        assert api.http.get("/users/me").status_code == 401
    desk("key", "revoke", "ada@example.org", row["id"], code=64)
    assert "revoked already" in desk.err
    assert "revoked" in desk("key", "list", "ada@example.org")
    for path in desk.site.platform.state.root.iterdir():
        assert not path.is_file() or key.rpartition(".")[2].encode() not in path.read_bytes()


def test_all_keys_are_revoked_at_once_and_expired_ones_are_told_apart(desk: Desk) -> None:
    desk("create", "ada@example.org")
    for _ in range(2):
        desk("key", "create", "ada@example.org")
    desk.site.change(api_keys, expires_at="2020-01-01T00:00:00.000000+00:00")
    desk("key", "create", "ada@example.org")
    rows = json.loads(desk("key", "list", "ada@example.org", "--format", "json"))["keys"]
    assert [row["state"] for row in rows] == ["expired", "expired", "valid"]
    desk("key", "revoke", "ada@example.org", code=64)
    desk("key", "revoke", "ada@example.org", "x", "--all", code=64)
    desk("key", "revoke", "ada@example.org", "--all")
    assert "Keys revoked: 3" in desk.err


def test_a_password_comes_from_standard_input_and_signs_in(desk: Desk) -> None:
    assert desk("create", "ada@example.org", "--with-password", typed=f"{PASSWORD}\n") == ""
    assert desk.site.login("ada@example.org", PASSWORD).status_code == 200
    desk("reset-password", "ada@example.org", "--set", typed="another battery horse")
    assert desk.site.login("ada@example.org", PASSWORD).status_code == 401
    assert desk.site.login("ada@example.org", "another battery horse").status_code == 200


@pytest.mark.parametrize(("typed", "said"), [("", "No password was given"), ("short\n", "at least 12 characters")])
def test_without_a_good_password_nobody_is_created(desk: Desk, typed: str, said: str) -> None:
    desk("create", "ada@example.org", "--with-password", typed=typed, code=64)
    assert said in desk.err
    assert "ada@" not in desk("list")


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_password_that_no_form_could_send_makes_no_user(
    desk: Desk, errors: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard input is read one way or the other, as the locale says."""
    typed = io.TextIOWrapper(io.BytesIO(b"correct horse \xff battery\n"), encoding="utf-8", errors=errors)
    monkeypatch.setattr(sys, "stdin", typed)
    folder = str(desk.site.platform.state.root)
    assert main.run(["account", "create", "ada@example.org", "--with-password", "--state-dir", folder]) == 64
    assert "UTF-8" in capsys.readouterr().err
    assert "ada@" not in desk("list")


def test_on_a_terminal_a_password_is_asked_for_twice_and_not_shown(desk: Desk) -> None:
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "avatar_gitops", "account", "create", "ada@example.org", "--with-password"]
    process = subprocess.Popen(
        [*command, "--state-dir", str(desk.site.platform.state.root)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    for question in (b"Password: ", b"Repeat for confirmation: "):
        while not seen.endswith(question):
            seen += os.read(terminal, 1024)
        os.write(terminal, f"{PASSWORD}\n".encode())
    out, _ = process.communicate(timeout=60)
    while chunk := _read(terminal):
        seen += chunk
    os.close(terminal)
    assert (process.returncode, out) == (0, b"")
    assert PASSWORD.encode() not in seen and b"Created ada@example.org" in seen
    assert desk.site.login("ada@example.org", PASSWORD).status_code == 200


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # how the end of a terminal is told on Linux
        return b""


def test_no_option_takes_a_password() -> None:
    import click

    from avatar_gitops.cli.commands.account import command

    def options(group: click.Command) -> Iterator[click.Parameter]:
        yield from group.params
        if isinstance(group, click.Group):
            for inner in group.commands.values():
                yield from options(inner)

    for option in options(command):
        assert "password" not in str(option.name) or (isinstance(option, click.Option) and option.is_flag)


def test_a_token_of_the_operator_sets_a_password_once(desk: Desk) -> None:
    desk("create", "ada@example.org")
    token = desk("reset-password", "ada@example.org").strip()
    assert "valid once, until" in desk.err
    body = {
        "email": "ada@example.org",
        "new_password": PASSWORD,
        "new_password_repeated": PASSWORD,
        "token": token,
    }
    assert desk.site.post("/login/reset_password", json=body).status_code == 200
    assert desk.site.post("/login/reset_password", json=body).status_code == 400
    assert desk.site.login("ada@example.org", PASSWORD).status_code == 200


def test_a_disabled_user_is_out_until_enabled(desk: Desk) -> None:
    desk("create", "ada@example.org")
    with Api(desk.site.base_url, desk("key", "create", "ada@example.org").strip()) as api:
        desk("disable", "ada@example.org")
        assert api.http.get("/users/me").status_code == 401
        assert "disabled" in desk("list")
        for useless in (["key", "create", "ada@example.org"], ["reset-password", "ada@example.org"]):
            assert desk(*useless, code=64) == ""
            assert "account enable ada@example.org" in desk.err
        desk("enable", "ada@example.org")
        assert api.http.get("/users/me").status_code == 200


def test_a_deleted_user_leaves_nothing(desk: Desk) -> None:
    desk("create", "ada@example.org")
    with Api(desk.site.base_url, desk("key", "create", "ada@example.org").strip()) as api:
        api.upload("people.csv", b"a\n1\n")
        desk("delete", "ada@example.org", code=64)
        assert "--yes" in desk.err
        assert api.http.get("/users/me").status_code == 200
        desk("delete", "ada@example.org", "--yes")
        assert api.http.get("/users/me").status_code == 401
    assert "ada@" not in desk("list")
    assert list(desk.site.platform.storage.blobs.names()) == []


def test_organizations_keep_their_users_apart(desk: Desk, golden: Golden) -> None:
    desk("organization", "create", "Oncology")
    desk("create", "ada@example.org", code=64)
    assert "--organization" in desk.err
    desk("create", "ada@example.org", "--organization", "Oncology", "--role", "admin")
    desk("create", "grace@example.org", "--organization", "nowhere", code=64)
    golden("cli/account/shown-organizations.txt", settled(desk("organization", "list")))
    assert [row["users"] for row in json.loads(desk("organization", "list", "--format", "json"))["organizations"]] == [
        1,
        1,
    ]
    assert "administrator@" not in desk("list", "--organization", "Oncology")
    with Api(desk.site.base_url, desk("key", "create", "ada@example.org").strip()) as api:
        assert [user["email"] for user in api.get("/users")] == ["ada@example.org"]
    desk("organization", "delete", "Oncology", code=64)
    assert "has users" in desk.err
    desk("delete", "ada@example.org", "--yes")
    desk("organization", "delete", "Oncology")
    assert "Oncology" not in desk("organization", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "nonsense"], "not an e-mail address"),
        (["create", "a\udcff@example.org"], "not an e-mail address"),
        (["key", "create", "a\udcff@example.org"], "not text in UTF-8"),
        (["key", "create", "administrator@localhost", "--name", "a\udcff"], "not text in UTF-8"),
        (["organization", "create", "a\udcff"], "printable"),
        (["create", "administrator@localhost"], "already"),
        (["disable", "nobody@example.org"], "account list"),
        (["delete", "nobody@example.org", "--yes"], "account list"),
        (["key", "create", "nobody@example.org"], "account list"),
        (["key", "create", "administrator@localhost", "--days", "31"], "3650"),
        (["organization", "create", "default"], "already"),
        (["list", "--organization", "nowhere"], "no organization of this name"),
        (["organization", "create", " "], "printable"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_on(desk: Desk, arguments: list[str], said: str) -> None:
    assert desk(*arguments, code=64) == ""
    assert said in desk.err


def test_the_last_administrator_stays_while_there_are_others(desk: Desk) -> None:
    desk("create", "ada@example.org")
    for act in (["disable", "administrator@localhost"], ["delete", "administrator@localhost", "--yes"]):
        desk(*act, code=64)
        assert "last administrator" in desk.err
    desk("create", "grace@example.org", "--role", "admin")
    desk("disable", "administrator@localhost")


def test_every_act_is_in_the_audit_log_and_no_secret_is(desk: Desk) -> None:
    desk("create", "ada@example.org", "--with-password", typed=PASSWORD)
    key = desk("key", "create", "ada@example.org").strip()
    token = desk("reset-password", "ada@example.org").strip()
    desk("disable", "ada@example.org")
    desk("enable", "ada@example.org")
    desk("key", "revoke", "ada@example.org", "--all")
    desk("delete", "ada@example.org", "--yes")
    lines = desk.site.audited()
    assert [line["event"] for line in lines] == [
        "user.create",
        "api_key.create",
        "password.token",
        "user.disable",
        "user.enable",
        "api_key.delete",
        "user.delete",
    ]
    assert {line["actor"] for line in lines} == {"operator"}
    text = desk.site.platform.state.audit_log.read_text()
    assert not [secret for secret in (PASSWORD, key, token, "@") if secret in text]


def test_a_folder_without_a_platform_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["account", "list", "--state-dir", str(tmp_path / "none")]) == 64
    assert "avatar-gitops serve" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
