"""Runs inside an environment of its own with an unmodified official client that signs in with a password.

Arguments: base URL, e-mail address, password, working folder. It asks its caller for what only the caller can do by a
line on standard output, and goes on when a line comes in. Nothing here may depend on this repository.
"""

# mypy: ignore-errors
import json
import sys
import warnings
from pathlib import Path

import avatars
from avatars.manager import Manager
from avatars.models import CreateApiKeyRequest, CreateUser, ExpirationDays, JobKind

BASE_URL, EMAIL, PASSWORD, FOLDER = sys.argv[1:5]
NEW = "another battery horse"
SEEN: dict = {"version": avatars.__version__}


def outcome(action) -> str:
    """Class and text of the error that the action ends with, or nothing."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def ask(what: str) -> str:
    """What the caller answers."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()
    return sys.stdin.readline().strip()


def signed_in(password: str) -> Manager:
    manager = Manager(base_url=BASE_URL)
    manager.authenticate(username=EMAIL, password=password)
    return manager


def sign_in() -> Manager:
    SEEN["wrong"] = outcome(lambda: signed_in("wrong password 1"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        manager = signed_in(PASSWORD)
    SEEN["warned"] = [str(item.message).strip() for item in caught if item.category is DeprecationWarning]
    SEEN["me"] = str(manager.auth_client.users.get_me().email)
    return manager


def api_keys(manager: Manager) -> None:
    keys = manager.auth_client.api_keys
    created = keys.create_api_key(CreateApiKeyRequest(name="my-key", expiration_days=ExpirationDays.integer_365))
    text, key_id = created["api_key"]["plaintext"], created["api_key"]["id"]
    with_key = Manager(base_url=BASE_URL, api_key=text)
    SEEN["with_key"] = str(with_key.auth_client.users.get_me().email)
    SEEN["keys"] = [key.name for key in keys.list_api_keys()]
    SEEN["key"] = keys.get_api_key(key_id).name
    keys.revoke_api_key(key_id)
    SEEN["revoked"] = outcome(lambda: with_key.get_last_results(1))
    SEEN["unknown_key"] = outcome(lambda: keys.revoke_api_key("00000000-0000-4000-8000-000000000000"))


def users(manager: Manager) -> None:
    found = manager.auth_client.users
    created = found.create_user(CreateUser(email="new@example.org", password="a password of theirs"))
    SEEN["created"] = [str(created.email), str(getattr(created.role, "value", created.role))]
    SEEN["found"] = [str(user.email) for user in found.find_users(email="new@example.org")]
    SEEN["got"] = str(found.get_user(created.id).email)
    SEEN["deleted"] = str(found.delete_user(created.id).email)
    SEEN["gone"] = [str(user.email) for user in found.find_users(email="new@example.org")]
    SEEN["refused"] = outcome(lambda: found.create_user(CreateUser(email=EMAIL)))


def run(manager: Manager) -> None:
    runner = manager.create_runner("with-a-password")
    runner.add_table("people", f"{FOLDER}/people.csv")
    runner.set_parameters("people", k=5)
    runner.run(jobs_to_run=[JobKind.standard])
    SEEN["shape"] = list(runner.shuffled("people").shape)


def expiry(manager: Manager) -> None:
    ask("EXPIRE")
    SEEN["after_expiry"] = str(manager.auth_client.users.get_me().email)
    ask("EXPIRE")
    SEEN["after_second_expiry"] = str(manager.auth_client.users.get_me().email)


def reset() -> None:
    manager = Manager(base_url=BASE_URL)
    SEEN["forgotten"] = outcome(lambda: manager.forgotten_password(EMAIL))
    SEEN["forgotten_unknown"] = outcome(lambda: manager.forgotten_password("nobody@example.org"))
    token = ask("TOKEN")
    SEEN["reset"] = outcome(lambda: manager.reset_password(EMAIL, NEW, NEW, token))
    SEEN["reset_again"] = outcome(lambda: manager.reset_password(EMAIL, NEW, NEW, token))
    SEEN["old"] = outcome(lambda: signed_in(PASSWORD))
    SEEN["new"] = outcome(lambda: signed_in(NEW))


def many_calls(manager: Manager) -> None:
    """More calls than the limit allows at once: the client waits as it is told, and none fails."""
    keys = manager.auth_client.api_keys
    SEEN["calls"] = sum(isinstance(keys.list_api_keys(), list) for _ in range(125))


if SEEN["version"].startswith(("1.2", "1.3")):
    SEEN["masked"] = outcome(lambda: signed_in(PASSWORD))
else:
    manager = sign_in()
    api_keys(manager)
    users(manager)
    run(manager)
    expiry(manager)
    many_calls(manager)
    reset()
Path(FOLDER, "seen.json").write_text(json.dumps(SEEN), encoding="utf-8")
