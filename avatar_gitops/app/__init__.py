"""Use cases: one function per command; the only place that knows concrete classes."""
