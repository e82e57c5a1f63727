"""The repository on disk: project files, specs, data files, lock files."""
