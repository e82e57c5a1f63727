"""Lets `python -m avatar_gitops` do the same as the `avatar-gitops` command."""

from avatar_gitops.cli.main import main

if __name__ == "__main__":
    main()
