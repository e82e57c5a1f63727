"""Users, organizations, passwords, API keys and sign-ins of the platform. Secrets are stored as hashes only."""

from __future__ import annotations

from avatar_gitops.server.accounts.deletion import LastAdministrator, delete_user, is_disabled, set_disabled
from avatar_gitops.server.accounts.keys import (
    EXPIRATION_DAYS,
    account_of_key,
    issue_key,
    list_keys,
    note_use,
    revoke_keys,
)
from avatar_gitops.server.accounts.organizations import (
    NameTaken,
    Organization,
    create_organization,
    delete_organization,
    list_organizations,
)
from avatar_gitops.server.accounts.passwords import (
    MASK,
    MASKED_ADVICE,
    WeakPassword,
    account_by_password,
    check_password,
    hash_new_password,
)
from avatar_gitops.server.accounts.resets import (
    Purpose,
    issue_mail_token,
    replace_password,
    reset_password,
    verify_email,
)
from avatar_gitops.server.accounts.sign_ins import (
    ExpiredToken,
    Tokens,
    account_of_token,
    end_sign_in,
    open_sign_in,
    refresh_sign_in,
)
from avatar_gitops.server.accounts.storage_keys import StorageKey, account_of_access_key, storage_key
from avatar_gitops.server.accounts.users import (
    ADMINISTRATOR,
    Account,
    EmailTaken,
    create_user,
    ensure_administrator,
    find_users,
)

__all__ = [
    "ADMINISTRATOR",
    "EXPIRATION_DAYS",
    "MASK",
    "MASKED_ADVICE",
    "Account",
    "EmailTaken",
    "ExpiredToken",
    "LastAdministrator",
    "NameTaken",
    "Organization",
    "Purpose",
    "StorageKey",
    "Tokens",
    "WeakPassword",
    "account_by_password",
    "account_of_access_key",
    "account_of_key",
    "account_of_token",
    "check_password",
    "create_organization",
    "create_user",
    "delete_organization",
    "delete_user",
    "end_sign_in",
    "ensure_administrator",
    "find_users",
    "hash_new_password",
    "is_disabled",
    "issue_key",
    "issue_mail_token",
    "list_keys",
    "list_organizations",
    "note_use",
    "open_sign_in",
    "refresh_sign_in",
    "replace_password",
    "reset_password",
    "revoke_keys",
    "set_disabled",
    "storage_key",
    "verify_email",
]
