"""GitHub as the place where plans are reviewed: its event, its API, and the files of its runner."""
